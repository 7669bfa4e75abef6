/** Following the audit log as an auditor's program does, over both transports. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appendAuditEvents } from '../../../src/audit/index.ts';
import { createId } from '../../../src/base/index.ts';
import { newestEvents } from '../../service/house.ts';
import { type ListeningGateway, openListeningGateway } from '../../support/listening-gateway.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestTenant, dataOf, type TestTenant } from '../../support/tenant.ts';
import { wrappedStore } from '../../support/wrapped-store.ts';
import { TestSocket } from './test-socket.ts';

const TAIL =
  'subscription($after: Cursor) { auditTail(after: $after) { cursor event { id index action actor { id } } } }';

interface Line {
  readonly cursor: string;
  readonly event: { readonly id: string; readonly index: number; readonly action: string };
}

/** The lines of one subscription, oldest first; errors are thrown. */
interface Tail extends AsyncDisposable {
  next(): Promise<Line>;
}
type OpenTail = (listening: ListeningGateway, apiKey: string, after?: string) => Promise<Tail>;

interface Result {
  readonly data?: { readonly auditTail: Line } | null;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

function lineIn({ data, errors }: Result): Line {
  if (data == null) throw new Error(`${errors?.[0]?.extensions.code} ${errors?.[0]?.message}`);
  return data.auditTail;
}

const openSocketTail: OpenTail = async ({ socketUrl }, apiKey, after) => {
  const socket = await TestSocket.open(socketUrl);
  socket.send({ type: 'connection_init', payload: { apiKey } });
  await socket.next();
  socket.subscribe('1', TAIL, { after });
  return {
    async next() {
      const { type, payload } = await socket.next();
      return lineIn(type === 'next' ? payload : { errors: payload });
    },
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
};

const openEventTail: OpenTail = async ({ url }, apiKey, after) => {
  const leaving = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'x-api-key': apiKey },
    body: JSON.stringify({ query: TAIL, variables: { after } }),
    signal: leaving.signal,
  });
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
    return { next: async () => lineIn(await response.json()), async [Symbol.asyncDispose]() {} };
  }
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async next() {
      for (;;) {
        const [event, rest] = text.split(/\n\n(.*)/s, 2);
        if (rest !== undefined) {
          text = rest;
          const data = /^data: (.+)$/m.exec(event ?? '')?.[1];
          if (data !== undefined) return lineIn(JSON.parse(data));
          continue;
        }
        const { value, done } = await reader.read();
        if (done) throw new Error('The stream has ended');
        text += value;
      }
    },
    async [Symbol.asyncDispose]() {
      leaving.abort();
      await reader.cancel().catch(() => undefined);
    },
  };
};

async function take(tail: Tail, count: number): Promise<readonly Line[]> {
  const lines: Line[] = [];
  while (lines.length < count) lines.push(await tail.next());
  return lines;
}
const indexesOf = (lines: readonly Line[]) => lines.map(({ event }) => event.index);
const runFrom = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);

