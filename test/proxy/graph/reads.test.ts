/** What reading costs, and what concurrent operations share of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GraphAccount, TicketView } from '../../../src/proxy/index.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey } from '../../support/tenant.ts';
import { openRig, type Rig } from '../rig.ts';
import { callCount, callsSince, openSession } from './graph-rig.ts';

const HUNDRED = {
  of: 'ACCOUNT',
  filter: {},
  sort: null,
  first: 100,
  after: null,
  sideLoad: false,
} as const;
const LATENCY = { effect: { kind: 'latency', milliseconds: 60 } } as const;

/** What an agent's screen shows of a page: the people of each ticket whole, and their organizations. */
async function showPage(account: GraphAccount, sideLoad = false): Promise<readonly TicketView[]> {
  const { edges } = await account.tickets({ ...HUNDRED, sideLoad });
  const tickets = edges.map(({ node }) => node);
  await Promise.all(
    tickets.map(async ({ requesterId, submitterId, assigneeId, organizationId }) => {
      const ids = [requesterId, submitterId, assigneeId].filter((id) => id !== null);
      await Promise.all([
        ...ids.map(async (id) => {
          const user = await account.user(id);
          if (user?.organizationId != null) await account.organization(user.organizationId);
        }),
        organizationId === null ? null : account.organization(organizationId),
      ]);
    }),
  );
  return tickets;
}

describeOnBothDatabases('reading', (database) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({ database, simulator: { tickets: 600 } });
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());
  beforeEach(() => rig.gateway.simulator.reset());

  it('shows 100 tickets with their people and organizations at the cost of three calls, however deep they recur', async () => {
    const { session, account } = await openSession(rig);
    const tickets = await showPage(await account());
    expect(tickets).toHaveLength(100);
    const calls = callsSince(rig, 0);
    expect([...calls].sort()).toEqual([
      'GET /api/v2/organizations/show_many',
      'GET /api/v2/tickets',
      'GET /api/v2/users/show_many',
    ]);
    expect(session.usage()).toMatchObject({ calls: 3, lastStatus: 200 });
    expect(session.usage().remaining).toBeGreaterThan(0);
    await showPage(await account());
    expect(callCount(rig)).toBe(3);
  });

  it('answers ten operations that ask for the same page at the same time with three calls', async () => {
    rig.gateway.simulator.faults.add(LATENCY);
    const sessions = await Promise.all(Array.from({ length: 10 }, () => openSession(rig)));
    const pages = await Promise.all(sessions.map(async ({ account }) => showPage(await account())));
    expect(callCount(rig)).toBe(3);
    for (const page of pages) expect(page.map(({ id }) => id)).toEqual(pages[0]?.map(({ id }) => id));
    // Each took part in all three, and says so.
    for (const { session } of sessions) expect(session.usage().calls).toBe(3);
  });

  it('reads a page whose people are wanted by name only with one call', async () => {
    const { account } = await openSession(rig);
    const opened = await account();
    const { edges } = await opened.tickets({ ...HUNDRED, sideLoad: true });
    const names = await Promise.all(
      edges.map(async ({ node }) => [
        await opened.person(node.requesterId ?? 0),
        node.assigneeId === null ? null : await opened.person(node.assigneeId),
        node.organizationId === null ? null : await opened.organizationReference(node.organizationId),
      ]),
    );
    expect(names.every(([requester]) => (requester?.name ?? '') !== '')).toBe(true);
    expect(callCount(rig)).toBe(1);
    expect(rig.gateway.simulator.requests.entries[0]?.query).toContain('include=users%2Corganizations');
  });

  it('loads people and organizations that came along in part only, whole', async () => {
    const { account } = await openSession(rig);
    const opened = await account();
    const [ticket] = await showPage(opened, true);
    expect(callCount(rig)).toBe(3);
    expect((await opened.user(ticket?.requesterId ?? 0))?.timeZone).not.toBeNull();
  });

  it('does not ask for people that nobody wants', async () => {
    const { account } = await openSession(rig);
    await (await account()).tickets(HUNDRED);
    expect(rig.gateway.simulator.requests.entries[0]?.query).not.toContain('include');
  });

  it('resolves ids that Zendesk does not show to null, beside those that it does', async () => {
    const { account } = await openSession(rig);
    const opened = await account();
    const [known, unknown, nobody, nowhere] = await Promise.all([
      opened.ticket(7),
      opened.ticket(999_999),
      opened.user(1),
      opened.organizationReference(2),
    ]);
    expect([known?.id, unknown, nobody, nowhere]).toEqual([7, null, null, null]);
    expect(callCount(rig)).toBe(3);
  });

  it('leaves a deleted ticket of a batch out, and shows the others', async () => {
    const { account } = await openSession(rig);
    const { url } = rig.gateway.simulator;
    const login = Buffer.from('admin@example.test/token:demo-api-token-not-secret').toString('base64');
    await fetch(`${url}/api/v2/tickets/12.json`, {
      method: 'DELETE',
      headers: { authorization: `Basic ${login}` },
    });
    const opened = await account();
    const found = await Promise.all([11, 12, 13].map((id) => opened.ticket(id)));
    expect(found.map((ticket) => ticket?.id ?? null)).toEqual([11, null, 13]);
  });

  it('fails only the fields of a call that failed', async () => {
    rig.gateway.simulator.faults.add({
      path: '/api/v2/users/show_many',
      effect: { kind: 'status', status: 403 },
    });
    const opened = await (await openSession(rig)).account();
    const [ticket, organizations, user] = await Promise.allSettled([
      opened.ticket(7),
      opened.organizations({ of: 'ACCOUNT', first: 3, after: null }),
      opened.user(5),
    ]);
    expect([ticket.status, organizations.status, user.status]).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    expect(user).toMatchObject({
      reason: { code: 'UPSTREAM_FORBIDDEN', details: { upstreamStatus: 403, auditEventId: /^aud_/ } },
    });
  });

  it('loads what was listed no second time', async () => {
    const opened = await (await openSession(rig)).account();
    const { edges } = await opened.users({
      of: 'ACCOUNT',
      filter: { role: ['agent'] },
      first: 5,
      after: null,
    });
    const again = await Promise.all(edges.map(({ node }) => opened.user(node.id)));
    expect(again).toEqual(edges.map(({ node }) => node));
    expect(callCount(rig)).toBe(1);
  });
});

