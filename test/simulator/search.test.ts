import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ORDER_FIELD_ID, type TicketRow } from '../../simulator/index.ts';
import { basic, idsAt, listAt, NOW, objectAt, openSession, type Session } from './client.ts';

const DAY = 86_400_000;
const JANUARY = Date.UTC(2026, 0, 1);
const STATUS = ['new', 'open', 'pending', 'hold', 'solved', 'closed'];
const PRIORITY = ['low', 'normal', 'high', 'urgent'];
const rank = (ticket: Readonly<TicketRow>): number => STATUS.indexOf(ticket.status);
const weight = (ticket: Readonly<TicketRow>): number =>
  ticket.priority ? PRIORITY.indexOf(ticket.priority) : -1;

let session: Session;
beforeAll(async () => {
  session = await openSession({
    tickets: 1000,
    accountLimit: 100_000,
    endpointLimits: { 'search-export': 100_000 },
  });
  session.simulator.activity.step(40);
});
afterAll(() => session[Symbol.asyncDispose]());

/** Every matching ticket, by way of the export, which has no cap. */
const ticketsFound = async (query: string, authorization?: string): Promise<number[]> => {
  const answer = await session.call(
    `/api/v2/search/export.json?filter[type]=ticket&page[size]=1000&query=${encodeURIComponent(query)}`,
    authorization === undefined ? {} : { authorization },
  );
  expect(answer.status, answer.text.slice(0, 300)).toBe(200);
  return idsAt(answer.body, 'results');
};

const says = (ticket: Readonly<TicketRow>, word: RegExp): boolean =>
  word.test(ticket.subject ?? '') ||
  ticket.tags.some((tag) => word.test(tag)) ||
  session.simulator.tickets.comments(ticket.id).some((comment) => word.test(comment.body));

const nameOf = (id: number | null): string =>
  id === null ? '' : (session.simulator.users.get(id)?.name ?? '');

type Filter = (ticket: Readonly<TicketRow>) => boolean;

