/** The operations of the catalogue against the simulator, through HTTP. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  ADMIN_EMAIL,
  CUSTOMER_EMAIL,
  DEFAULT_API_TOKEN,
  DEFAULT_OAUTH_CLIENT,
  DEFAULT_OAUTH_SECRET,
  openSimulator,
  type Simulator,
  SUSPENDED_EMAIL,
} from '../../simulator/index.ts';
import { isSealdeskError, silentLog, systemClock } from '../../src/base/index.ts';
import { CATALOGUE, type OperationName, type OperationResult } from '../../src/proxy/catalogue/catalogue.ts';
import {
  type AccountLimiters,
  basicAuthorization,
  bearerAuthorization,
  createUsageMeter,
  createZendeskClient,
  openAccountLimiters,
  openZendeskTransport,
  requestClientCredentialsToken,
  verifyCredential,
  type ZendeskClient,
  type ZendeskTransport,
} from '../../src/zendesk/index.ts';
import { createMemoryLedger } from '../support/memory-ledger.ts';

let simulator: Simulator;
let transport: ZendeskTransport;
let limiters: AccountLimiters;
let client: ZendeskClient;

beforeAll(async () => {
  simulator = await openSimulator({
    accountLimit: 100_000,
    endpointLimits: { 'tickets-index': 20_000, 'tickets-update': 20_000 },
  });
  transport = openZendeskTransport({ headersTimeout: 2_000 });
  limiters = openAccountLimiters({ ledger: createMemoryLedger(systemClock), clock: systemClock });
  client = clientOf(basicAuthorization(ADMIN_EMAIL, DEFAULT_API_TOKEN));
});
afterAll(async () => {
  await limiters?.[Symbol.asyncDispose]();
  await transport?.[Symbol.asyncDispose]();
  await simulator?.[Symbol.asyncDispose]();
});
beforeEach(() => simulator.reset());

function clientOf(authorization: string): ZendeskClient {
  return createZendeskClient({
    origin: simulator.url,
    transport,
    limiter: limiters.of({ tenantId: 'tenant', origin: simulator.url }),
    authorize: async () => ({ authorization }),
    clock: systemClock,
    log: silentLog,
    random: () => 0,
  });
}

async function run<Name extends OperationName>(
  name: Name,
  payload: unknown,
  options: { readonly users?: boolean; readonly idempotencyKey?: string } = {},
): Promise<OperationResult<Name>> {
  const operation = CATALOGUE[name];
  const outcome = await operation.prepare(payload, null).run(client, {
    gate: null,
    usage: createUsageMeter(),
    isPermitted: () => options.users === true,
    idempotencyKey: options.idempotencyKey,
  });
  return operation.result.parse(outcome.result) as OperationResult<Name>;
}

const COMMENT = { body: 'It drips.', public: true };
const addressIn = (value: unknown): boolean => /[\w.]+@[\w.]+\.\w+/.test(JSON.stringify(value));

describe('list_tickets', () => {
  it('shows newest tickets first, with count and the people in them by reference', async () => {
    const { tickets, users, organizations, count, page } = await run('list_tickets', { per_page: 10 });
    expect(tickets).toHaveLength(10);
    const created = tickets.map((ticket) => String(ticket['created_at']));
    expect(created).toEqual([...created].sort().reverse());
    expect(count).toBeGreaterThan(100);
    expect(page).toEqual({ has_more: true, next_page: 2, next_cursor: null, truncated: false });
    const known = new Set(users.map((user) => user.id));
    expect(tickets.every((ticket) => known.has(Number(ticket['requester_id'])))).toBe(true);
    expect(organizations.length).toBeGreaterThan(0);
  });

  it('filters by status and by dates, as a search', async () => {
    const all = simulator.tickets.all();
    const middle =
      [...all].map((ticket) => ticket.createdAt).sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
    const from = new Date(middle).toISOString().replace(/\.\d+Z$/, 'Z');
    const { tickets, count } = await run('list_tickets', { status: ['open', 'pending'], created_from: from });
    expect(tickets.length).toBeGreaterThan(0);
    for (const ticket of tickets) {
      expect(['open', 'pending']).toContain(ticket['status']);
      expect(Date.parse(String(ticket['created_at']))).toBeGreaterThanOrEqual(Date.parse(from));
    }
    expect(count).toBe(
      all.filter((one) => ['open', 'pending'].includes(one.status) && one.createdAt >= Date.parse(from))
        .length,
    );
    expect(simulator.requests.entries.every((request) => request.path.startsWith('/api/v2/search'))).toBe(
      true,
    );
  });

  it('says when a search reaches no further', async () => {
    const { page, count } = await run('list_tickets', { created_from: '2000-01-01', page: 10 });
    expect(count).toBeGreaterThan(1000);
    expect(page).toEqual({ has_more: false, next_page: null, next_cursor: null, truncated: true });
  });

  it('walks all tickets by cursor, each once', async () => {
    const seen = new Set<number>();
    let cursor: string | null = null;
    do {
      const { tickets, page, count }: OperationResult<'list_tickets'> = await run('list_tickets', { cursor });
      expect(count).toBeNull();
      for (const ticket of tickets) seen.add(ticket.id);
      cursor = page.next_cursor;
    } while (cursor !== null && seen.size < 500);
    expect(seen.size).toBe(500);
  });
});

describe('get_ticket', () => {
  const busiest = (): number => {
    const all = simulator.tickets.all();
    return all.reduce(
      (best, one) =>
        simulator.tickets.comments(one.id).length > simulator.tickets.comments(best).length ? one.id : best,
      all[0]?.id ?? 0,
    );
  };

  it('shows a ticket with its comments, oldest first, and their authors', async () => {
    const id = busiest();
    const {
      ticket,
      comments,
      comments_truncated: truncated,
      users,
    } = await run('get_ticket', { ticket_id: id });
    expect(ticket.id).toBe(id);
    expect(comments.map((comment) => comment.id)).toEqual(
      simulator.tickets.comments(id).map((comment) => comment.id),
    );
    expect(truncated).toBe(false);
    const known = new Set(users.map((user) => user.id));
    expect(comments.every((comment) => known.has(Number(comment['author_id'])))).toBe(true);
  });

  it('keeps the newest comments when not all are asked for', async () => {
    const id = busiest();
    const all = simulator.tickets.comments(id).map((comment) => comment.id);
    const { comments, comments_truncated: truncated } = await run('get_ticket', {
      ticket_id: id,
      max_comments: 2,
    });
    expect(comments.map((comment) => comment.id)).toEqual(all.slice(-2));
    expect(truncated).toBe(true);
    expect((await run('get_ticket', { ticket_id: id, max_comments: 0 })).comments).toEqual([]);
  });

  it('of an unknown ticket is NOT_FOUND', async () => {
    await expect(run('get_ticket', { ticket_id: 999_999_999 })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { upstreamError: 'RecordNotFound' },
    });
  });

  it('shows no address, network address or place of anybody unless users may be listed', async () => {
    const ids = simulator.tickets
      .all()
      .slice(0, 200)
      .map((ticket) => ticket.id);
    const hidden = await Promise.all(ids.slice(0, 40).map((id) => run('get_ticket', { ticket_id: id })));
    for (const { ticket, comments, users } of hidden) {
      expect(
        addressIn([ticket['via'], comments.map((comment) => [comment['via'], comment['metadata']]), users]),
      ).toBe(false);
      expect(comments.some((comment) => 'metadata' in comment)).toBe(false);
    }
    const shown = await run('get_ticket', { ticket_id: ids[0] }, { users: true });
    expect(shown.users.every((user) => Object.keys(user).sort().join() === 'id,name,photo')).toBe(true);
    expect(shown.comments.every((comment) => 'metadata' in comment)).toBe(true);
  });
});

describe('create_ticket', () => {
  it('creates a ticket with what was given', async () => {
    const { ticket, idempotency } = await run('create_ticket', {
      subject: 'Leaky tap',
      comment: { body: 'It drips.', public: false },
      requester: { name: 'New Person', email: 'new.person@customer.test' },
      priority: 'high',
      tags: ['plumbing'],
      type: 'task',
      due_at: '2026-12-24T10:00:00Z',
    });
    expect(idempotency).toBe('not_requested');
    expect(ticket).toMatchObject({
      subject: 'Leaky tap',
      priority: 'high',
      tags: ['plumbing'],
      type: 'task',
      is_public: false,
    });
    expect(simulator.tickets.comments(ticket.id).map((comment) => comment.public)).toEqual([false]);
    expect(simulator.users.byEmail('new.person@customer.test')?.name).toBe('New Person');
  });

  it('names the new ticket for the audit log', async () => {
    const prepared = CATALOGUE.create_ticket.prepare({ comment: COMMENT }, null);
    const outcome = await prepared.run(client, {
      ...{ gate: null, usage: createUsageMeter(), isPermitted: () => false },
    });
    expect(prepared.resource).toBe('ticket');
    expect(outcome.resource).toBe(`ticket:${outcome.result.ticket.id}`);
  });

  it.each([
    { kind: 'close', applied: true },
    { kind: 'close', applied: false },
    { kind: 'status', status: 500, applied: true },
    { kind: 'html', status: 502, applied: true },
    { kind: 'truncated' },
  ] as const)('with a key makes one ticket whatever happens on the way: %j', async (effect) => {
    const before = simulator.tickets.count;
    simulator.faults.add({ method: 'POST', path: '/api/v2/tickets', count: 1, effect });
    const key = `key-${JSON.stringify(effect).replaceAll(/[^a-z0-9]/g, '')}`;
    const first = await run('create_ticket', { comment: COMMENT }, { idempotencyKey: key });
    const again = await run('create_ticket', { comment: COMMENT }, { idempotencyKey: key });
    expect(simulator.tickets.count).toBe(before + 1);
    expect(['created', 'replayed']).toContain(first.idempotency);
    expect(again).toMatchObject({ idempotency: 'replayed', ticket: { id: first.ticket.id } });
  });

  it('with a used key and other content is a CONFLICT', async () => {
    await run('create_ticket', { comment: COMMENT }, { idempotencyKey: 'twice' });
    await expect(
      run('create_ticket', { comment: { ...COMMENT, body: 'Another.' } }, { idempotencyKey: 'twice' }),
    ).rejects.toMatchObject({ code: 'CONFLICT', details: { mutation: 'NOT_SENT' } });
  });

  it('without a key is sent once, and a lost answer leaves its outcome unknown', async () => {
    const before = simulator.tickets.count;
    simulator.faults.add({
      method: 'POST',
      path: '/api/v2/tickets',
      effect: { kind: 'close', applied: true },
    });
    await expect(run('create_ticket', { comment: COMMENT })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      details: { mutation: 'UNKNOWN' },
    });
    expect(simulator.tickets.count).toBe(before + 1);
  });
});

describe('update_ticket', () => {
  const open = async (): Promise<number> => (await run('create_ticket', { comment: COMMENT })).ticket.id;

  it('changes fields and adds a comment', async () => {
    const id = await open();
    const { ticket, comment_id: commentId } = await run('update_ticket', {
      ticket_id: id,
      priority: 'urgent',
      comment: { body: 'On my way.', public: false },
    });
    expect(ticket).toMatchObject({ id, priority: 'urgent' });
    expect(commentId).toBe(simulator.tickets.comments(id).at(-1)?.id);
    expect((await run('update_ticket', { ticket_id: id, priority: null })).ticket['priority']).toBeNull();
  });

  it('does not overwrite what somebody changed meanwhile', async () => {
    const id = await open();
    const stale = '2020-01-01T00:00:00Z';
    await expect(
      run('update_ticket', { ticket_id: id, status: 'solved', expected_updated_at: stale }),
    ).rejects.toMatchObject({
      code: 'CONFLICT',
      details: { upstreamError: 'UpdateConflict', mutation: 'NOT_SENT' },
    });
    const { ticket } = await run('get_ticket', { ticket_id: id });
    const fresh = await run('update_ticket', {
      ticket_id: id,
      status: 'solved',
      expected_updated_at: ticket['updated_at'],
    });
    expect(fresh.ticket['status']).toBe('solved');
  });

  it('of a closed ticket is refused with the field', async () => {
    const id = await open();
    await run('update_ticket', { ticket_id: id, status: 'closed' });
    const error = await run('update_ticket', { ticket_id: id, status: 'open' }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: 'UPSTREAM_REJECTED',
      details: { mutation: 'NOT_SENT', upstreamError: 'RecordInvalid' },
    });
    expect(isSealdeskError(error) && error.details.fields?.[0]?.path).toBe('status');
  });
});

describe('list_users', () => {
  it('lists by role with all that Zendesk tells', async () => {
    const { users, count } = await run('list_users', { role: ['agent', 'admin'], per_page: 5 });
    expect(users.length).toBeGreaterThan(0);
    expect(users.every((user) => ['agent', 'admin'].includes(String(user['role'])))).toBe(true);
    expect(users.every((user) => 'email' in user)).toBe(true);
    expect(count).toBeGreaterThanOrEqual(users.length);
  });

  it('finds by Zendesk’s user search, and walks by cursor', async () => {
    const { users } = await run('list_users', { query: `email:${ADMIN_EMAIL}` });
    expect(users.map((user) => user['email'])).toEqual([ADMIN_EMAIL]);
    const first = await run('list_users', { cursor: null, per_page: 3 });
    const second = await run('list_users', { cursor: first.page.next_cursor, per_page: 3 });
    expect(new Set([...first.users, ...second.users].map((user) => user.id)).size).toBe(6);
  });
});

describe('list_organizations', () => {
  it('lists with all that Zendesk tells, by page and by cursor', async () => {
    const { organizations, count } = await run('list_organizations', { per_page: 4 });
    expect(organizations).toHaveLength(4);
    expect(organizations.every((one) => 'domain_names' in one)).toBe(true);
    expect(count).toBeGreaterThan(4);
    const first = await run('list_organizations', { cursor: null, per_page: 3 });
    const second = await run('list_organizations', { cursor: first.page.next_cursor, per_page: 3 });
    const ids = [...first.organizations, ...second.organizations].map((one) => one.id);
    expect(new Set(ids).size).toBe(6);
  });

  it('finds by external id, and nothing by an unknown one', async () => {
    const { organizations } = await run('list_organizations', { per_page: 100 });
    const known = organizations.find((one) => typeof one['external_id'] === 'string');
    const found = await run('list_organizations', { external_id: known?.['external_id'] });
    expect(found.organizations.map((one) => one.id)).toEqual([known?.id]);
    expect((await run('list_organizations', { external_id: 'nobody' })).organizations).toEqual([]);
  });
});

describe('search', () => {
  it('runs the query of the walk-through', async () => {
    const { results, count } = await run('search', {
      query: 'type:ticket status:open priority:high created>2026-01-01',
      sort_by: 'created_at',
      sort_order: 'desc',
    });
    expect(results.length).toBeGreaterThan(0);
    expect(count).toBeGreaterThanOrEqual(results.length);
    expect(results.every((one) => one['status'] === 'open' && one['priority'] === 'high')).toBe(true);
  });

  it('finds people only where users may be listed', async () => {
    const query = `type:user email:${CUSTOMER_EMAIL}`;
    await expect(run('search', { query })).rejects.toMatchObject({ code: 'OPERATION_NOT_ALLOWED' });
    const untyped = await run('search', { query: `email:${CUSTOMER_EMAIL}` });
    expect(untyped.results.every((one) => one['result_type'] === 'ticket')).toBe(true);
    const full = await run('search', { query }, { users: true });
    expect(full.results[0]?.['email']).toBe(CUSTOMER_EMAIL);
  });

  it('finds no organizations where they may not be listed, and shows people of found tickets by reference', async () => {
    await expect(run('search', { query: 'type:organization', per_page: 3 })).rejects.toMatchObject({
      code: 'OPERATION_NOT_ALLOWED',
    });
    const tickets = await run('search', { query: 'type:ticket status:open', per_page: 5 });
    expect(tickets.users.length).toBeGreaterThan(0);
    expect(addressIn(tickets.users)).toBe(false);
  });

  it('answers the last page it can, and says that there is more', async () => {
    const { results, page } = await run('search', { query: 'type:ticket', page: 10 });
    expect(results).toHaveLength(100);
    expect(page).toMatchObject({ has_more: false, truncated: true });
  });
});

describe('the credentials of the simulator', () => {
  it('of an admin is good, of a customer or suspended user not, a wrong one refused', async () => {
    const check = (email: string, token = DEFAULT_API_TOKEN) =>
      verifyCredential(clientOf(basicAuthorization(email, token)));
    expect(await check(ADMIN_EMAIL)).toMatchObject({ ok: true, role: 'admin' });
    expect(await check(CUSTOMER_EMAIL)).toMatchObject({ ok: false, reason: 'NOT_AN_AGENT' });
    expect(await check(SUSPENDED_EMAIL)).toMatchObject({ ok: false });
    expect(await check(ADMIN_EMAIL, 'wrong')).toMatchObject({ ok: false });
  });

  it('include an OAuth client whose token works', async () => {
    const token = await requestClientCredentialsToken({
      transport,
      clock: systemClock,
      origin: simulator.url,
      clientId: DEFAULT_OAUTH_CLIENT,
      clientSecret: DEFAULT_OAUTH_SECRET,
      scope: 'read',
      expiresIn: 600,
    });
    expect(token.scope).toBe('read');
    expect(await verifyCredential(clientOf(bearerAuthorization(token.accessToken)))).toMatchObject({
      ok: true,
    });
    const wrong = requestClientCredentialsToken({
      transport,
      clock: systemClock,
      origin: simulator.url,
      clientId: DEFAULT_OAUTH_CLIENT,
      clientSecret: 'wrong',
    });
    await expect(wrong).rejects.toMatchObject({ code: 'UPSTREAM_UNAUTHENTICATED' });
  });
});
