/** What a session lets through, what a caller sees of people, and what the log tells of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MAX_AUDIT_GROUP } from '../../../src/audit/index.ts';
import { createId, SealdeskError } from '../../../src/base/index.ts';
import { OPERATION_NAMES } from '../../../src/proxy/index.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey, createTestTenant, dataOf } from '../../support/tenant.ts';
import { openRig, type Rig } from '../rig.ts';
import { callCount, openSession } from './graph-rig.ts';

const PAGE = { of: 'ACCOUNT', filter: {}, sort: null, first: 10, after: null, sideLoad: false } as const;

let rig: Rig;
/** May read tickets and search, but list neither people nor organizations. */
let narrow: string;
beforeAll(async () => {
  rig = await openRig();
  narrow = await createTestApiKey(rig.gateway, rig.tenant.keys.admin, {
    roles: ['AGENT'],
    allowedOperations: ['list_tickets', 'get_ticket', 'search', 'update_ticket'],
  });
});
afterAll(() => rig?.[Symbol.asyncDispose]());
beforeEach(() => rig.gateway.simulator.reset());

describe('an account', () => {
  it('is refused to callers without a key, and where the answer could not leave', async () => {
    const stranger = await openSession(rig, { apiKey: null });
    await expect(stranger.account()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const unsealed = await openSession(rig, { delivery: { kind: 'NONE' } });
    await expect(unsealed.account(['get_ticket'])).rejects.toMatchObject({
      code: 'SEALED_RESPONSE_REQUIRED',
      message: expect.stringContaining('application/vnd.sealdesk.envelope+json'),
    });
    await expect(unsealed.account([])).rejects.toMatchObject({ code: 'SEALED_RESPONSE_REQUIRED' });
    expect(callCount(rig)).toBe(0);
  });

  it('is not found where it is unknown, malformed, or another tenant’s', async () => {
    const other = await createTestTenant(rig.gateway, { name: 'Other' });
    const { session } = await openSession(rig);
    for (const id of [createId('integration', Date.now()), 'int_nonsense', '', other.integrationId]) {
      for (const operations of [[], ['get_ticket']] as const) {
        await expect(session.account(id, operations)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
    }
  });

  it('is refused by policy, role and state, naming the operation', async () => {
    const denied = { code: 'OPERATION_NOT_ALLOWED', details: { subject: 'list_users' } };
    await expect(
      (await openSession(rig, { apiKey: narrow })).account(['get_ticket', 'list_users']),
    ).rejects.toMatchObject(denied);
    const dashboard = await openSession(rig, { apiKey: rig.tenant.keys.dashboard });
    await expect(dashboard.account(['update_ticket'])).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const off = await createTestTenant(rig.gateway, { name: 'Off' });
    dataOf(
      await rig.gateway.graphql(
        'mutation($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { id } } }',
        { apiKey: off.keys.admin, variables: { input: { id: off.integrationId, enabled: false } } },
      ),
    );
    const disabled = await openSession({ ...rig, tenant: off });
    await expect(disabled.account(['get_ticket'])).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(callCount(rig)).toBe(0);
  });

  it('refuses by itself what nobody asked for before', async () => {
    const opened = await (await openSession(rig, { apiKey: narrow })).account(['get_ticket']);
    await expect(opened.user(5)).rejects.toMatchObject({ code: 'OPERATION_NOT_ALLOWED' });
    await expect(opened.organizations({ of: 'ACCOUNT', first: 1, after: null })).rejects.toMatchObject({
      code: 'OPERATION_NOT_ALLOWED',
    });
    expect(callCount(rig)).toBe(0);
  });

  it('counts each operation but the first, and each change, against the caller’s rate', async () => {
    let taken = 0;
    const takeFromRate = (): void => {
      taken += 1;
      if (taken > 4) throw new SealdeskError('TOO_MANY_REQUESTS', 'No more.', { retryAfter: 1 });
    };
    const { account } = await openSession(rig, { takeFromRate });
    const opened = await account(['get_ticket']);
    await account(['get_ticket']);
    expect(taken).toBe(0);
    await account(['get_ticket', 'list_tickets', 'update_ticket']);
    expect(taken).toBe(2);
    const change = () => opened.change('update_ticket', { ticket_id: 290, tags: ['a'] }, null);
    await change();
    expect(taken).toBe(2);
    await change();
    await change();
    expect(taken).toBe(4);
    const calls = callCount(rig);
    await expect(change()).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      details: { retryAfter: 1, mutation: 'NOT_SENT' },
    });
    await expect(account(['search'])).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(callCount(rig)).toBe(calls);
  });

  it('leaves room in the log for whatever an operation does', async () => {
    const { session, account, events } = await openSession(rig);
    const opened = await account();
    await Promise.allSettled(OPERATION_NAMES.map(() => opened.ticket(7)));
    for (let count = 0; count < 70; count += 1) {
      await opened.change('update_ticket', { ticket_id: 0 }, null).catch(() => undefined);
    }
    const strangers = Array.from({ length: 60 }, (_, index) => `int_${index}`);
    const refusals = await Promise.allSettled(strangers.map((id) => session.account(id, OPERATION_NAMES)));
    expect(refusals.at(-1)).toMatchObject({ reason: { code: 'QUERY_TOO_COMPLEX' } });
    await Promise.allSettled(
      strangers.flatMap((id) => OPERATION_NAMES.map((operation) => session.account(id, [operation]))),
    );
    expect((await events()).length).toBeLessThan(MAX_AUDIT_GROUP);
    expect((await events()).length).toBeGreaterThan(200);
  });
});

describe('a caller who may not list people', () => {
  it('sees of them id, name and photo, and of senders nothing', async () => {
    const ticketId =
      rig.gateway.simulator.tickets
        .all()
        .find(({ channel, status }) => channel === 'email' && status === 'open')?.id ?? 0;
    const restricted = await (await openSession(rig, { apiKey: narrow })).account([
      'list_tickets',
      'get_ticket',
      'search',
    ]);
    const whole = await (await openSession(rig)).account();
    const ticket = await restricted.ticket(ticketId);
    const person = await restricted.person(ticket?.requesterId ?? 0);
    expect(Object.keys(person ?? {}).sort()).toEqual(['id', 'integrationId', 'name', 'photo']);
    expect(ticket?.via).toMatchObject({ channel: 'email', fromName: null, fromAddress: null });
    const organization = await restricted.organizationReference(ticket?.organizationId ?? 0);
    expect(Object.keys(organization ?? {}).sort()).toEqual(
      organization === null ? [] : ['id', 'integrationId', 'name'],
    );
    const shown = JSON.stringify([
      person,
      organization,
      await restricted.tickets({ ...PAGE, first: 100, sideLoad: true }),
      await restricted.search({ query: 'role:agent', kind: null, sort: null, first: 50, after: null }),
    ]);
    const user = await whole.user(ticket?.requesterId ?? 0);
    expect(user?.email).toContain('@');
    expect(shown).not.toContain(user?.email ?? '@');
    expect(shown).not.toContain('192.0.2.17');
  });

  it('finds by search neither people nor organizations, nor how many there are', async () => {
    const search = { sort: null, first: 20, after: null } as const;
    const restricted = await (await openSession(rig, { apiKey: narrow })).account(['search']);
    const whole = await (await openSession(rig)).account(['search']);
    const people = { ...search, query: 'role:agent', kind: 'user' } as const;
    const refused = { code: 'OPERATION_NOT_ALLOWED', details: { subject: 'list_users' } };
    await expect(restricted.search(people)).rejects.toMatchObject(refused);
    for (const query of ['type:user a*', 'TYPE:user', '-type:ticket', 'type>user', 'type:ticket type:user']) {
      await expect(restricted.search({ ...search, query, kind: null })).rejects.toMatchObject(refused);
      await expect(restricted.search({ ...search, query, kind: 'ticket' })).rejects.toMatchObject(refused);
    }
    const any = await restricted.search({ ...search, query: 'ticket_type:incident', kind: null });
    expect(any.edges.length).toBeGreaterThan(0);
    expect(any.edges.every(({ node }) => node.kind === 'ticket')).toBe(true);
    const agents = await restricted.search({ ...search, query: 'role:agent', kind: null });
    expect([agents.edges, agents.totalCount]).toEqual([[], 0]);
    expect((await whole.search(people)).edges.every(({ node }) => node.kind === 'user')).toBe(true);
    const groups = { ...search, query: 'l*', kind: 'organization' } as const;
    await expect(restricted.search(groups)).rejects.toMatchObject(refused);
    for (const { node } of (await whole.search(groups)).edges) expect(node.kind).toBe('organization');
  });
});

describeOnBothDatabases('the log', (database) => {
  it('tells each operation that was used once, under the operation’s own event', async () => {
    await using own = await openRig({ database });
    const { account, events, eventId, record } = await openSession(own);
    const opened = await account();
    await Promise.all([opened.ticket(7), opened.user(5), opened.user(6), opened.user(999_999)]);
    await opened.search({ query: 'lamp', kind: null, sort: null, first: 2, after: null });
    await opened.tickets({ ...PAGE });
    await opened.tickets({ ...PAGE, filter: { status: ['open'] } });
    const told = await events();
    const members = { parentId: eventId, phase: 'SINGLE', outcome: 'SUCCEEDED', action: 'zendesk.call' };
    const byOperation = Object.fromEntries(told.map((event) => [event.operation, event]));
    expect(Object.keys(byOperation).sort()).toEqual(['get_ticket', 'list_tickets', 'list_users', 'search']);
    expect(byOperation['get_ticket']).toMatchObject({ ...members, resource: 'ticket:7', count: 1 });
    expect(byOperation['list_users']).toMatchObject({ ...members, resource: 'user', count: 1 });
    expect(byOperation['list_tickets']).toMatchObject({ ...members, resource: 'ticket', count: 2 });
    expect(byOperation['search']).toMatchObject({
      ...members,
      count: 1,
      integrationId: own.tenant.integrationId,
    });
    expect(byOperation['search']?.resource).toMatch(/^query:[\w-]{43}$/);
    expect(await events()).toEqual(told);
    await record();
    expect((await own.events()).slice(-told.length).map(({ id }) => id)).toEqual(told.map(({ id }) => id));
  });

  it('tells denials and failures, by the worst that happened, and errors name the event', async () => {
    await using own = await openRig({ database });
    const { account, events, record } = await openSession(own, { apiKey: own.tenant.keys.dashboard });
    const denied = await account(['create_ticket']).catch((error: unknown) => error);
    await account(['create_ticket']).catch(() => undefined);
    const opened = await account(['list_tickets', 'list_users']);
    own.gateway.simulator.faults.add({ path: '/api/v2/users/*', effect: { kind: 'status', status: 403 } });
    const failed = await opened.user(5).catch((error: unknown) => error);
    await opened.users({ of: 'ACCOUNT', filter: {}, first: 1, after: null });
    const told = await events();
    expect(told).toMatchObject([
      { operation: 'create_ticket', outcome: 'DENIED', denialReason: 'FORBIDDEN' },
      {
        operation: 'list_users',
        outcome: 'FAILED',
        denialReason: 'UPSTREAM_FORBIDDEN',
        upstreamStatus: 403,
        count: 2,
      },
    ]);
    expect(denied).toMatchObject({ details: { auditEventId: told[0]?.id } });
    expect(failed).toMatchObject({ details: { auditEventId: told[1]?.id } });
    expect(told[0]).not.toHaveProperty('count');
    await record();
  });
});
