import { describe, expect, it } from 'vitest';
import { openSession, type Session } from './client.ts';

const CREATE = { body: { ticket: { comment: { body: 'hello' } } } };
const create = (session: Session) => session.call('/api/v2/tickets', CREATE);

describe('faults on demand', () => {
  it('spoil the number of calls asked for, by method and path', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({
      method: 'GET',
      path: '/api/v2/tickets/*',
      count: 2,
      skip: 1,
      effect: { kind: 'status', status: 500 },
    });
    const statuses: number[] = [];
    for (let count = 0; count < 4; count += 1)
      statuses.push((await session.call('/api/v2/tickets/1.json')).status);
    expect(statuses).toEqual([200, 500, 500, 200]);
    expect(session.simulator.faults.list()).toEqual([]);
    expect((await session.call('/api/v2/tickets')).status).toBe(200);
  });

  it('are removed one by one', async () => {
    await using session = await openSession({ tickets: 20 });
    const id = session.simulator.faults.add({ effect: { kind: 'status', status: 503, retryAfter: 7 } });
    const down = await session.call('/api/v2/tickets');
    expect(down.status).toBe(503);
    expect(down.headers.get('retry-after')).toBe('7');
    expect(down.headers.get('content-type')).toContain('text/html');
    expect(session.simulator.faults.remove(id)).toBe(true);
    expect(session.simulator.faults.remove(id)).toBe(false);
    expect((await session.call('/api/v2/tickets')).status).toBe(200);
  });

  it.each([
    ['text', 'text/plain', 'Number of allowed API requests per minute exceeded'],
    ['json', 'application/json', '"error":"APIRateLimitExceeded"'],
    ['html', 'text/html', 'Number of allowed'],
    ['edge', 'application/json', '"title":"Automated response"'],
  ] as const)('answer 429 with a body of kind %s', async (body, type, content) => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ effect: { kind: 'rate-limited', retryAfter: 3, body } });
    const answer = await create(session);
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('3');
    expect(answer.headers.get('content-type')).toContain(type);
    expect(answer.text).toContain(content);
    expect(session.simulator.tickets.count).toBe(20);
  });

  it('can leave Retry-After out', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ effect: { kind: 'rate-limited', retryAfter: null } });
    expect((await create(session)).headers.get('retry-after')).toBeNull();
  });

  it('answer an HTML page in place of JSON', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ effect: { kind: 'html', status: 502 } });
    const answer = await create(session);
    expect(answer.status).toBe(502);
    expect(answer.text).toContain('<html>');
  });

  it.each([
    [false, 20],
    [true, 21],
  ])('close the socket with the mutation applied: %s', async (applied, tickets) => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ method: 'POST', count: 1, effect: { kind: 'close', applied } });
    await expect(create(session)).rejects.toThrow('fetch failed');
    expect(session.simulator.tickets.count).toBe(tickets);
    const seen = await session.simulator.waitForRequest((request) => request.outcome === 'closed');
    expect(seen).toMatchObject({ method: 'POST', path: '/api/v2/tickets', status: null });
  });

  it.each([
    [false, 20],
    [true, 21],
  ])('never answer, with the mutation applied: %s', async (applied, tickets) => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ method: 'POST', effect: { kind: 'hang', applied } });
    const abort = new AbortController();
    const pending = session.call('/api/v2/tickets', { ...CREATE, signal: abort.signal });
    await session.simulator.waitForRequest((request) => request.outcome === 'hung');
    expect(session.simulator.tickets.count).toBe(tickets);
    abort.abort();
    await expect(pending).rejects.toThrow();
  });

  it('lets a retry with the same idempotency key find the ticket that was made unanswered', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ method: 'POST', count: 1, effect: { kind: 'close', applied: true } });
    const keyed = { ...CREATE, headers: { 'idempotency-key': 'once' } };
    await expect(session.call('/api/v2/tickets', keyed)).rejects.toThrow('fetch failed');
    const retried = await session.call('/api/v2/tickets', keyed);
    expect(retried.headers.get('x-idempotency-lookup')).toBe('hit');
    expect(session.simulator.tickets.count).toBe(21);
  });

  it('cut the body short after the mutation was applied', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ effect: { kind: 'truncated' } });
    await expect(create(session)).rejects.toThrow();
    expect(session.simulator.tickets.count).toBe(21);
  });

  it('answer 500 although the mutation was applied', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ count: 1, effect: { kind: 'status', status: 500, applied: true } });
    expect((await create(session)).status).toBe(500);
    expect(session.simulator.tickets.count).toBe(21);
  });

  it('answer the transient conflict of two writers', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ count: 1, effect: { kind: 'status', status: 409 } });
    expect((await create(session)).body).toEqual({
      error: 'DatabaseConflict',
      description: 'Database collision',
    });
  });

  it('answer a body of the test', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ effect: { kind: 'status', status: 200, body: '{"tickets":null}' } });
    expect((await session.call('/api/v2/tickets')).body).toEqual({ tickets: null });
  });

  it('wait before answering', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ effect: { kind: 'latency', milliseconds: 40 } });
    session.simulator.faults.add({ effect: { kind: 'latency', milliseconds: 40 } });
    const began = performance.now();
    expect((await session.call('/api/v2/tickets')).status).toBe(200);
    expect(performance.now() - began).toBeGreaterThan(75);
  });

  it('hit the token endpoint as well', async () => {
    await using session = await openSession({ tickets: 20 });
    session.simulator.faults.add({ path: '/oauth/**', effect: { kind: 'status', status: 500 } });
    expect((await session.call('/oauth/tokens', { body: {} })).status).toBe(500);
    expect((await session.call('/api/v2/tickets')).status).toBe(200);
  });
});
