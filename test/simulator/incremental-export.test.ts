import { describe, expect, it } from 'vitest';
import { basic, idsAt, NOW, openSession } from './client.ts';
import { exportPage, exportRest, onward, openFeedSession, openIds } from './feed.ts';

const PATH = '/api/v2/incremental/tickets/cursor';
const idsOf = (rows: readonly Record<string, unknown>[]): number[] => rows.map((row) => Number(row['id']));

describe('the incremental ticket export', () => {
  it('walks every ticket once, in the order of generated_timestamp and id, whatever the page size', async () => {
    await using session = await openFeedSession({ tickets: 300 });
    const { rows } = await exportRest(session, 'start_time=0');
    expect(new Set(idsOf(rows)).size).toBe(300);
    expect(rows).toHaveLength(300);
    const places = rows.map((row) => Number(row['generated_timestamp']) * 1000 + Number(row['id']));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    const whole = await exportPage(session, 'start_time=0&per_page=1000&support_type_scope=all');
    expect(whole.rows).toEqual(rows);
    expect(whole.end).toBe(true);
  });

  it('gives cursors of the recorded form, a URL that leads on, and the same page for the same cursor', async () => {
    await using session = await openFeedSession();
    const first = await session.call(`${PATH}.json?start_time=0&per_page=3&include=users`);
    const last = session.simulator.tickets.get(idsAt(first.body, 'tickets')[2] ?? 0);
    const cursor = Buffer.from(String(first.body['after_cursor']), 'base64').toString();
    expect(cursor).toBe(`${last?.generatedAt}.0||${last?.id}|`);
    expect(first.body).toMatchObject({ before_cursor: null, before_url: null, end_of_stream: false });
    expect(idsAt(first.body, 'users').length).toBeGreaterThan(0);
    const next = String(first.body['after_url']).slice(session.simulator.url.length);
    const second = await session.call(next);
    expect(idsAt(second.body, 'tickets')).toHaveLength(3);
    expect((await session.call(next)).text).toBe(second.text);
  });

  it('always sets a cursor, from which an empty stream goes on', async () => {
    await using session = await openFeedSession();
    const empty = await exportPage(session, `start_time=${NOW / 1000}`);
    expect(empty).toMatchObject({ rows: [], end: true });
    const [id = 0] = openIds(session, 1);
    session.simulator.tickets.change(id, { subject: 'Changed' });
    session.clock.advance(1000);
    expect(idsOf((await exportPage(session, onward(empty.cursor))).rows)).toEqual([id]);
  });

  it('keeps the most recent minute to itself', async () => {
    await using session = await openFeedSession({ exportLagSeconds: 60 });
    const { cursor } = await exportRest(session, 'start_time=0');
    const [id = 0] = openIds(session, 1);
    session.simulator.tickets.change(id, { subject: 'Changed' });
    session.clock.advance(59_000);
    expect((await exportPage(session, onward(cursor))).rows).toEqual([]);
    session.clock.advance(1000);
    expect(idsOf((await exportPage(session, onward(cursor))).rows)).toEqual([id]);
  });

  it('without a lag hands out a second when it is over, so that a second change in it is not missed', async () => {
    await using session = await openFeedSession();
    const { cursor } = await exportRest(session, 'start_time=0');
    const [id = 0] = openIds(session, 1);
    session.simulator.tickets.change(id, { subject: 'One' });
    expect((await exportPage(session, onward(cursor))).rows).toEqual([]);
    session.clock.advance(999);
    session.simulator.tickets.change(id, { subject: 'Two' });
    session.clock.advance(1);
    expect((await exportPage(session, onward(cursor))).rows).toMatchObject([{ id, subject: 'Two' }]);
  });

  it('shows a ticket again at its new place after any later change, and once only', async () => {
    await using session = await openFeedSession();
    const first = await exportPage(session, 'start_time=0&per_page=20&support_type_scope=all');
    const [seen = 0] = idsOf(first.rows);
    const coming = openIds(session, 3).find((id) => !idsOf(first.rows).includes(id)) ?? 0;
    session.simulator.tickets.systemUpdate(seen);
    session.simulator.tickets.change(coming, { subject: 'Moved' });
    session.clock.advance(1000);
    const rest = await exportRest(session, onward(first.cursor));
    expect(idsOf(rest.rows).slice(-2)).toEqual([seen, coming].sort((a, b) => a - b));
    expect(rest.rows).toHaveLength(21);
    expect(new Set(idsOf(rest.rows)).size).toBe(21);
  });

  it('moves generated_timestamp alone for a change of the system', async () => {
    await using session = await openFeedSession();
    const before = session.simulator.tickets.current(7);
    session.simulator.tickets.systemUpdate(7);
    expect(session.simulator.tickets.current(7)).toEqual({ ...before, generated_timestamp: NOW / 1000 });
  });

  it('shows deleted and scrubbed tickets, unless they are excluded', async () => {
    await using session = await openFeedSession();
    const { cursor } = await exportRest(session, 'start_time=0');
    session.simulator.tickets.delete(3);
    session.simulator.tickets.scrub(4);
    session.clock.advance(1000);
    const { rows } = await exportPage(session, onward(cursor));
    expect(rows).toMatchObject([
      { id: 3, status: 'deleted', updated_at: '2026-11-21T06:00:00Z' },
      { id: 4, status: 'deleted', subject: 'SCRUBBED', description: 'X', tags: [] },
    ]);
    expect((await exportPage(session, `${onward(cursor)}&exclude_deleted=true`)).rows).toEqual([]);
  });

  it('leaves AI-agent tickets out unless all are asked for', async () => {
    await using session = await openFeedSession({ tickets: 600 });
    const all = await exportRest(session, 'start_time=0', 'support_type_scope=all');
    const agents = await exportRest(session, 'start_time=0', 'per_page=1000');
    const others = all.rows.filter((row) => row['support_type'] === 'ai_agent');
    expect(others.length).toBeGreaterThan(0);
    expect(agents.rows).toHaveLength(600 - others.length);
  });

  it('misses no last state, however changes and pages fall together', async () => {
    await using session = await openFeedSession();
    const { simulator, clock } = session;
    const seen = new Map<number, Record<string, unknown>>();
    let place = 'start_time=0';
    const poll = async (): Promise<boolean> => {
      const page = await exportPage(session, `${place}&per_page=3&support_type_scope=all`);
      for (const row of page.rows) {
        const versions = simulator.history(Number(row['id']));
        expect(versions.map((version) => version.snapshot)).toContainEqual(row);
        seen.set(Number(row['id']), row);
      }
      place = onward(page.cursor);
      return page.end;
    };
    for (let round = 0; round < 120; round += 1) {
      simulator.activity.step(1 + (round % 4));
      if (round % 11 === 0) simulator.tickets.delete(1 + round / 11);
      if (round % 22 === 10) simulator.tickets.restore(1 + Math.floor(round / 22) * 2);
      clock.advance((round * 373) % 1400);
      await poll();
    }
    clock.advance(2000);
    while (!(await poll()));
    expect(seen.size).toBeGreaterThan(40);
    for (const [id, row] of seen) expect(row).toEqual(simulator.tickets.current(id));
  });
});

