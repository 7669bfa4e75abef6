import { describe, expect, it } from 'vitest';
import { basic, idsAt, listAt, NOW, openSession, type Session } from './client.ts';
import { onward } from './feed.ts';

const PATH = '/api/v2/incremental/users/cursor';

const openPeopleSession = (): Promise<Session> =>
  openSession({ tickets: 20, people: { count: 60 }, limits: 'off', exportLagSeconds: 0 });

const page = async (session: Session, query: string) => {
  const { body } = await session.call(`${PATH}.json?${query}`);
  return {
    rows: listAt(body, 'users'),
    cursor: String(body['after_cursor']),
    end: body['end_of_stream'] === true,
  };
};

const toEnd = async (session: Session, from: string, size = 7) => {
  const rows: Record<string, unknown>[] = [];
  for (let place = from; ; ) {
    const { rows: more, cursor, end } = await page(session, `${place}&per_page=${size}`);
    rows.push(...more);
    if (end) return { rows, cursor };
    place = onward(cursor);
  }
};

describe('the incremental user export', () => {
  it('walks every user once, whatever the page size, and gives them whole', async () => {
    await using session = await openPeopleSession();
    const { rows } = await toEnd(session, 'start_time=0');
    expect(rows).toHaveLength(60);
    expect(new Set(rows.map((row) => row['id'])).size).toBe(60);
    expect((await page(session, 'start_time=0&per_page=1000')).rows).toEqual(rows);
    const [first = {}] = rows;
    const shown = await session.call(`/api/v2/users/${Number(first['id'])}`);
    expect(shown.body['user']).toEqual(first);
  });

  it('keeps a cursor at the end, from which only what changed since comes again', async () => {
    await using session = await openPeopleSession();
    const { cursor } = await toEnd(session, 'start_time=0');
    expect(await page(session, onward(cursor))).toEqual({ rows: [], cursor, end: true });
    const agent = session.simulator.users.byEmail('agent@example.test');
    session.simulator.users.update(agent?.id ?? 0, { suspended: true });
    session.clock.advance(1000);
    expect((await page(session, onward(cursor))).rows).toMatchObject([
      { id: agent?.id, suspended: true, updated_at: '2026-11-21T06:00:00Z' },
    ]);
  });

  it('is for administrators with the scope, draws from the bucket all exports share, and refuses a young start', async () => {
    await using session = await openSession({ tickets: 20 });
    const agent = await session.call(`${PATH}?start_time=0`, { authorization: basic('agent@example.test') });
    expect(agent.status).toBe(403);
    const { token } = session.simulator.issueAccessToken({ scopes: ['tickets:read'] });
    const scoped = await session.call(`${PATH}?start_time=0`, { authorization: `Bearer ${token}` });
    expect(scoped.status).toBe(403);
    expect((await session.call(`${PATH}?start_time=${NOW / 1000 - 59}`)).status).toBe(422);
    await session.call('/api/v2/incremental/tickets/cursor?start_time=0');
    const last = await session.call('/api/v2/incremental/organizations?start_time=0');
    expect(last.headers.get('zendesk-ratelimit-incremental-exports')).toBe(
      'total=10; remaining=7; resets=60',
    );
  });
});

describe('the incremental organization export', () => {
  it('goes by time: seconds are never cut, boundary rows come twice, the end is told', async () => {
    await using session = await openSession({ tickets: 1200, limits: 'off' });
    const seen = new Map<number, number>();
    let path = '/api/v2/incremental/organizations.json?start_time=0&per_page=6';
    for (let pages = 0; pages < 20; pages += 1) {
      const { body } = await session.call(path);
      for (const id of idsAt(body, 'organizations')) seen.set(id, (seen.get(id) ?? 0) + 1);
      path = String(body['next_page']).slice(session.simulator.url.length);
      if (body['end_of_stream'] === true) break;
    }
    const all = await session.call('/api/v2/organizations?per_page=100');
    expect([...seen.keys()].sort((a, b) => a - b)).toEqual(idsAt(all.body, 'organizations'));
    expect(Math.max(...seen.values())).toBe(2);
  });
});

describe('many people', () => {
  it('come in the number asked for, the same ones every time, with the people that are always there', async () => {
    const options = { tickets: 0, people: { count: 5000, staff: 60, varied: true }, limits: 'off' } as const;
    await using one = await openSession(options);
    await using two = await openSession(options);
    expect(one.simulator.users.count).toBe(5000);
    const rows = (await page(one, 'start_time=0&per_page=1000')).rows;
    const again = (await page(two, 'start_time=0&per_page=1000')).rows;
    const plain = (list: readonly Record<string, unknown>[]) => list.map((row) => ({ ...row, url: null }));
    expect(plain(again)).toEqual(plain(rows));
    for (const email of ['admin', 'agent', 'customer', 'suspended', 'blocked']) {
      expect(one.simulator.users.byEmail(`${email}@example.test`)).not.toBeNull();
    }
  });
});
