/** The gate to a restricted client key, on answers of any content. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Restriction } from '../../../src/access/index.ts';
import { createId, type JsonObject, SealdeskError } from '../../../src/base/index.ts';
import { CATALOGUE } from '../../../src/proxy/catalogue/catalogue.ts';
import { ScopeGate } from '../../../src/proxy/scope/scope-gate.ts';
import {
  createUsageMeter,
  upstreamOf,
  type ZendeskClient,
  ZendeskError,
  type ZendeskRequest,
  type ZendeskResponse,
} from '../../../src/zendesk/index.ts';

const integrationId = createId('integration');
const OWN_ORGANIZATION = 11;
const OWN_REQUESTER = 21;
const RESTRICTIONS: readonly Restriction[] = [
  { kind: 'ORGANIZATION', integrationId, organizationId: OWN_ORGANIZATION },
  { kind: 'REQUESTER', integrationId, requesterId: OWN_REQUESTER },
];

const responseOf = (body: JsonObject): ZendeskResponse => ({
  ...{ status: 200, body, servedAt: null, idempotencyLookup: null, calls: 1 },
  rateLimit: { limit: null, remaining: null, resetsInMs: null, endpoints: [] } as never,
});
const pass = (gate: ScopeGate, body: JsonObject): JsonObject =>
  gate.passResponse(responseOf(body)).body ?? {};
const ticket = (members: JsonObject): JsonObject => ({ id: 1, is_public: true, subject: 'Lamp', ...members });

const person = fc.constantFrom(21, 22, 23, 24);
const ticketRecord = fc.record({
  id: fc.integer({ min: 100, max: 120 }),
  organization_id: fc.constantFrom<number | string | null>(11, 12, null, '11'),
  requester_id: fc.constantFrom<number | string | null>(21, 22, null, '21'),
  is_public: fc.constantFrom<boolean | string | null>(true, false, null, 'true'),
  assignee_id: fc.option(person),
  email_cc_ids: fc.array(person, { maxLength: 2 }),
  subject: fc.constant('Lamp'),
  description: fc.constant('SECRET'),
  tags: fc.constant(['SECRET']),
  follower_ids: fc.constant([99]),
  problem_id: fc.constant(98),
  some_new_member: fc.constant('SECRET'),
  via: fc.constant({ channel: 'email', source: { from: { address: 'SECRET@example.com' } } }),
});
const commentRecord = fc.record({
  id: fc.integer({ min: 200, max: 220 }),
  author_id: person,
  public: fc.constantFrom<boolean | string | null>(true, false, null, 'true'),
  body: fc.constant('Hello'),
  metadata: fc.constant({ system: { ip_address: 'SECRET' } }),
});
const userRecord = fc.record({
  id: person,
  name: fc.constant('Ada'),
  email: fc.constant('SECRET@example.com'),
});
const organizationRecord = fc.record({
  id: fc.constantFrom(11, 12, 13),
  name: fc.constant('Acme'),
  notes: fc.constant('SECRET'),
});

describe('the gate to a restricted client key', () => {
  it.each(
    RESTRICTIONS,
  )('lets pass of any answer only what is within, and of that only what is shown ($kind)', (restriction) => {
    fc.assert(
      fc.property(
        fc.array(ticketRecord, { maxLength: 5 }),
        fc.array(commentRecord, { maxLength: 5 }),
        fc.array(userRecord, { maxLength: 5 }),
        fc.array(organizationRecord, { maxLength: 4 }),
        (tickets, comments, users, organizations) => {
          const body = { tickets, comments, users, organizations, count: 5, audit: { SECRET: 1 } };
          const passed = pass(new ScopeGate(restriction), body);
          expect(JSON.stringify(passed)).not.toContain('SECRET');
          const isOwn = (one: (typeof tickets)[number]) =>
            one.is_public === true &&
            (restriction.kind === 'ORGANIZATION' ? one.organization_id === 11 : one.requester_id === 21);
          const own = tickets.filter(isOwn);
          const told = comments.filter((one) => one.public === true);
          expect(passed['tickets']).toMatchObject(own.map(({ id, subject }) => ({ id, subject })));
          expect(passed['comments']).toMatchObject(told.map(({ id, body: text }) => ({ id, body: text })));
          const known = new Set<unknown>([
            ...own.flatMap((one) => [one.requester_id, one.assignee_id, ...one.email_cc_ids]),
            ...told.map((one) => one.author_id),
            ...(restriction.kind === 'REQUESTER' ? [OWN_REQUESTER] : []),
          ]);
          expect(passed['users']).toEqual(
            users.filter(({ id }) => known.has(id)).map(({ id, name }) => ({ id, name, photo: null })),
          );
          const own11 = new Set<unknown>(own.map((one) => one.organization_id));
          if (restriction.kind === 'ORGANIZATION') own11.add(OWN_ORGANIZATION);
          expect(passed['organizations']).toEqual(
            organizations.filter(({ id }) => own11.has(id)).map(({ id, name }) => ({ id, name })),
          );
          expect(Object.keys(passed).toSorted()).toEqual(['comments', 'organizations', 'tickets', 'users']);
        },
      ),
    );
  });

  it.each(RESTRICTIONS)('shows what a ticket within refers to, and nobody else ($kind)', (restriction) => {
    const gate = new ScopeGate(restriction);
    const stranger = { id: 22, name: 'Grace' };
    expect(gate.pass('users', stranger)).toBeNull();
    pass(gate, { ticket: ticket({ organization_id: 11, requester_id: 21, assignee_id: 22 }) });
    expect(gate.pass('users', stranger)).toEqual({ id: 22, name: 'Grace', photo: null });
    expect(gate.shown).toEqual([1]);
  });

  it('tells of a ticket outside, of one that cannot be read and of one that is not there in the same words', () => {
    const restriction = RESTRICTIONS[0] as Restriction;
    const failures = [
      { ticket: ticket({ organization_id: 12 }) },
      { ticket: ticket({}) },
      { ticket: 'x' },
    ].map((body) => {
      try {
        return pass(new ScopeGate(restriction), body);
      } catch (error) {
        return error;
      }
    });
    const missing = new SealdeskError('NOT_FOUND', 'Zendesk says so.', {
      ...{ upstreamStatus: 404, upstreamError: 'RecordNotFound' },
    });
    const told = [...failures, new ScopeGate(restriction).tell(missing)].map((failure) => {
      const { code, message, details } = failure as SealdeskError;
      return { code, message, details };
    });
    expect(new Set(told.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(told[0]?.code).toBe('NOT_FOUND');
  });

  it.each([
    ['REFUSED', 'UPSTREAM_REJECTED', 422],
    ['SERVER_ERROR', 'UPSTREAM_UNAVAILABLE', 500],
  ] as const)('tells of a failure that is %s its code and status, and none of Zendesk’s words', async (failure, code, status) => {
    const answer = { status, body: { error: 'SECRET of ticket 99' }, truncated: false };
    const failed = new ZendeskError(code, 'Zendesk says no.', {
      ...{ failure, upstream: answer, upstreamStatus: status },
    });
    expect(upstreamOf(failed)).toEqual(answer);
    for (const restriction of RESTRICTIONS) {
      const told = new ScopeGate(restriction).tell(failed);
      expect(told).toBeInstanceOf(ZendeskError);
      expect(told).toMatchObject({ failure, code, message: failed.message, details: failed.details });
      expect(upstreamOf(told)).toBeNull();
    }
    const gate = new ScopeGate(RESTRICTIONS[0] as Restriction);
    const client: ZendeskClient = {
      origin: 'https://acme.zendesk.com',
      request: () => Promise.reject(failed),
    };
    const reading = CATALOGUE.list_tickets.prepare({}, gate.restriction).run(client, {
      ...{ usage: createUsageMeter(), isPermitted: () => false, gate },
    });
    const seen = await reading.catch((error: unknown) => error);
    expect(seen).toMatchObject({ code, details: { upstreamStatus: status } });
    expect(upstreamOf(seen)).toBeNull();
  });

  it('keeps of paging what leads on', () => {
    const gate = new ScopeGate(RESTRICTIONS[0] as Restriction);
    const body = {
      ...{ tickets: [], count: 7, next_page: 'https://x/2', links: { next: 'https://x/3' } },
      meta: { has_more: true, after_cursor: 'abc', total: 7 },
    };
    expect(pass(gate, body)).toEqual({
      ...{ tickets: [], next_page: 'https://x/2' },
      meta: { has_more: true, after_cursor: 'abc' },
    });
  });
});

describe('a ticket that a restricted client key creates', () => {
  const restriction: Restriction = { kind: 'REQUESTER', integrationId, requesterId: OWN_REQUESTER };
  const sent: ZendeskRequest[] = [];
  const create = (answer: () => Promise<ZendeskResponse>) => {
    const client: ZendeskClient = {
      origin: 'https://acme.zendesk.com',
      request: (request) => {
        sent.push(request);
        return answer();
      },
    };
    const payload = { subject: 'Lamp', comment: { body: 'Words', public: true } };
    return CATALOGUE.create_ticket.prepare(payload, restriction).run(client, {
      ...{ usage: createUsageMeter(), isPermitted: () => false, gate: new ScopeGate(restriction) },
    });
  };

  it('is its requester’s, who is its author too', async () => {
    const { result } = await create(async () =>
      responseOf({ ticket: ticket({ requester_id: OWN_REQUESTER }) }),
    );
    expect(result.ticket).toMatchObject({ id: 1, subject: 'Lamp' });
    expect(sent.at(-1)?.body).toEqual({
      ticket: {
        subject: 'Lamp',
        requester_id: OWN_REQUESTER,
        comment: { body: 'Words', public: true, author_id: OWN_REQUESTER },
      },
    });
  });

  it('is not shown where Zendesk made it somebody else’s, but told to be there', async () => {
    const failure = create(async () => responseOf({ ticket: ticket({ requester_id: 22 }) }));
    await expect(failure).rejects.toMatchObject({ code: 'NOT_FOUND', details: { mutation: 'APPLIED' } });
  });

  it('is told not to be there where Zendesk was not asked', async () => {
    const failure = create(async () => {
      throw new SealdeskError('NOT_FOUND', 'Zendesk says so.', { mutation: 'NOT_SENT', upstreamStatus: 404 });
    });
    await expect(failure).rejects.toMatchObject({ code: 'NOT_FOUND', details: { mutation: 'NOT_SENT' } });
  });
});
