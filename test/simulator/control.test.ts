import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { DATASET_EPOCH, datasetAnchor, openSimulator } from '../../simulator/index.ts';
import { ADMIN, listAt, objectAt, openSession } from './client.ts';

describe('live activity', () => {
  it('makes the same steps for the same seed', async () => {
    await using first = await openSession({ tickets: 100 });
    await using second = await openSession({ tickets: 100 });
    const events = first.simulator.activity.step(60);
    expect(second.simulator.activity.step(60)).toEqual(events);
    expect(new Set(events.map((event) => event.kind))).toEqual(
      new Set(['ticket-created', 'comment-added', 'status-changed']),
    );
    const made = events.filter((event) => event.kind === 'ticket-created');
    expect(first.simulator.tickets.count).toBe(100 + made.length);
    const ticket = await first.call(`/api/v2/tickets/${made[0]?.ticketId}`);
    expect(objectAt(ticket.body, 'ticket')['created_at']).toBe('2026-11-21T06:00:00Z');
    expect(objectAt(ticket.body, 'ticket')['description']).not.toContain('{');
  });

  it('goes on by itself at a rate, from the start if asked to', async () => {
    await using session = await openSession({ tickets: 100, activityPerMinute: 60_000 });
    const event = Promise.withResolvers<string>();
    const unsubscribe = session.simulator.activity.subscribe((step) => event.resolve(step.kind));
    expect(await event.promise).toMatch(/^(ticket-created|comment-added|status-changed)$/);
    unsubscribe();
    expect(session.simulator.activity.perMinute).toBe(60_000);
    session.simulator.activity.stop();
    expect(session.simulator.activity.perMinute).toBe(0);
  });
});

describe('the control API', () => {
  it('adds, lists and removes faults', async () => {
    await using session = await openSession({ tickets: 20 });
    const added = await session.call('/__simulator/faults', {
      body: { method: 'GET', path: '/api/v2/tickets', count: 1, effect: { kind: 'status', status: 500 } },
    });
    expect(added.status).toBe(201);
    expect(listAt((await session.call('/__simulator/faults')).body, 'faults')).toHaveLength(1);
    expect((await session.call('/api/v2/tickets')).status).toBe(500);
    expect((await session.call('/api/v2/tickets')).status).toBe(200);
    expect((await session.call(`/__simulator/faults/${added.body['id']}`, { method: 'DELETE' })).status).toBe(
      404,
    );
    expect((await session.call('/__simulator/faults', { method: 'DELETE' })).status).toBe(204);
  });

  it('refuses what it does not know, and anything but JSON', async () => {
    await using session = await openSession({ tickets: 20 });
    const unknown = await session.call('/__simulator/faults', { body: { effect: { kind: 'earthquake' } } });
    expect(unknown.status).toBe(400);
    const extra = await session.call('/__simulator/faults', {
      body: { effect: { kind: 'truncated' }, often: true },
    });
    expect(extra.status).toBe(400);
    const form = await session.call('/__simulator/reset', {
      body: '{}',
      headers: { 'content-type': 'text/plain' },
    });
    expect(form.status).toBe(415);
    expect((await session.call('/__simulator/nothing')).status).toBe(404);
  });

  it('counts requests by endpoint and status, without the secrets in them', async () => {
    await using session = await openSession({ tickets: 20 });
    await session.call('/api/v2/tickets/1.json');
    await session.call('/api/v2/tickets/2');
    await session.call('/api/v2/tickets/99');
    const stats = objectAt((await session.call('/__simulator/stats')).body, 'requests');
    expect(stats['by_endpoint']).toEqual({ 'GET /api/v2/tickets/:id': 3 });
    expect(stats['by_status']).toEqual({ '200': 2, '404': 1 });
    const log = await session.call('/__simulator/requests');
    expect(log.text).not.toContain(ADMIN.split(' ')[1]);
    expect(listAt(log.body, 'requests').map((request) => request['authorization'])).toEqual([
      'basic',
      'basic',
      'basic',
    ]);
  });

  it('runs activity and the second consumer, and resets all of it', async () => {
    await using session = await openSession({ tickets: 20 });
    const stepped = await session.call('/__simulator/activity/step', { body: { count: 5 } });
    expect(listAt(stepped.body, 'events')).toHaveLength(5);
    expect(
      (await session.call('/__simulator/activity', { body: { perMinute: 30 } })).body['per_minute'],
    ).toBe(30);
    await session.call('/__simulator/consumer', { body: { requests: 700 } });
    expect((await session.call('/api/v2/tickets')).status).toBe(429);
    await session.call('/__simulator/reset', { body: { data: true } });
    expect((await session.call('/api/v2/tickets')).status).toBe(200);
    expect(session.simulator.activity.perMinute).toBe(0);
    expect(session.simulator.tickets.count).toBe(20);
    expect(session.simulator.requests.total).toBe(1);
  });

  it('gives out tokens', async () => {
    await using session = await openSession({ tickets: 20 });
    const issued = await session.call('/__simulator/tokens', { body: { scopes: ['read'], expiresIn: 60 } });
    const authorization = `Bearer ${issued.body['token']}`;
    expect((await session.call('/api/v2/tickets', { authorization })).status).toBe(200);
  });
});