const CASES: readonly (readonly [string, Filter])[] = [
  ['status:open', (t) => t.status === 'open'],
  ['status:open status:pending', (t) => t.status === 'open' || t.status === 'pending'],
  ['status<solved', (t) => rank(t) < 4],
  ['status>=solved', (t) => rank(t) >= 4],
  ['status>open status<closed', (t) => rank(t) > 1 && rank(t) < 5],
  ['-status:closed', (t) => t.status !== 'closed'],
  ['STATUS:Open', (t) => t.status === 'open'],
  ['priority:high', (t) => t.priority === 'high'],
  ['priority>normal', (t) => weight(t) > 1],
  ['priority<=normal', (t) => weight(t) >= 0 && weight(t) <= 1],
  ['priority:none', (t) => t.priority === null],
  [
    'status:open priority:high created>2026-01-01',
    (t) => t.status === 'open' && t.priority === 'high' && t.createdAt >= JANUARY + DAY,
  ],
  ['created>=2026-01-01', (t) => t.createdAt >= JANUARY],
  ['created:>2026-01-01', (t) => t.createdAt >= JANUARY + DAY],
  [
    'created:>=2026-01-01 created:<2026-02-01',
    (t) => t.createdAt >= JANUARY && t.createdAt < JANUARY + 31 * DAY,
  ],
  ['created<=2026-01-01', (t) => t.createdAt < JANUARY + DAY],
  ['created:2026-11-03', (t) => Math.floor(t.createdAt / DAY) === Date.UTC(2026, 10, 3) / DAY],
  ['created>2026-10-01T12:00:00Z', (t) => t.createdAt > Date.UTC(2026, 9, 1, 12)],
  ['created<2026-10-01T12:00:00-08:00', (t) => t.createdAt < Date.UTC(2026, 9, 1, 20)],
  ['created>11/03/2026', (t) => t.createdAt >= Date.UTC(2026, 10, 4)],
  ['created>4hours', (t) => t.createdAt > NOW - 4 * 3_600_000],
  ['updated>30minutes', (t) => t.updatedAt > NOW - 30 * 60_000],
  ['updated<2weeks updated>2months', (t) => t.updatedAt < NOW - 14 * DAY && t.updatedAt > NOW - 60 * DAY],
  ['solved>2026-06-01', (t) => t.solvedAt !== null && t.solvedAt >= Date.UTC(2026, 5, 2)],
  ['solved:none', (t) => t.solvedAt === null],
  ['tags:vip', (t) => t.tags.includes('vip')],
  ['tags:vip tags:api', (t) => t.tags.includes('vip') || t.tags.includes('api')],
  ['tags:"wifi firmware"', (t) => t.tags.includes('wifi') && t.tags.includes('firmware')],
  ['tags:cancel*', (t) => t.tags.some((tag) => tag.startsWith('cancel'))],
  ['tags:none', (t) => t.tags.length === 0],
  ['status:pending -tags:delivery', (t) => t.status === 'pending' && !t.tags.includes('delivery')],
  ['assignee:none', (t) => t.assigneeId === null],
  ['assignee:me', (t) => nameOf(t.assigneeId) === 'Demo Admin'],
  ['assignee:agent@example.test', (t) => nameOf(t.assigneeId) === 'Demo Agent'],
  ['assignee:"Demo Agent"', (t) => nameOf(t.assigneeId) === 'Demo Agent'],
  ['assignee:me assignee:none', (t) => t.assigneeId === null || nameOf(t.assigneeId) === 'Demo Admin'],
  ['requester:ada', (t) => /\bada/i.test(nameOf(t.requesterId))],
  ['-requester:ada status:open', (t) => !/\bada/i.test(nameOf(t.requesterId)) && t.status === 'open'],
  ['group:billing', (t) => t.groupId === 6_130_907_260_002],
  ['group:"Enterprise Care"', (t) => t.groupId === 6_130_907_260_005],
  ['group:none', (t) => t.groupId === null],
  ['organization:none', (t) => t.organizationId === null],
  ['assignee:* status<solved', (t) => t.assigneeId !== null && rank(t) < 4],
  ['ticket_type:incident', (t) => t.type === 'incident'],
  ['via:mail', (t) => t.channel === 'email'],
  ['external_id:ext-1*', (t) => t.externalId?.startsWith('ext-1') ?? false],
  ['subject:refund', (t) => /(?<!\w)refund/i.test(t.subject ?? '')],
  ['subject:"no money back"', (t) => /no money back/i.test(t.subject ?? '')],
  ['subject:refun*', (t) => /(?<!\w)refun/i.test(t.subject ?? '')],
  ['description:depot', (t) => /(?<!\w)depot/i.test(session.simulator.tickets.description(t.id) ?? '')],
  ['roaming', (t) => says(t, /(?<!\w)roaming/i)],
  ['"access points"', (t) => says(t, /(?<!\w)access\W+points(?!\w)/i)],
  ['tracking depot', (t) => says(t, /(?<!\w)tracking/i) && says(t, /(?<!\w)depot/i)],
  ['tracking -depot', (t) => says(t, /(?<!\w)tracking/i) && !says(t, /(?<!\w)depot/i)],
  ['itransit', () => false],
  ['unheardof:thing', () => false],
  [
    `custom_field_${ORDER_FIELD_ID}:LO-1*`,
    (t) => String(t.customFields.get(ORDER_FIELD_ID) ?? '').startsWith('LO-1'),
  ],
  ['custom_field_6130907270002:app', (t) => t.customFields.get(6_130_907_270_002) === 'app'],
  ['custom_field_6130907270003:none', (t) => !t.customFields.has(6_130_907_270_003)],
  ['custom_field_6130907270003>100', (t) => Number(t.customFields.get(6_130_907_270_003) ?? 0) > 100],
];

describe('the search language', () => {
  it.each(CASES)('%s finds what a plain filter finds', async (query, filter) => {
    const expected = session.simulator.tickets
      .all()
      .filter(filter)
      .map((ticket) => ticket.id);
    expect((await ticketsFound(query)).sort((a, b) => a - b)).toEqual(expected);
  });

  it('has something to find for nearly all of these queries', () => {
    const all = session.simulator.tickets.all();
    const without = CASES.filter(([, filter]) => !all.some(filter)).map(([query]) => query);
    expect(without).toEqual(expect.arrayContaining(['itransit', 'unheardof:thing']));
    expect(without.length).toBeLessThanOrEqual(4);
  });

  it('means somebody else by "me" for another caller', async () => {
    const mine = await ticketsFound('assignee:me');
    const theirs = await ticketsFound('assignee:me', basic('agent@example.test'));
    expect(theirs).not.toEqual(mine);
    expect(theirs).toEqual(await ticketsFound('assignee:agent@example.test'));
  });

  it('refuses what is no date', async () => {
    const answer = await session.call('/api/v2/search?query=created>soon');
    expect(answer.status).toBe(422);
    expect(answer.body['error']).toBe('invalid');
  });
});

