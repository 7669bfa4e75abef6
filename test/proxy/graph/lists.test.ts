/** Lists and their cursors: whatever the page sizes, a walk meets every element once and in order. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type {
  GraphAccount,
  Slice,
  SliceRequest,
  TicketFilter,
  TicketSort,
} from '../../../src/proxy/index.ts';
import { openRig, type Rig } from '../rig.ts';
import { callCount, openSession } from './graph-rig.ts';

let rig: Rig;
let account: GraphAccount;
beforeAll(async () => {
  rig = await openRig({
    simulator: { tickets: 700, endpointLimits: { 'tickets-index': 20_000, 'tickets-update': 20_000 } },
  });
});
afterAll(() => rig?.[Symbol.asyncDispose]());
beforeEach(async () => {
  rig.gateway.simulator.reset();
  account = await (await openSession(rig)).account();
});

type List = (slice: SliceRequest) => Promise<Slice<{ readonly id: number }>>;

const tickets =
  (filter: TicketFilter, sort: TicketSort | null): List =>
  (slice) =>
    account.tickets({ of: 'ACCOUNT', filter, sort, sideLoad: false, ...slice });

async function walk(list: List, sizes: readonly number[]): Promise<number[]> {
  const ids: number[] = [];
  let after: string | null = null;
  for (let step = 0; step < 2_000; step += 1) {
    const slice = await list({ first: sizes[step % sizes.length] ?? 1, after });
    ids.push(...slice.edges.map(({ node }) => node.id));
    if (!slice.hasNextPage) return ids;
    after = slice.edges.at(-1)?.cursor ?? after;
  }
  throw new Error('the walk does not end');
}

const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 6 });

describe('walking a list', () => {
  const lists: readonly (readonly [
    string,
    () => Promise<{ readonly list: List; readonly all: readonly number[] }>,
  ])[] = [
    [
      'all tickets, newest first',
      async () => ({
        list: tickets({}, null),
        all: listedTickets()
          .map(({ id }) => id)
          .reverse(),
      }),
    ],
    [
      'all tickets by status',
      async () => {
        const list = tickets({}, { by: 'STATUS', descending: false });
        return { list, all: await walk(list, [100]) };
      },
    ],
    [
      'filtered tickets',
      async () => {
        const list = tickets({ status: ['solved', 'closed'] }, { by: 'CREATED_AT', descending: false });
        const wanted = rig.gateway.simulator.tickets
          .all()
          .filter(({ status }) => status === 'solved' || status === 'closed')
          .toSorted((one, other) => one.createdAt - other.createdAt || one.id - other.id);
        return { list, all: wanted.map(({ id }) => id) };
      },
    ],
    [
      'all users',
      async () => {
        const list: List = (slice) => account.users({ of: 'ACCOUNT', filter: {}, ...slice });
        return { list, all: await walk(list, [100]) };
      },
    ],
    [
      'users that a search finds',
      async () => {
        const list: List = (slice) =>
          account.users({ of: 'ACCOUNT', filter: { query: 'role:end-user' }, ...slice });
        return { list, all: await walk(list, [100]) };
      },
    ],
    [
      'all organizations',
      async () => {
        const list: List = (slice) => account.organizations({ of: 'ACCOUNT', ...slice });
        return { list, all: await walk(list, [100]) };
      },
    ],
  ];

  it.each(lists)('of %s meets each once and in order, whatever the page sizes', async (_name, setUp) => {
    const { list, all } = await setUp();
    expect(all.length).toBeGreaterThan(10);
    expect(new Set(all).size).toBe(all.length);
    await fc.assert(
      fc.asyncProperty(sizes, async (some) => {
        // Each walk has the calls of an operation of its own.
        account = await (await openSession(rig)).account();
        // Small pages of long lists would only repeat themselves.
        const floor = Math.ceil(all.length / 30);
        expect(
          await walk(
            list,
            some.map((size) => Math.max(size, floor)),
          ),
        ).toEqual(all);
      }),
      { numRuns: 12 },
    );
  });

  it('goes on after any edge, not only after the last of a page', async () => {
    for (const list of [tickets({}, null), tickets({ status: ['open', 'solved'] }, null)]) {
      const { edges } = await list({ first: 90, after: null });
      const ids = edges.map(({ node }) => node.id);
      for (const index of [0, 1, Math.floor(ids.length / 2), ids.length - 2]) {
        const next = await list({ first: 100, after: edges[index]?.cursor ?? null });
        expect(next.edges.slice(0, ids.length - index - 1).map(({ node }) => node.id)).toEqual(
          ids.slice(index + 1),
        );
      }
    }
  });

  it('costs one call for each page that follows the last edge of the page before', async () => {
    for (const list of [tickets({}, null), tickets({ status: ['open', 'solved', 'closed'] }, null)]) {
      const before = callCount(rig);
      let after: string | null = null;
      for (let page = 1; page <= 4; page += 1) {
        const slice: Slice<{ readonly id: number }> = await list({ first: 25, after });
        after = slice.edges.at(-1)?.cursor ?? null;
        expect(callCount(rig) - before).toBe(page);
      }
    }
  });

  it('finds its place again when tickets before it have moved away', async () => {
    const list = tickets({}, { by: 'UPDATED_AT', descending: true });
    const { edges } = await list({ first: 30, after: null });
    const [moved, place, next] = [edges[5]?.node.id ?? 0, edges[9], edges[10]];
    await account.change('update_ticket', { ticket_id: moved, tags: ['moved'] }, null);
    const after = await list({ first: 3, after: place?.cursor ?? null });
    expect(after.edges[0]?.node.id).toBe(next?.node.id);
  });
});

describe('a search', () => {
  it('tells Zendesk’s own count, and that it is cut at 1 000', async () => {
    const many = await openRig({ simulator: { tickets: 1_300 } });
    await using _ = many;
    const opened = await (await openSession(many)).account();
    const list: List = (slice) =>
      opened.tickets({
        of: 'ACCOUNT',
        filter: { createdFrom: new Date(0) },
        sort: null,
        sideLoad: false,
        ...slice,
      });
    const first = await list({ first: 100, after: null });
    expect(first).toMatchObject({ truncated: true, totalCount: 1_300, hasNextPage: true });
    const ids = await walk(list, [70, 100]);
    expect(new Set(ids).size).toBe(1_000);
    // Fewer matches are told as they are.
    const few = await opened.tickets({
      of: 'ACCOUNT',
      filter: { status: ['new'] },
      sort: null,
      sideLoad: false,
      first: 1,
      after: null,
    });
    expect(few).toMatchObject({ truncated: false });
    expect(few.totalCount).toBe(
      many.gateway.simulator.tickets.all().filter(({ status }) => status === 'new').length,
    );
  });

  it('finds every kind unless one is named', async () => {
    const search = { query: 'lamp', sort: null, first: 100, after: null } as const;
    const any = await account.search({ ...search, kind: null });
    expect(any.edges.length).toBeGreaterThan(0);
    const people = await account.search({ ...search, query: 'role:agent', kind: 'user' });
    expect(new Set(people.edges.map(({ node }) => node.kind))).toEqual(new Set(['user']));
    const { edges } = await account.search({ ...search, query: 'a*', kind: 'organization' });
    expect(edges.every(({ node }) => node.kind === 'organization')).toBe(true);
  });

  it('by priority runs as a search even without filter', async () => {
    const { edges, totalCount } = await account.tickets({
      of: 'ACCOUNT',
      filter: {},
      sort: { by: 'PRIORITY', descending: true },
      sideLoad: false,
      first: 5,
      after: null,
    });
    expect(edges.map(({ node }) => node.priority)).toEqual(Array(5).fill('urgent'));
    expect(totalCount).toBe(rig.gateway.simulator.tickets.count);
  });
});

describe('lists of one owner', () => {
  it('show the tickets of a person, an organization and a problem', async () => {
    const all = rig.gateway.simulator.tickets.all();
    const listed = listedTickets();
    const sample = listed.find(
      ({ assigneeId, organizationId }) => assigneeId !== null && organizationId !== null,
    );
    const rest = { first: 100, after: null, sideLoad: false } as const;
    const idsOf = async (
      of: 'REQUESTER' | 'ASSIGNEE' | 'ORGANIZATION' | 'PROBLEM',
      id: number | null | undefined,
    ) => (await account.tickets({ of, id: id ?? 0, ...rest })).edges.map(({ node }) => node.id);
    const expected = (owned: (row: (typeof listed)[number]) => boolean) =>
      listed
        .filter(owned)
        .map(({ id }) => id)
        .reverse()
        .slice(0, 100);
    expect(await idsOf('REQUESTER', sample?.requesterId)).toEqual(
      expected((row) => row.requesterId === sample?.requesterId),
    );
    expect(await idsOf('ASSIGNEE', sample?.assigneeId)).toEqual(
      expected((row) => row.assigneeId === sample?.assigneeId),
    );
    expect(await idsOf('ORGANIZATION', sample?.organizationId)).toEqual(
      expected((row) => row.organizationId === sample?.organizationId),
    );
    const [problem, incident] = all.filter(({ status }) => status === 'open');
    await account.change('update_ticket', { ticket_id: problem?.id ?? 0, type: 'problem' }, null);
    await account.change(
      'update_ticket',
      { ticket_id: incident?.id ?? 0, type: 'incident', problem_id: problem?.id ?? 0 },
      null,
    );
    expect(await idsOf('PROBLEM', problem?.id)).toEqual([incident?.id]);
    await expect(idsOf('REQUESTER', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('show the people of an organization and the organizations of a person', async () => {
    const { edges } = await account.users({
      of: 'ACCOUNT',
      filter: { role: ['end-user'] },
      first: 50,
      after: null,
    });
    const member = edges.map(({ node }) => node).find(({ organizationId }) => organizationId !== null);
    const own = await account.organizations({ of: 'USER', id: member?.id ?? 0, first: 10, after: null });
    expect(own.edges.map(({ node }) => node.id)).toEqual([member?.organizationId]);
    const people = await account.users({
      of: 'ORGANIZATION',
      id: member?.organizationId ?? 0,
      first: 100,
      after: null,
    });
    expect(people.edges.map(({ node }) => node.id)).toContain(member?.id);
  });

  it('show the comments of a ticket in both orders, and one of them by its id', async () => {
    const ticketId =
      rig.gateway.simulator.tickets.all().find(({ commentCount }) => commentCount >= 3)?.id ?? 0;
    const oldest = await account.comments({ ticketId, newestFirst: false, first: 100, after: null });
    const ids = oldest.edges.map(({ node }) => node.id);
    const list: List = (slice) => account.comments({ ticketId, newestFirst: true, ...slice });
    expect(await walk(list, [2, 1])).toEqual(ids.toReversed());
    expect(await account.comment(ticketId, ids[0] ?? 0)).toEqual(oldest.edges[0]?.node);
    expect(await account.comment(ticketId, 1)).toBeNull();
  });
});

describe('a cursor', () => {
  it('of another list is refused by name, and nothing is asked', async () => {
    const { edges } = await tickets({}, null)({ first: 2, after: null });
    const after = edges[0]?.cursor ?? '';
    const calls = callCount(rig);
    const others: readonly List[] = [
      tickets({}, { by: 'UPDATED_AT', descending: true }),
      tickets({ status: ['open'] }, null),
      (slice) => account.users({ of: 'ACCOUNT', filter: {}, ...slice }),
      (slice) => account.comments({ ticketId: 7, newestFirst: true, ...slice }),
    ];
    for (const list of others) {
      await expect(list({ first: 2, after })).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { fields: [{ path: 'after', message: 'is not a cursor of this connection' }] },
      });
    }
    expect(callCount(rig)).toBe(calls);
  });

  it('that is anything else is refused too', async () => {
    for (const after of ['', 'x', 'W10', 'bnVsbA', 'A'.repeat(5_000), '=', 'eyJhIjoxfQ']) {
      await expect(tickets({}, null)({ first: 2, after })).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
      });
    }
    expect(callCount(rig)).toBe(0);
  });
});

function listedTickets() {
  const archivedBefore = rig.clock.now() - 120 * 86_400_000;
  return rig.gateway.simulator.tickets
    .all()
    .filter((row) => !row.aiAgent && !(row.status === 'closed' && row.updatedAt < archivedBefore));
}

describe('comments that are too large for one page', () => {
  it('come in smaller ones, each once', async () => {
    await using small = await openRig({ transport: { maxResponseBytes: 2_000_000 } });
    const opened = await (await openSession(small)).account();
    const body = 'A long complaint. '.repeat(3_000);
    for (let count = 0; count < 14; count += 1) {
      await opened.change('update_ticket', { ticket_id: 290, comment: { body, public: true } }, null);
    }
    const list: List = (slice) => opened.comments({ ticketId: 290, newestFirst: false, ...slice });
    const ids = await walk(list, [100]);
    const sizes = small.gateway.simulator.requests.entries
      .filter(({ path }) => path.endsWith('/comments'))
      .map(({ query }) => new URLSearchParams(query).get('page[size]'));
    expect(sizes.slice(0, 2)).toEqual(['100', '10']);
    // A page of a hundred is tried once.
    expect(new Set(sizes.slice(1))).toEqual(new Set(['10']));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBe(small.gateway.simulator.tickets.get(290)?.commentCount);
  });
});

describe('records that Zendesk sends in an odd form', () => {
  const answer = (rig: Rig, path: string, body: object) =>
    rig.gateway.simulator.faults.add({
      path,
      effect: { kind: 'status', status: 200, body: JSON.stringify(body), contentType: 'application/json' },
    });

  it('are left out one by one, and a number too large for GraphQL is none', async () => {
    await using odd = await openRig();
    answer(odd, '/api/v2/tickets', {
      tickets: [{ id: 1 }, { id: null }, { id: 2 ** 53 }, { id: 2 }],
      users: null,
      meta: {},
    });
    answer(odd, '/api/v2/tickets/show_many', { tickets: [{ id: 3 }, { id: null }] });
    answer(odd, '/api/v2/search', { results: [{ id: 4, result_type: 'ticket' }], count: 3e9 });
    answer(odd, '/api/v2/tickets/*/comments', {
      comments: [{ id: 5, attachments: [{ id: 6, size: 3e9 }] }],
      meta: {},
    });
    const account = await (await openSession(odd)).account();
    const page = { first: 10, after: null } as const;
    const tickets = await account.tickets({ of: 'ACCOUNT', filter: {}, sort: null, sideLoad: true, ...page });
    expect(tickets.edges.map(({ node }) => node.id)).toEqual([1, 2]);
    expect((await account.ticket(3))?.id).toBe(3);
    expect((await account.search({ query: 'x', kind: null, sort: null, ...page })).totalCount).toBeNull();
    const comments = await account.comments({ ticketId: 9, newestFirst: false, ...page });
    expect(comments.edges[0]?.node.attachments[0]?.size).toBeNull();
  });
});

describe('a comment that is looked for on more pages than are read', () => {
  it('is told to lie beyond them, not to be missing', async () => {
    await using endless = await openRig();
    let page = 0;
    endless.gateway.simulator.faults.add({
      path: '/api/v2/tickets/*/comments',
      effect: {
        kind: 'status',
        status: 200,
        contentType: 'application/json',
        get body() {
          page += 1;
          return JSON.stringify({
            comments: [{ id: 1 }],
            meta: { has_more: true, after_cursor: `c${page}` },
          });
        },
      },
    });
    const account = await (await openSession(endless)).account();
    await expect(account.comment(9, 2)).rejects.toMatchObject({ code: 'QUERY_TOO_COMPLEX' });
  });
});