describe('the data set', () => {
  it('is the same for the same seed and another for another', async () => {
    await using first = await openSession({ tickets: 50 });
    await using second = await openSession({ tickets: 50 });
    await using other = await openSession({ tickets: 50, seed: 7 });
    const text = async (session: typeof first) =>
      (await session.call('/api/v2/tickets?support_type_scope=all')).text.replaceAll(
        session.simulator.url,
        '',
      );
    expect(await text(second)).toBe(await text(first));
    expect(await text(other)).not.toBe(await text(first));
  });

  it('ends at the last whole week that has begun, so that no date is in the future', () => {
    const week = 7 * 86_400_000;
    expect(datasetAnchor(DATASET_EPOCH)).toBe(DATASET_EPOCH);
    expect(datasetAnchor(DATASET_EPOCH + week - 1)).toBe(DATASET_EPOCH);
    expect(datasetAnchor(DATASET_EPOCH + 60 * week)).toBe(DATASET_EPOCH + 60 * week);
    expect(datasetAnchor(DATASET_EPOCH - 1)).toBe(DATASET_EPOCH - week);
  });

  it('is ready in seconds with 100,000 tickets', async () => {
    const began = performance.now();
    await using simulator = await openSimulator({ tickets: 100_000 });
    const took = performance.now() - began;
    console.log(`simulator with 100,000 tickets ready in ${Math.round(took)} ms`);
    expect(simulator.tickets.count).toBe(100_000);
    expect(took).toBeLessThan(20_000);
  });
});

describe('the front door', () => {
  it('waits for requests that come and requests that came', async () => {
    await using session = await openSession({ tickets: 20 });
    const coming = session.simulator.waitForRequest((request) => request.path === '/api/v2/tickets/3');
    await session.call('/api/v2/tickets/3.json');
    expect((await coming).endpoint).toBe('GET /api/v2/tickets/:id');
    const came = await session.simulator.waitForRequest((request) => request.status === 200);
    expect(came.path).toBe('/api/v2/tickets/3');
    const abort = new AbortController();
    const never = session.simulator.waitForRequest(() => true, {
      after: came.sequence,
      signal: abort.signal,
    });
    abort.abort(new Error('enough'));
    await expect(never).rejects.toThrow('enough');
  });

  it('keeps a bounded log', async () => {
    await using session = await openSession({ tickets: 20, requestLogSize: 5 });
    for (let count = 0; count < 25; count += 1) await session.call('/api/v2/users/me');
    expect(session.simulator.requests.entries.length).toBeLessThan(10);
    expect(session.simulator.requests.total).toBe(25);
  });

  it.each([
    { port: -1 },
    { tickets: 1.5 },
    { tickets: 1_000_001 },
    { exportLagSeconds: -1 },
    { historySize: 0 },
    { webhooks: { concurrency: 0 } },
  ])('refuses %o', async (options) => {
    await expect(openSimulator(options)).rejects.toThrow(RangeError);
  });

  it('frees its port, also when closed twice', async () => {
    const simulator = await openSimulator({ tickets: 20 });
    await simulator[Symbol.asyncDispose]();
    await simulator[Symbol.asyncDispose]();
    await using next = await openSimulator({ tickets: 20, port: simulator.port });
    expect(next.port).toBe(simulator.port);
  });
});

describe('the command line', () => {
  const main = fileURLToPath(new URL('../../simulator/main.ts', import.meta.url));
  const run = promisify(execFile);

  it('explains itself', async () => {
    const { stdout } = await run(process.execPath, [main, '--help']);
    expect(stdout).toContain('--tickets NUMBER');
  });

  it.each([
    ['--plan', 'gold'],
    ['--tickets', 'many'],
    ['--export-lag', 'soon'],
    ['--nothing', '1'],
  ])('refuses %s %s', async (...args) => {
    await expect(run(process.execPath, [main, ...args])).rejects.toThrow();
  });
});