describe('GET /search', () => {
  it("answers the issue's sample query, newest first", async () => {
    const query = encodeURIComponent('type:ticket status:open priority:high created>2026-01-01');
    const answer = await session.call(
      `/api/v2/search.json?query=${query}&sort_by=created_at&sort_order=desc`,
    );
    const results = listAt(answer.body, 'results');
    expect(results.length).toBeGreaterThan(0);
    const times = results.map((row) => String(row['created_at']));
    expect(times).toEqual([...times].sort().reverse());
    expect(answer.body['facets']).toBeNull();
    for (const row of results)
      expect(row).toMatchObject({ result_type: 'ticket', status: 'open', priority: 'high' });
  });

  it('sorts by words in the query as by parameters', async () => {
    const words = await session.call(
      '/api/v2/search?per_page=50&query=type:ticket order_by:priority sort:asc',
    );
    const parameters = await session.call(
      '/api/v2/search?per_page=50&query=type:ticket&sort_by=priority&sort_order=asc',
    );
    expect(idsAt(words.body, 'results')).toEqual(idsAt(parameters.body, 'results'));
    expect(listAt(words.body, 'results')[0]?.['priority']).toBeNull();
  });

  it('counts truly but gives out 1,000 results only', async () => {
    const last = await session.call('/api/v2/search?query=type:ticket&page=10&per_page=100');
    expect(last.status).toBe(200);
    expect(last.body['count']).toBe(session.simulator.tickets.count);
    expect(session.simulator.tickets.count).toBeGreaterThan(1000);
    expect(String(last.body['next_page'])).toContain('page=11');
    const beyond = await session.call('/api/v2/search?query=type:ticket&page=11&per_page=100');
    expect(beyond.status).toBe(422);
    expect(beyond.body).toEqual({
      error: 'invalid',
      description: 'Invalid search: Requested response size was greater than Search Response Limits',
    });
  });

  it('refuses cursor pagination', async () => {
    const answer = await session.call('/api/v2/search?query=type:ticket&page[size]=10');
    expect(answer.status).toBe(400);
    expect(objectAt(answer.body, 'error')['message']).toContain('Invalid parameter: page must be an integer');
  });

  it('finds users and organizations, and all types at once', async () => {
    const users = await session.call('/api/v2/search?query=type:user role:admin');
    expect(
      listAt(users.body, 'results').every((row) => row['role'] === 'admin' && row['result_type'] === 'user'),
    ).toBe(true);
    expect(listAt(users.body, 'results').length).toBeGreaterThan(0);
    const suspended = await session.call('/api/v2/search?query=type:user is_suspended:true');
    expect(listAt(suspended.body, 'results').map((row) => row['email'])).toContain('suspended@example.test');
    const organizations = await session.call('/api/v2/search?query=type:organization name:alder');
    expect(listAt(organizations.body, 'results').length).toBeGreaterThan(0);
    const mixed = await session.call('/api/v2/search?query=demo');
    expect(new Set(listAt(mixed.body, 'results').map((row) => row['result_type']))).toContain('user');
  });

  it('side-loads in the form tickets(users) only', async () => {
    const plain = await session.call('/api/v2/search?query=type:ticket&include=users&per_page=5');
    expect(plain.body).not.toHaveProperty('users');
    const nested = await session.call('/api/v2/search?query=type:ticket&include=tickets(users)&per_page=5');
    const users = new Set(idsAt(nested.body, 'users'));
    for (const row of listAt(nested.body, 'results'))
      expect(users.has(Number(row['requester_id']))).toBe(true);
  });

  it('counts without results', async () => {
    const answer = await session.call('/api/v2/search/count.json?query=type:ticket status:open');
    expect(answer.body['count']).toBe(
      session.simulator.tickets.all().filter((row) => row.status === 'open').length,
    );
  });
});

describe('GET /search/export', () => {
  it('walks all results in order of creation', async () => {
    const ids: number[] = [];
    let path = '/api/v2/search/export?filter[type]=ticket&page[size]=150&query=status<closed';
    for (;;) {
      const answer = await session.call(path);
      ids.push(...idsAt(answer.body, 'results'));
      expect(objectAt(answer.body, 'links')['prev']).toBeNull();
      expect(answer.body).not.toHaveProperty('count');
      if (objectAt(answer.body, 'meta')['has_more'] !== true) break;
      const next = new URL(String(objectAt(answer.body, 'links')['next']));
      path = next.pathname + next.search;
    }
    const expected = session.simulator.tickets.all().filter((row) => row.status !== 'closed');
    expect(new Set(ids)).toEqual(new Set(expected.map((row) => row.id)));
    expect(ids).toHaveLength(expected.length);
  });

  it.each([
    'query=status:open',
    'query=status:open&filter[type]=article',
    'query=type:ticket status:open&filter[type]=ticket',
  ])('refuses %s', async (query) => {
    expect([400, 422]).toContain((await session.call(`/api/v2/search/export?${query}`)).status);
  });

  it('forgets its cursors after an hour', async () => {
    await using other = await openSession({ tickets: 50 });
    const first = await other.call(
      '/api/v2/search/export?filter[type]=ticket&page[size]=10&query=status>=new',
    );
    const next = new URL(String(objectAt(first.body, 'links')['next']));
    other.clock.advance(3_599_000);
    expect((await other.call(next.pathname + next.search)).status).toBe(200);
    other.clock.advance(1000);
    const late = await other.call(next.pathname + next.search);
    expect(late.status).toBe(400);
    expect(listAt(late.body, 'errors')[0]?.['detail']).toBe('page[after] has expired');
  });
});