describeOnBothDatabases('Following the audit log', (database) => {
  let listening: ListeningGateway;
  let tenant: TestTenant;
  beforeAll(async () => {
    // Polling would come too late for these tests: what they wait for is told.
    listening = await openListeningGateway({
      ...{ database, simulator: { tickets: 5 }, tailTimes: { pollMs: 600_000 } },
    });
    tenant = await createTestTenant(listening.gateway);
  });
  afterAll(() => listening[Symbol.asyncDispose]());

  const ask = (apiKey = tenant.keys.agent) =>
    listening.gateway.graphql('{ viewer { tenant { id } } }', { apiKey });
  const newest = async () => (await newestEvents(listening.gateway, tenant.keys.auditor, 1))[0]?.index ?? 0;

  it.each([
    ['WebSocket', openSocketTail],
    ['server-sent events', openEventTail],
  ])('by %s begins with its own event, and goes on with each that is appended', async (_name, open) => {
    await using tail = await open(listening, tenant.keys.auditor);
    const first = await tail.next();
    expect(first.event.action).toBe('subscription.auditTail');
    await ask();
    const second = await tail.next();
    await ask();
    const third = await tail.next();
    expect([second.event.action, third.event.action]).toEqual(['query.viewer', 'query.viewer']);
    expect(indexesOf([first, second, third])).toEqual(runFrom(first.event.index, 3));
  });

  it.each([
    ['WebSocket', openSocketTail],
    ['server-sent events', openEventTail],
  ])('by %s goes on after a cursor, also one of a page, without a gap or a repeat', async (_name, open) => {
    const page = dataOf<{ auditEvents: { readonly pageInfo: { readonly endCursor: string } } }>(
      await listening.gateway.graphql('{ auditEvents(first: 2) { pageInfo { endCursor } } }', {
        apiKey: tenant.keys.auditor,
      }),
    ).auditEvents;
    const last = await newest();
    const lines: Line[] = [];
    {
      await using tail = await open(listening, tenant.keys.auditor, page.pageInfo.endCursor);
      lines.push(...(await take(tail, last - 3)));
    }
    await ask();
    await using tail = await open(listening, tenant.keys.auditor, lines.at(-1)?.cursor);
    // What is left, the query for the newest, both beginnings, and the query.
    lines.push(...(await take(tail, 6)));
    expect(indexesOf(lines)).toEqual(runFrom(2, lines.length));
    expect(lines.filter(({ event }) => event.index > last + 1).map(({ event }) => event.action)).toEqual([
      'subscription.auditTail',
      'query.viewer',
      'subscription.auditTail',
    ]);
  });

  it('shows to many at once every event of many who append at once', async () => {
    await using resources = new AsyncDisposableStack();
    const tails = await Promise.all(
      [openSocketTail, openEventTail, openSocketTail].map(async (open) => {
        const tail = resources.use(await open(listening, tenant.keys.auditor));
        return { tail, lines: [await tail.next()] };
      }),
    );
    const { store, keyring } = listening.gateway.deps;
    const keys = await keyring.keysOf(tenant.id);
    const appendOne = (action: string) =>
      store.withTenant(tenant.id, (tx) =>
        appendAuditEvents(tx, {
          ...{ tenantId: tenant.id, headKey: keys.auditHeadKey() },
          events: [
            {
              ...{ id: createId('auditEvent'), occurredAt: new Date().toISOString(), action },
              ...{ actor: { type: 'SYSTEM', id: 'test' }, phase: 'SINGLE', outcome: 'SUCCEEDED' },
            },
          ],
        }),
      );
    const appending = Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let count = 0; count < 8; count += 1) await appendOne(`test.${writer}`);
      }),
    );
    await Promise.all([
      appending,
      ...tails.map(async ({ tail, lines }) => {
        const isLast = () => lines.filter(({ event }) => event.action.startsWith('test.')).length === 64;
        while (!isLast()) lines.push(await tail.next());
        expect(indexesOf(lines)).toEqual(runFrom(lines[0]?.event.index ?? 0, lines.length));
      }),
    ]);
  });

  it('finds what is appended without being told, by looking', async () => {
    const { store } = listening.gateway;
    await using deaf = await openListeningGateway({
      ...{ store, simulator: { tickets: 1 }, tailTimes: { pollMs: 20 } },
      wrapStore: (heard) =>
        wrappedStore(heard, { listen: async () => ({ async [Symbol.asyncDispose]() {} }) }),
      kms: listening.gateway.deps.kms,
    });
    await using tail = await openSocketTail(deaf, tenant.keys.auditor);
    const { event } = await tail.next();
    await ask();
    expect((await tail.next()).event).toMatchObject({ index: event.index + 1, action: 'query.viewer' });
  });

  it('is for auditors, and leaves an event of its beginning and of its refusal, and of nothing else', async () => {
    await using agent = await openSocketTail(listening, tenant.keys.agent);
    await expect(agent.next()).rejects.toThrow(/^FORBIDDEN /);
    const [refused] = await newestEvents(listening.gateway, tenant.keys.auditor, 1);
    expect(refused).toMatchObject({ action: 'request.refuse', denialReason: 'FORBIDDEN' });
    await using tail = await openSocketTail(listening, tenant.keys.auditor);
    const { event } = await tail.next();
    await ask();
    await tail.next();
    expect(await newest()).toBe(event.index + 1);
  });

  it.each([
    ['no cursor', 'x', /^VALIDATION_FAILED .*after: is not a cursor/],
    [
      'one of another list',
      Buffer.from('key_1').toString('base64url'),
      /^VALIDATION_FAILED .*after: is not a cursor/,
    ],
    [
      'one beyond the end',
      Buffer.from('900000').toString('base64url'),
      /^VALIDATION_FAILED .*beyond the end/,
    ],
  ])('is refused from %s on', async (_what, after, message) => {
    for (const open of [openSocketTail, openEventTail]) {
      await using tail = await open(listening, tenant.keys.auditor, after);
      await expect(tail.next()).rejects.toThrow(message);
    }
  });

  it('ends where the API key is revoked', async () => {
    const { admin } = tenant.keys;
    const { json } = await listening.gateway.graphql(
      'mutation { createApiKey(input: { name: "x", roles: [AUDITOR] }) { secret apiKey { id } } }',
      { apiKey: admin },
    );
    const { secret, apiKey } = json.data.createApiKey;
    const socket = await TestSocket.open(listening.socketUrl);
    socket.send({ type: 'connection_init', payload: { apiKey: secret } });
    await socket.next();
    socket.subscribe('1', TAIL);
    await socket.next();
    await listening.gateway.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', {
      ...{ apiKey: admin, variables: { id: apiKey.id } },
    });
    expect(await socket.closed).toMatchObject({
      code: 4401,
      reason: expect.stringMatching(/^UNAUTHENTICATED /),
    });
  });

  it('needs no client key, which changes of tickets do', async () => {
    const socket = await TestSocket.open(listening.socketUrl);
    socket.send({ type: 'connection_init', payload: { apiKey: tenant.keys.auditor } });
    await socket.next();
    socket.subscribe(
      '1',
      `subscription { ticketChanges(integrationId: "${tenant.integrationId}") { __typename } }`,
    );
    const { type, payload } = await socket.next();
    expect([type, payload[0].extensions.code]).toEqual(['error', 'SEALED_RESPONSE_REQUIRED']);
    await socket[Symbol.asyncDispose]();
  });

  it('proves nothing by itself, and says where proofs are', async () => {
    const socket = await TestSocket.open(listening.socketUrl);
    socket.send({ type: 'connection_init', payload: { apiKey: tenant.keys.auditor } });
    await socket.next();
    socket.subscribe('1', 'subscription { auditTail { event { inclusionProof { size } } } }');
    const { payload } = await socket.next();
    expect(payload[0]).toMatchObject({
      message: expect.stringMatching(/auditEvent\(id\)/),
      extensions: { code: 'VALIDATION_FAILED' },
    });
    await socket[Symbol.asyncDispose]();
  });

  it('is bounded for each API key', async () => {
    await using resources = new AsyncDisposableStack();
    for (let count = 0; count < 16; count += 1) {
      await resources.use(await openSocketTail(listening, tenant.keys.auditor)).next();
    }
    await using refused = await openSocketTail(listening, tenant.keys.auditor);
    await expect(refused.next()).rejects.toThrow(/^TOO_MANY_REQUESTS .*16 subscriptions to the audit log/);
  });
});
