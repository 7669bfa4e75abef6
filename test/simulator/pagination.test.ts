import { describe, expect, it } from 'vitest';
import { idsAt, listAt, objectAt, openSession, type Session } from './client.ts';

const walk = async (session: Session, first: string, key: string): Promise<number[]> => {
  const ids: number[] = [];
  let path: string | null = first;
  while (path !== null) {
    const answer = await session.call(path);
    expect(answer.status).toBe(200);
    ids.push(...idsAt(answer.body, key));
    const next: unknown = objectAt(answer.body, 'links')['next'];
    path =
      objectAt(answer.body, 'meta')['has_more'] === true && typeof next === 'string'
        ? new URL(next).pathname + new URL(next).search
        : null;
  }
  return ids;
};

describe('cursor pagination', () => {
  it('walks every listed ticket once, in order of ids', async () => {
    await using session = await openSession();
    const ids = await walk(
      session,
      '/api/v2/tickets.json?page%5Bsize%5D=37&support_type_scope=all',
      'tickets',
    );
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    const expected = session.simulator.tickets
      .all()
      .filter((row) => row.status !== 'closed' || row.updatedAt >= session.clock.now() - 120 * 86_400_000);
    expect(ids).toEqual(expected.map((row) => row.id));
    expect(ids.length).toBeGreaterThan(100);
  });

  it('sorts by updated_at backwards and finds the way back', async () => {
    await using session = await openSession();
    const first = await session.call('/api/v2/tickets?page[size]=10&sort=-updated_at');
    const times = listAt(first.body, 'tickets').map((row) => String(row['updated_at']));
    expect(times).toEqual([...times].sort().reverse());
    const next = new URL(String(objectAt(first.body, 'links')['next']));
    const second = await session.call(next.pathname + next.search);
    const back = new URL(String(objectAt(second.body, 'links')['prev']));
    const again = await session.call(back.pathname + back.search);
    expect(idsAt(again.body, 'tickets')).toEqual(idsAt(first.body, 'tickets'));
    expect(objectAt(again.body, 'meta')['has_more']).toBe(false);
  });

  it('keeps its place while tickets are added and changed', async () => {
    await using session = await openSession();
    const first = await session.call('/api/v2/tickets?page[size]=100');
    session.simulator.activity.step(50);
    const cursor = encodeURIComponent(String(objectAt(first.body, 'meta')['after_cursor']));
    const rest = await walk(session, `/api/v2/tickets?page[size]=100&page[after]=${cursor}`, 'tickets');
    const ids = [...idsAt(first.body, 'tickets'), ...rest];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each([
    ['sort=created_at', 'sort is not valid'],
    ['page[after]=bm90IGEgY3Vyc29y', 'page[after] is not valid'],
    ['page[size]=101', 'page[size] must be at most 100'],
  ])('refuses %s', async (query, detail) => {
    await using session = await openSession({ tickets: 30 });
    const answer = await session.call(
      `/api/v2/tickets?page[size]=10&${query}`.replace(/page\[size\]=10&(?=page\[size)/, ''),
    );
    expect(answer.status).toBe(400);
    expect(listAt(answer.body, 'errors')[0]).toMatchObject({ code: 'InvalidPaginationParameter', detail });
  });

  it('ignores sort_by beside page[size], without saying so', async () => {
    await using session = await openSession();
    const answer = await session.call('/api/v2/tickets?page[size]=5&sort_by=updated_at&sort_order=desc');
    const ids = idsAt(answer.body, 'tickets');
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });

  it('refuses a size that is no number', async () => {
    await using session = await openSession({ tickets: 30 });
    const answer = await session.call('/api/v2/tickets?page[size]=many');
    expect(answer.status).toBe(400);
    expect(objectAt(answer.body, 'error')['title']).toBe('Invalid attribute');
  });
});

describe('offset pagination', () => {
  it('counts, links and cuts the page size to 100', async () => {
    await using session = await openSession();
    const answer = await session.call('/api/v2/tickets.json?per_page=500');
    expect(listAt(answer.body, 'tickets')).toHaveLength(100);
    expect(answer.body['previous_page']).toBeNull();
    const next = new URL(String(answer.body['next_page']));
    expect(next.searchParams.get('page')).toBe('2');
    const second = await session.call(next.pathname + next.search);
    expect(second.body['count']).toBe(answer.body['count']);
    expect(idsAt(second.body, 'tickets')[0]).toBeGreaterThan(Number(idsAt(answer.body, 'tickets').at(-1)));
  });

  it.each(['page=101', 'page=101&per_page=10', 'page=1000&per_page=100'])('stops at %s', async (query) => {
    await using session = await openSession({ tickets: 30 });
    const answer = await session.call(`/api/v2/tickets?${query}`);
    expect(answer.status).toBe(400);
    expect(listAt(answer.body, 'errors')[0]?.['code']).toBe('InvalidPaginationDepth');
  });

  it('still answers page 100', async () => {
    await using session = await openSession({ tickets: 30 });
    expect((await session.call('/api/v2/tickets?page=100&per_page=100')).status).toBe(200);
  });
});

describe('users, organizations and comments', () => {
  it('filters users by one role or several', async () => {
    await using session = await openSession();
    const agents = await session.call('/api/v2/users.json?role=agent');
    expect(new Set(listAt(agents.body, 'users').map((user) => user['role']))).toEqual(new Set(['agent']));
    const staff = await session.call('/api/v2/users.json?role[]=agent&role[]=admin');
    expect(Number(staff.body['count'])).toBeGreaterThan(Number(agents.body['count']));
  });

  it('finds users by address and external id', async () => {
    await using session = await openSession();
    const byEmail = await session.call('/api/v2/users/search.json?query=email:ADMIN@example.test');
    expect(listAt(byEmail.body, 'users').map((user) => user['email'])).toEqual(['admin@example.test']);
    const known = await session.call('/api/v2/users?page[size]=100');
    const external = listAt(known.body, 'users').find((user) => user['external_id'] !== null);
    const found = await session.call(
      `/api/v2/users/search?external_id=${String(external?.['external_id']).toUpperCase()}`,
    );
    expect(idsAt(found.body, 'users')).toEqual([external?.['id']]);
  });

  it('leaves unknown ids out of show_many and refuses more than 100', async () => {
    await using session = await openSession();
    const some = await session.call('/api/v2/tickets/show_many.json?ids=3,1,999999,2');
    expect(idsAt(some.body, 'tickets').sort()).toEqual([1, 2, 3]);
    const ids = Array.from({ length: 101 }, (_, index) => index + 1).join(',');
    const many = await session.call(`/api/v2/tickets/show_many?ids=${ids}`);
    expect(many.status).toBe(400);
    expect(many.body).toMatchObject({ error: 'TooManyValues', max_count: 100 });
    const organizations = await session.call('/api/v2/organizations?page[size]=2');
    const wanted = idsAt(organizations.body, 'organizations');
    const shown = await session.call(`/api/v2/organizations/show_many?ids=${wanted.join(',')},5`);
    expect(idsAt(shown.body, 'organizations')).toEqual(wanted);
  });

  it('lists comments both ways round with their authors', async () => {
    await using session = await openSession();
    const ticket = session.simulator.tickets.all().find((row) => row.commentCount >= 4);
    const up = await session.call(`/api/v2/tickets/${ticket?.id}/comments?page[size]=100&include=users`);
    const down = await session.call(`/api/v2/tickets/${ticket?.id}/comments?page[size]=100&sort=-created_at`);
    expect(idsAt(down.body, 'comments')).toEqual(idsAt(up.body, 'comments').reverse());
    expect(idsAt(up.body, 'comments')).toHaveLength(ticket?.commentCount ?? 0);
    const authors = new Set(listAt(up.body, 'comments').map((comment) => comment['author_id']));
    expect(new Set(idsAt(up.body, 'users'))).toEqual(authors);
    const walked = await walk(session, `/api/v2/tickets/${ticket?.id}/comments?page[size]=1`, 'comments');
    expect(walked).toEqual(idsAt(up.body, 'comments'));
  });

  it('side-loads users, groups, organizations and comment counts of tickets', async () => {
    await using session = await openSession();
    const answer = await session.call(
      '/api/v2/tickets?page[size]=20&include=users,groups,organizations,comment_count',
    );
    const users = new Set(idsAt(answer.body, 'users'));
    for (const ticket of listAt(answer.body, 'tickets')) {
      expect(users.has(Number(ticket['requester_id']))).toBe(true);
      expect(ticket['comment_count']).toBeGreaterThan(0);
    }
    expect(listAt(answer.body, 'groups').length).toBeGreaterThan(0);
    expect(listAt(answer.body, 'organizations').length).toBeGreaterThan(0);
  });

  it('hides AI-agent tickets from the list unless asked for all', async () => {
    await using session = await openSession({ tickets: 3000 });
    const usual = await session.call('/api/v2/tickets?per_page=1');
    const all = await session.call('/api/v2/tickets?per_page=1&support_type_scope=all');
    expect(Number(all.body['count'])).toBeGreaterThan(Number(usual.body['count']));
  });
});