describe('what the export refuses', () => {
  it('agents, and tokens without the scope', async () => {
    await using session = await openSession({ tickets: 20 });
    const agent = await session.call(`${PATH}?start_time=0`, { authorization: basic('agent@example.test') });
    expect(agent.status).toBe(403);
    const { token } = session.simulator.issueAccessToken({ scopes: ['users:read'] });
    const scoped = await session.call(`${PATH}?start_time=0`, { authorization: `Bearer ${token}` });
    expect(scoped.status).toBe(403);
    const reader = session.simulator.issueAccessToken({ scopes: ['tickets:read'] });
    const read = await session.call(`${PATH}?start_time=0`, { authorization: `Bearer ${reader.token}` });
    expect(read.status).toBe(200);
  });

  it('a start_time younger than a minute', async () => {
    await using session = await openSession({ tickets: 20 });
    const recent = await session.call(`${PATH}?start_time=${NOW / 1000 - 59}`);
    expect(recent.status).toBe(422);
    expect(recent.body).toMatchObject({ error: 'InvalidValue' });
    expect(recent.body['description']).toContain('Too recent start_time');
    expect((await session.call(`${PATH}?start_time=${NOW / 1000 - 60}`)).status).toBe(200);
  });

  it.each([
    ['a cursor that is none', 'cursor=eyJ2IjoiaWQifQ=='],
    ['an empty cursor', 'cursor='],
    ['no start', ''],
    ['a start that is no number', 'start_time=yesterday'],
    ['a page size that is no number', 'start_time=0&per_page=many'],
  ])('%s', async (_what, query) => {
    await using session = await openSession({ tickets: 20 });
    expect((await session.call(`${PATH}?${query}`)).status).toBe(400);
  });

  it.each([
    ['enterprise', 10],
    ['enterprise_plus', 30],
  ] as const)('more calls a minute than a plan has: %s %i', async (plan, total) => {
    await using session = await openSession({ tickets: 20, plan });
    const first = await session.call(`${PATH}?start_time=0`);
    expect(first.headers.get('zendesk-ratelimit-incremental-exports')).toBe(
      `total=${total}; remaining=${total - 1}; resets=60`,
    );
    for (let count = 1; count < total; count += 1) await session.call(`${PATH}?start_time=0`);
    const refused = await session.call(`${PATH}?start_time=0`);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(refused.body).toEqual({
      error: 'APIRateLimitExceeded',
      description: 'Number of allowed incremental export API requests per minute exceeded',
    });
  });
});
