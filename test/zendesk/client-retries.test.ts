/** What is sent again and what never is; what became of a change when no clear answer came. */
import { describe, expect, it } from 'vitest';
import { SealdeskError } from '../../src/base/index.ts';
import { createUsageMeter, MAX_TRIES } from '../../src/zendesk/index.ts';
import { CREATE, CREATE_ONCE, failureOf, openRig, READ, requestOf } from './rig.ts';
import { answer, type Script } from './scripted-server.ts';

const OK = { ticket: { id: 1 } };
const good: Script = (_request, response) => answer(response, 200, OK);

/** Answers that leave it open whether the change was made. */
const UNCLEAR: readonly (readonly [string, Script])[] = [
  ['500', (_request, response) => answer(response, 500, { error: 'x' })],
  ['502 with HTML', (_request, response) => answer(response, 502, '<html>')],
  ['503 with Retry-After', (_request, response) => answer(response, 503, '', { 'retry-after': '2' })],
  ['503 without', (_request, response) => answer(response, 503, '')],
  ['504', (_request, response) => answer(response, 504, '')],
  ['a closed socket', (_request, response) => response.destroy()],
  [
    'a body cut off',
    (_request, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"ticket":');
      response.socket?.end();
    },
  ],
  ['HTML with 200', (_request, response) => answer(response, 200, '<html>')],
  [
    'a broken gzip body',
    (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end('not gzip');
    },
  ],
];

function first(bad: Script, times: number, then: Script = good): Script {
  return (request, response, index) => (index < times ? bad : then)(request, response, index);
}

describe('after an unclear answer', () => {
  it.each(UNCLEAR)('a read is sent again (%s)', async (_title, bad) => {
    await using rig = await openRig(first(bad, MAX_TRIES - 1));
    const response = await rig.client.request(READ);
    expect(response.body).toEqual(OK);
    expect(response.calls).toBe(MAX_TRIES);
  });

  it.each(UNCLEAR)('a creation is sent again with the same key, if it has one (%s)', async (_title, bad) => {
    await using rig = await openRig(first(bad, 1));
    await rig.client.request(CREATE_ONCE);
    expect(rig.server.received.map((one) => one.headers['idempotency-key'])).toEqual(['key-1', 'key-1']);
    expect(new Set(rig.server.received.map((one) => one.body)).size).toBe(1);
  });

  it.each(UNCLEAR)('any other change is not, and its outcome is unknown (%s)', async (_title, bad) => {
    await using rig = await openRig(bad);
    const error = await failureOf(rig.client.request(CREATE));
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN', details: { mutation: 'UNKNOWN' } });
    expect(rig.server.received).toHaveLength(1);
  });

  it.each(UNCLEAR)('tries end, and a creation with a key ends unknown (%s)', async (title, bad) => {
    await using rig = await openRig(bad);
    const read = await failureOf(rig.client.request(READ));
    const tries = rig.server.received.length;
    const creation = await failureOf(rig.client.request(CREATE_ONCE));
    expect(read.code).toBe(
      title === '503 with Retry-After' ? 'UPSTREAM_RATE_LIMITED' : 'UPSTREAM_UNAVAILABLE',
    );
    expect(creation).toMatchObject({ code: 'OUTCOME_UNKNOWN', details: { mutation: 'UNKNOWN' } });
    if (title !== '503 with Retry-After') expect(tries).toBe(MAX_TRIES);
  });

  it.each([401, 403, 422])('a later refusal with %i does not make the outcome known', async (status) => {
    const bad: Script = (_request, response) => response.destroy();
    await using rig = await openRig(
      first(bad, 1, (_request, response) => answer(response, status, { error: 'X' })),
    );
    const error = await failureOf(rig.client.request(CREATE_ONCE));
    expect(error).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      details: { mutation: 'UNKNOWN', upstreamStatus: status },
    });
  });
});

