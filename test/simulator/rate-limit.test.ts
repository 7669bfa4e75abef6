import { describe, expect, it } from 'vitest';
import { openSession, type Session } from './client.ts';

const me = (session: Session) => session.call('/api/v2/users/me');

const spend = async (session: Session, count: number): Promise<number[]> => {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) statuses.push((await me(session)).status);
  return statuses;
};

describe('the account limit', () => {
  it.each([
    ['team', 200],
    ['professional', 400],
    ['enterprise', 700],
    ['enterprise_plus', 2500],
  ] as const)('of plan %s is %i a minute', async (plan, total) => {
    await using session = await openSession({ tickets: 20, plan });
    const answer = await me(session);
    expect(answer.headers.get('x-rate-limit')).toBe(String(total));
    expect(answer.headers.get('x-rate-limit-remaining')).toBe(String(total - 1));
    expect(answer.headers.get('ratelimit-limit')).toBe(String(total));
    expect(answer.headers.get('ratelimit-remaining')).toBe(String(total - 1));
    session.simulator.consumer.consume(total);
    const limited = await me(session);
    expect(limited.status).toBe(429);
    expect(limited.text).toBe('Number of allowed API requests per minute exceeded');
  });

  it('starts afresh with the minute in fixed windows', async () => {
    await using session = await openSession({ tickets: 20, accountLimit: 3, window: 'fixed' });
    session.clock.advance(50_000);
    expect(await spend(session, 4)).toEqual([200, 200, 200, 429]);
    const limited = await me(session);
    expect(limited.headers.get('retry-after')).toBe('10');
    expect(limited.headers.get('ratelimit-reset')).toBe('10');
    session.clock.advance(9999);
    expect((await me(session)).status).toBe(429);
    session.clock.advance(1);
    expect(await spend(session, 4)).toEqual([200, 200, 200, 429]);
  });

  it('frees one place at a time in sliding windows', async () => {
    await using session = await openSession({ tickets: 20, accountLimit: 3, window: 'sliding' });
    session.clock.advance(50_000);
    expect(await spend(session, 1)).toEqual([200]);
    session.clock.advance(20_000);
    expect(await spend(session, 3)).toEqual([200, 200, 429]);
    expect((await me(session)).headers.get('retry-after')).toBe('40');
    session.clock.advance(40_000);
    expect(await spend(session, 2)).toEqual([200, 429]);
    session.clock.advance(20_000);
    expect(await spend(session, 3)).toEqual([200, 200, 429]);
  });

  it.each(['fixed', 'sliding'] as const)('is shared with a second consumer in %s windows', async (window) => {
    await using session = await openSession({ tickets: 20, accountLimit: 100, window });
    session.simulator.consumer.start(60);
    session.clock.advance(30_000);
    expect((await me(session)).headers.get('x-rate-limit-remaining')).toBe('69');
    session.simulator.consumer.start(0);
    session.simulator.consumer.consume(68);
    expect(await spend(session, 2)).toEqual([200, 429]);
    session.clock.advance(60_000);
    expect((await me(session)).status).toBe(200);
  });

  it('counts refused logins and unknown endpoints, too', async () => {
    await using session = await openSession({ tickets: 20, accountLimit: 2 });
    expect((await session.call('/api/v2/tickets', { authorization: null })).status).toBe(401);
    expect((await session.call('/api/v2/nothing')).status).toBe(404);
    expect((await me(session)).status).toBe(429);
  });

  it('speaks the header names of 2023 when told to', async () => {
    await using session = await openSession({ tickets: 20, headerSpelling: '2023' });
    const answer = await session.call('/api/v2/tickets');
    expect(answer.headers.get('rate-limit-limit')).toBe('700');
    expect(answer.headers.get('ratelimit-limit')).toBeNull();
    expect(answer.headers.get('zendesk-rate-limit-tickets-index')).toMatch(
      /^total=100; remaining=99; resets=\d+$/,
    );
  });
});

describe('endpoint limits', () => {
  it('limits the ticket list by itself, with a header that says so', async () => {
    await using session = await openSession({ tickets: 20, endpointLimits: { 'tickets-index': 2 } });
    const first = await session.call('/api/v2/tickets');
    expect(first.headers.get('zendesk-ratelimit-tickets-index')).toBe('total=2; remaining=1; resets=60');
    await session.call('/api/v2/tickets');
    const limited = await session.call('/api/v2/tickets');
    expect(limited.status).toBe(429);
    expect(limited.headers.get('retry-after')).toBe('60');
    expect(limited.body['error']).toBe('APIRateLimitExceeded');
    expect(Number(limited.headers.get('x-rate-limit-remaining'))).toBe(697);
    expect((await session.call('/api/v2/tickets/1')).status).toBe(200);
  });

  it('lets a user update one ticket 30 times in ten minutes and another one still', async () => {
    await using session = await openSession({ tickets: 600 });
    const [first, second] = session.simulator.tickets.all().filter((row) => row.status === 'open');
    const update = (id: number | undefined) =>
      session.call(`/api/v2/tickets/${id}`, { method: 'PUT', body: { ticket: { priority: 'low' } } });
    for (let count = 0; count < 30; count += 1) expect((await update(first?.id)).status).toBe(200);
    const limited = await update(first?.id);
    expect(limited.status).toBe(429);
    expect(limited.headers.get('content-type')).toContain('text/html');
    expect(limited.text).toContain('please wait before updating this ticket again');
    expect(limited.headers.get('zendesk-ratelimit-per-ticket-updates')).toMatch(
      /^total=30; remaining=0; resets=\d+$/,
    );
    expect((await update(second?.id)).status).toBe(200);
    session.clock.advance(600_000);
    expect((await update(first?.id)).status).toBe(200);
  });

  it('refuses to be told about a limit it does not know', async () => {
    await expect(openSession({ tickets: 20, endpointLimits: { nothing: 1 } })).rejects.toThrow(RangeError);
  });
});