describe('sharing', () => {
  let rig: Rig;
  beforeAll(async () => {
    // Nothing but an abort ends a call that hangs, while this test looks.
    rig = await openRig({ transport: { headersTimeout: 20_000 } });
  });
  afterAll(() => rig?.[Symbol.asyncDispose]());
  beforeEach(() => {
    rig.gateway.simulator.reset();
    rig.gateway.simulator.faults.add(LATENCY);
  });

  it('is between callers of the same rights, whatever their keys', async () => {
    const other = await createTestApiKey(rig.gateway, rig.tenant.keys.admin, { roles: ['AGENT'] });
    const sessions = [await openSession(rig), await openSession(rig, { apiKey: other })];
    await Promise.all(sessions.map(async ({ account }) => (await account()).ticket(7)));
    expect(callCount(rig)).toBe(1);
  });

  it('is not between callers of different rights', async () => {
    const fewer = await createTestApiKey(rig.gateway, rig.tenant.keys.admin, {
      roles: ['AGENT'],
      allowedOperations: ['get_ticket', 'list_tickets'],
    });
    const sessions = [
      await openSession(rig),
      await openSession(rig, { apiKey: fewer }),
      // May not change anything.
      await openSession(rig, { apiKey: rig.tenant.keys.dashboard }),
    ];
    await Promise.all(
      sessions.map(async ({ account }) => {
        const opened = await account(['get_ticket', 'list_tickets']);
        await Promise.all([opened.ticket(7), opened.tickets({ ...HUNDRED, first: 5 })]);
      }),
    );
    expect(callCount(rig)).toBe(6);
    for (const { session } of sessions) expect(session.usage().calls).toBe(2);
  });

  it('outlives one caller who goes away', async () => {
    const gone = new AbortController();
    const leaving = await openSession(rig, { signal: gone.signal });
    const staying = await openSession(rig);
    const lost = (await leaving.account()).ticket(7);
    const kept = (await staying.account()).ticket(7);
    await rig.gateway.simulator.waitForRequest(() => true);
    gone.abort(new Error('the caller went away'));
    await expect(lost).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(await kept).toMatchObject({ id: 7 });
    expect(callCount(rig)).toBe(1);
  });

  it('ends with the last of them: the call is aborted', async () => {
    rig.gateway.simulator.faults.clear();
    rig.gateway.simulator.faults.add({ effect: { kind: 'hang' } });
    const gone = new AbortController();
    const sessions = [
      await openSession(rig, { signal: gone.signal }),
      await openSession(rig, { signal: gone.signal }),
    ];
    const lost = Promise.allSettled(sessions.map(async ({ account }) => (await account()).ticket(7)));
    await rig.gateway.simulator.waitForRequest(() => true);
    gone.abort(new Error('nobody is left'));
    expect((await lost).every(({ status }) => status === 'rejected')).toBe(true);
    // The call is counted when it ends: it was made all the same, for both.
    await vi.waitFor(() => {
      for (const { session } of sessions)
        expect(session.usage()).toMatchObject({ calls: 1, lastStatus: null });
    });
    expect(callCount(rig)).toBe(1);
  });

  it('asks for two comment lists of one ticket once, and for at most four lists of an operation at a time', async () => {
    const opened = await (await openSession(rig)).account();
    const lists = [1, 2, 3, 4, 5, 6, 7, 8].map((ticketId) => ({
      ticketId,
      newestFirst: true,
      first: 5,
      after: null,
    }));
    const asked = [...lists, ...lists].map((list) => opened.comments(list));
    await Promise.race(asked);
    expect(callCount(rig)).toBeLessThanOrEqual(5);
    const all = await Promise.all(asked);
    expect(callCount(rig)).toBe(8);
    expect(all[0]?.edges.length).toBeGreaterThan(0);
    // Their authors came along.
    const authors = all.flatMap(({ edges }) => edges.map(({ node }) => node.authorId ?? 0));
    const people = await Promise.all(authors.map((id) => opened.person(id)));
    expect(people.every((person) => person !== null)).toBe(true);
    expect(callCount(rig)).toBe(8);
  });
});

describe('an account that sends whole people and organizations along', () => {
  it('shows 100 tickets with all of them at the cost of one call', async () => {
    await using rig = await openRig({ simulator: { tickets: 600, sideLoads: 'whole' } });
    const { account } = await openSession(rig);
    const opened = await account();
    const [ticket] = await showPage(opened, true);
    expect(callCount(rig)).toBe(1);
    expect((await opened.user(ticket?.requesterId ?? 0))?.timeZone).not.toBeNull();
    expect(callCount(rig)).toBe(1);
  });
});