describe('before anything was sent', () => {
  it.each([
    'read',
    'create',
    'create once',
  ] as const)('a refused connection is tried again and ends NOT_SENT (%s)', async (kind) => {
    await using rig = await openRig(good);
    const { client, clock } = rig;
    await rig.server[Symbol.asyncDispose]();
    const error = await failureOf(client.request(requestOf(kind)));
    expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', failure: 'CONNECTION' });
    expect(error.details.mutation).toBe(kind === 'read' ? undefined : 'NOT_SENT');
    expect(clock.waits.filter((wait) => wait < 20_000)).toHaveLength(MAX_TRIES - 1);
  });

  it('a name that does not resolve is NOT_SENT', async () => {
    await using rig = await openRig(good, { origin: 'https://sealdesk-no-such-host.invalid' });
    const error = await failureOf(rig.client.request(CREATE));
    expect(error).toMatchObject({ failure: 'CONNECTION', details: { mutation: 'NOT_SENT' } });
  });

  it('what authorize throws comes through, with the outcome of the change', async () => {
    const authorize = async (): Promise<never> => {
      throw new SealdeskError('KMS_UNAVAILABLE', 'The keys are out of reach.');
    };
    await using rig = await openRig(good, { authorize });
    expect(await failureOf(rig.client.request(CREATE))).toMatchObject({
      code: 'KMS_UNAVAILABLE',
      details: { mutation: 'NOT_SENT' },
    });
    expect((await failureOf(rig.client.request(READ))).details).toEqual({});
    expect(rig.server.received).toEqual([]);
  });

  it('a cancelled change says that it was not sent', async () => {
    await using rig = await openRig(good);
    const error = await failureOf(
      rig.client.request({ ...CREATE, signal: AbortSignal.abort(new Error('gone')) }),
    );
    expect(error).toMatchObject({ failure: 'CANCELLED', details: { mutation: 'NOT_SENT' } });
    expect(rig.server.received).toEqual([]);
  });

  it('a cancelled read rejects with the reason it was cancelled for', async () => {
    await using rig = await openRig(good);
    const reason = new Error('gone');
    await expect(rig.client.request({ ...READ, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('while the answer is awaited', () => {
  it('a cancelled change has an unknown outcome', async () => {
    await using rig = await openRig(() => undefined);
    const cancel = new AbortController();
    const failed = failureOf(rig.client.request({ ...CREATE, signal: cancel.signal }));
    await rig.server.arrived(1);
    cancel.abort();
    expect(await failed).toMatchObject({ code: 'OUTCOME_UNKNOWN', failure: 'CANCELLED' });
  });

  it('a deadline ends the call', async () => {
    await using rig = await openRig(() => undefined);
    const read = failureOf(rig.client.request(READ));
    const change = failureOf(rig.client.request(CREATE_ONCE));
    await rig.server.arrived(2);
    rig.clock.advance(30_000);
    expect(await read).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', failure: 'TIMEOUT' });
    expect(await change).toMatchObject({ code: 'OUTCOME_UNKNOWN', failure: 'TIMEOUT' });
    expect(rig.server.received).toHaveLength(2);
  });

  it('silence longer than the headers time-out ends a try', async () => {
    await using rig = await openRig(
      first(() => undefined, 1),
      { transportOptions: { headersTimeout: 200 } },
    );
    await expect(rig.client.request(READ)).resolves.toMatchObject({ calls: 2 });
  });

  it('a body that stops is ended by its time-out', async () => {
    const stops: Script = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"ticket":');
    };
    await using rig = await openRig(stops, { transportOptions: { bodyTimeout: 200 } });
    expect(await failureOf(rig.client.request(CREATE))).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      failure: 'TIMEOUT',
    });
  });

  it('a body beyond the limit is given up, and not asked for again', async () => {
    const large: Script = (_request, response) => answer(response, 200, { text: 'x'.repeat(5000) });
    await using rig = await openRig(large, { transportOptions: { maxResponseBytes: 4096 } });
    expect(await failureOf(rig.client.request(READ))).toMatchObject({ failure: 'OVERSIZE' });
    expect(rig.server.received).toHaveLength(1);
  });
});

describe('a pause that Zendesk asks for', () => {
  const limited =
    (headers: Readonly<Record<string, string>>): Script =>
    (_request, response) =>
      answer(response, 429, 'Number of allowed API requests per minute exceeded', headers);

  it.each([
    'read',
    'create',
    'create once',
  ] as const)('is kept and the call sent again, since 429 changed nothing (%s)', async (kind) => {
    await using rig = await openRig(first(limited({ 'retry-after': '7' }), 1));
    await expect(rig.client.request(requestOf(kind))).resolves.toMatchObject({ calls: 2 });
    expect(rig.clock.waits).toContain(7000);
  });

  it('is 10 seconds when no time is named', async () => {
    await using rig = await openRig(first(limited({}), 1));
    await rig.client.request(READ);
    expect(rig.clock.waits).toContain(10_000);
  });

  it('that outlasts the deadline ends the call at once with the time to wait', async () => {
    await using rig = await openRig(limited({ 'retry-after': '31' }));
    const error = await failureOf(rig.client.request(READ));
    expect(error).toMatchObject({
      code: 'UPSTREAM_RATE_LIMITED',
      details: { retryAfter: 31, upstreamStatus: 429 },
    });
    const next = await failureOf(rig.client.request(CREATE));
    expect(next).toMatchObject({
      code: 'BUDGET_EXHAUSTED',
      details: { retryAfter: 31, mutation: 'NOT_SENT' },
    });
    expect(rig.server.received).toHaveLength(1);
  });

  it('that is asked for again and again ends the call', async () => {
    await using rig = await openRig(limited({ 'retry-after': '1' }));
    await expect(failureOf(rig.client.request(READ))).resolves.toMatchObject({
      code: 'UPSTREAM_RATE_LIMITED',
    });
    expect(rig.server.received.length).toBeLessThanOrEqual(6);
  });

  it('for one ticket does not hold another', async () => {
    const script: Script = (request, response) =>
      request.url.includes('/7.json')
        ? answer(response, 429, '', {
            'retry-after': '400',
            'x-rate-limit-remaining': '600',
            'zendesk-ratelimit-per-ticket-updates': 'total=30; remaining=0; resets=400',
          })
        : answer(response, 200, OK);
    await using rig = await openRig(script);
    const update = (id: number) =>
      rig.client.request({ method: 'PUT', path: `/api/v2/tickets/${id}.json`, body: {}, mutation: true });
    await failureOf(update(7));
    await expect(update(8)).resolves.toMatchObject({ calls: 1 });
    await failureOf(update(7));
    expect(rig.server.received).toHaveLength(2);
  });
});

describe('a stale credential', () => {
  const stale: Script = (_request, response) => answer(response, 401, { error: 'invalid_token' });

  it('is renewed once and the call sent again with the new one', async () => {
    let token = 'old';
    await using rig = await openRig(first(stale, 1), {
      authorize: async () => ({ authorization: `Bearer ${token}` }),
      onUnauthorized: async () => {
        token = 'new';
        return 'retry';
      },
    });
    await rig.client.request(CREATE);
    expect(rig.server.received.map((one) => one.headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  it('that stays refused after renewal ends the call', async () => {
    await using rig = await openRig(stale, { onUnauthorized: async () => 'retry' });
    expect(await failureOf(rig.client.request(CREATE))).toMatchObject({
      code: 'UPSTREAM_UNAUTHENTICATED',
      details: { mutation: 'NOT_SENT' },
    });
    expect(rig.server.received).toHaveLength(2);
  });

  it('that cannot be renewed ends the call', async () => {
    await using rig = await openRig(stale, { onUnauthorized: async () => 'fail' });
    expect(await failureOf(rig.client.request(READ))).toMatchObject({ code: 'UPSTREAM_UNAUTHENTICATED' });
    expect(rig.server.received).toHaveLength(1);
  });
});

describe('a database collision', () => {
  it('is tried again, and ends as CONFLICT', async () => {
    await using rig = await openRig((_request, response) =>
      answer(response, 409, { error: 'DatabaseConflict', description: 'Database collision' }),
    );
    expect(await failureOf(rig.client.request(CREATE))).toMatchObject({
      code: 'CONFLICT',
      details: { mutation: 'NOT_SENT' },
    });
    expect(rig.server.received).toHaveLength(MAX_TRIES);
  });
});

describe('the usage of an operation', () => {
  it('counts every request that left, and keeps what Zendesk last said', async () => {
    const usage = createUsageMeter();
    const script: Script = (_request, response, index) =>
      answer(response, index === 0 ? 500 : 200, OK, {
        'x-rate-limit-remaining': `${100 - index}`,
        'ratelimit-reset': '10',
      });
    await using rig = await openRig(script);
    await rig.client.request({ ...READ, usage });
    expect(usage.read()).toMatchObject({ calls: 2, remaining: 99, lastStatus: 200 });
    expect(usage.read().resetsAt).toBe(rig.clock.now() + 10_000);
  });
});
