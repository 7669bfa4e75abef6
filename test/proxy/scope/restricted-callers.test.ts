/**
 * Client keys that are restricted, on every path to Zendesk but the feed: each field of the typed graph and each
 * operation of the catalogue, with ids from within and from outside. A new field or operation without an example
 * fails by its name.
 */
import {
  type GraphQLField,
  type GraphQLObjectType,
  getNamedType,
  isAbstractType,
  isObjectType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../../schema/index.ts';
import { OPERATION_NAMES } from '../../../src/proxy/index.ts';
import { isProtected, operationOf } from '../../../src/service/index.ts';
import { codeOf, type House, newestEvents, openHouse } from '../../service/house.ts';
import { sealedGraphql } from '../../support/sealed-graphql.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey } from '../../support/tenant.ts';
import {
  type Cast,
  castTickets,
  failureOf,
  foundIn,
  openRestrictedKey,
  RESTRICTION_KINDS,
  type RestrictedCaller,
  type RestrictedKey,
  type RestrictionKind,
  type Result,
  restrictionInput,
} from './restricted-desk.ts';
import { ROOTS_OF_ZENDESK, type Sight, TYPE_EXAMPLES, TYPES_OF_ROOTS } from './restricted-examples.ts';

type Field = GraphQLField<unknown, unknown>;

/** As many lists as a document may ask for. */
const FIELDS_AT_ONCE = 4;

const objectTypes = (Object.values(schema.getTypeMap()) as readonly GraphQLObjectType[]).filter(
  (type) => isObjectType(type) && !type.name.startsWith('__'),
);

/** The leaves of a type that need no operation; of an abstract one its name. */
function leavesOf(field: Field): string {
  const type = getNamedType(field.type);
  if (isAbstractType(type)) return '{ __typename }';
  if (!isObjectType(type)) return '';
  const leaves = Object.values(type.getFields()).filter(
    (one) =>
      operationOf(one) === null &&
      !isObjectType(getNamedType(one.type)) &&
      !isAbstractType(getNamedType(one.type)),
  );
  return `{ __typename ${leaves.map(({ name }) => name).join(' ')} }`;
}

const sightOf = (of: string, field: string, kind: RestrictionKind): Sight => {
  const sight = TYPE_EXAMPLES[of]?.fields[field] ?? 'SHOWN';
  return typeof sight === 'string' ? sight : sight[kind];
};

/** All values of `field` in an answer, wherever it is. */
function valuesOf(answer: Result, field: string): readonly unknown[] {
  if (Array.isArray(answer)) return answer.flatMap((one) => valuesOf(one, field));
  if (typeof answer !== 'object' || answer === null) return [];
  return Object.entries(answer).flatMap(([name, value]) =>
    name === field ? [value] : valuesOf(value, field),
  );
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === false || (Array.isArray(value) && value.every(isEmpty));

describe('the examples of what restricted keys are shown', () => {
  it('name every field of every type of Zendesk', () => {
    const types = objectTypes.filter((type) => isProtected(type) && TYPES_OF_ROOTS[type.name] === undefined);
    const fields = (type: GraphQLObjectType) =>
      Object.keys(type.getFields()).map((name) => `${type.name}.${name}`);
    const named = Object.entries(TYPE_EXAMPLES).flatMap(([type, example]) =>
      Object.keys(example.fields).map((name) => `${type}.${name}`),
    );
    const mixed = new Set(['PageInfo']);
    expect(named.toSorted()).toEqual(
      types
        .filter(({ name }) => !mixed.has(name))
        .flatMap(fields)
        .toSorted(),
    );
  });

  it('name every root field that leads to Zendesk', () => {
    const leads = new Map<string, boolean>();
    const leadsToZendesk = (type: GraphQLObjectType): boolean => {
      const known = leads.get(type.name);
      if (known !== undefined) return known;
      leads.set(type.name, isProtected(type));
      const found = isProtected(type) || Object.values(type.getFields()).some(fieldLeads);
      leads.set(type.name, found);
      return found;
    };
    const fieldLeads = (field: Field): boolean => {
      const type = getNamedType(field.type);
      if (operationOf(field) !== null) return true;
      if (isAbstractType(type)) return schema.getPossibleTypes(type).some(leadsToZendesk);
      return isObjectType(type) && leadsToZendesk(type);
    };
    const found = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
      (root) =>
        Object.values(root?.getFields() ?? {})
          .filter(fieldLeads)
          .map(({ name }) => `${root?.name}.${name}`),
    );
    const sealed = ['Mutation.proxyOutbound', 'Mutation.unsealCredential'];
    expect([...new Set([...found, ...sealed])].toSorted()).toEqual([...ROOTS_OF_ZENDESK].toSorted());
  });
});

describeOnBothDatabases('a client key that is restricted', (database) => {
  let house: House;
  let cast: Cast;
  const keys = new Map<RestrictionKind, RestrictedKey>();

  beforeAll(async () => {
    house = await openHouse(database, { simulator: { tickets: 60 } });
    cast = castTickets(house.gateway.simulator);
    for (const kind of RESTRICTION_KINDS) {
      const restrictTo = restrictionInput(kind, house.tenant, cast);
      keys.set(kind, await openRestrictedKey(house.gateway, house.tenant, restrictTo));
    }
  });
  afterAll(() => house[Symbol.asyncDispose]());

  const keyOf = (kind: RestrictionKind): RestrictedKey => {
    const key = keys.get(kind);
    if (key === undefined) throw new TypeError(`"kind" must be opened before, got ${kind}`);
    return key;
  };
  const idOf = (kind: string, id: number | string | null) => `${house.tenant.integrationId}:${kind}:${id}`;
  const asked = async (
    caller: RestrictedCaller,
    document: string,
    variables: object = {},
  ): Promise<Result> => {
    const used = { int: house.tenant.integrationId, own: String(cast.ownTicket), ...variables };
    const names = Object.entries(used).filter(([name]) => document.includes(`$${name}`));
    const declared = names.map(([name]) => `$${name}: ${name === 'ids' ? '[ID!]!' : 'ID!'}`).join(', ');
    const operation = document.startsWith('mutation') ? document.slice('mutation'.length) : document;
    const kind = document.startsWith('mutation') ? 'mutation' : 'query';
    const text = `${kind}${declared === '' ? '' : `(${declared})`} { ${operation} }`;
    const result = await caller.ask(text, Object.fromEntries(names));
    expect(foundIn(result, cast), document).toEqual([]);
    return result;
  };
  const each = async (kind: RestrictionKind, work: (caller: RestrictedCaller) => Promise<void>) => {
    for (const caller of keyOf(kind).callers) await work(caller);
  };

  describe.each(RESTRICTION_KINDS)('to one %s', (kind) => {
    it.each(Object.keys(TYPE_EXAMPLES))('is shown of %s what the examples say', async (name) => {
      const type = objectTypes.find((one) => one.name === name);
      const { path = '' } = TYPE_EXAMPLES[name] ?? {};
      const fields = Object.values(type?.getFields() ?? {});
      const withSight = (...sights: readonly Sight[]) =>
        fields.filter((field) => sights.includes(sightOf(name, field.name, kind)));
      await each(kind, async (caller) => {
        const told = withSight('SHOWN', 'WITHHELD');
        if (told.length > 0) {
          const selected = told.map((field) => `${field.name} ${leavesOf(field)}`).join(' ');
          const result = await asked(caller, path.replace('%', selected));
          expect(result.errors, caller.name).toBeUndefined();
          for (const field of told) {
            const values = valuesOf(result.data, field.name);
            const isWithheld = sightOf(name, field.name, kind) === 'WITHHELD';
            expect([field.name, values.some((value) => !isEmpty(value))]).toEqual([field.name, !isWithheld]);
          }
        }
        for (const [sight, code] of [
          ['DENIED', 'OPERATION_NOT_ALLOWED'],
          ['ADMINS', 'FORBIDDEN'],
        ] as const) {
          const denied = withSight(sight);
          for (let start = 0; start < denied.length; start += FIELDS_AT_ONCE) {
            const some = denied.slice(start, start + FIELDS_AT_ONCE);
            const documents = some.map(
              (field) => `${field.name}: ${path.replace('%', `${field.name} ${leavesOf(field)}`)}`,
            );
            const { errors = [] } = await asked(caller, documents.join(' '));
            expect(errors.map((error: Result) => [error.path[0], error.extensions.code]).toSorted()).toEqual(
              some.map((field) => [field.name, code]).toSorted(),
            );
          }
        }
      });
    });

    it('reads its own tickets, and those only, by every list that it may ask for', async () => {
      const { tickets } = house.gateway.simulator;
      const isOwn = (row: { readonly requesterId: number; readonly organizationId: number | null }) =>
        kind === 'REQUESTER'
          ? row.requesterId === cast.own.id
          : row.organizationId === cast.own.organizationId;
      const listed = tickets.all().filter((row) => isOwn(row) && row.isPublic);
      await each(kind, async (caller) => {
        const ids = async (list: string): Promise<readonly number[]> => {
          const result = await asked(caller, list);
          expect(result.errors, list).toBeUndefined();
          return valuesOf(result.data, 'zendeskId').map(Number);
        };
        const newest = await ids('myTickets(integrationId: $int, first: 100) { nodes { zendeskId } }');
        expect(newest).toContain(cast.ownTicket);
        expect(newest).toEqual(newest.toSorted((a, b) => b - a));
        expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining([...newest]));
        const oldest = await ids(
          'myTickets(integrationId: $int, first: 100, sort: { by: UPDATED_AT, direction: ASC }) { nodes { zendeskId } }',
        );
        expect(oldest.toSorted()).toEqual(newest.toSorted());
        expect(await ids('integration(id: $int) { tickets(first: 100) { nodes { zendeskId } } }')).toEqual(
          newest,
        );
        for (const list of [
          'tickets(filter: { status: [OPEN] }) { nodes { id } }',
          'tickets(sort: { by: PRIORITY }) { nodes { id } }',
          `tickets(filter: { organizationId: "${cast.own.organizationId}" }) { nodes { id } }`,
          'search(query: "lamp") { nodes { __typename } }',
          'users { nodes { id } }',
          'organizations { nodes { id } }',
        ]) {
          const result = await asked(caller, `integration(id: $int) { ${list} }`);
          expect([list, failureOf(result)]).toEqual([list, 'OPERATION_NOT_ALLOWED']);
        }
        const byPriority = 'myTickets(integrationId: $int, sort: { by: PRIORITY }) { nodes { id } }';
        expect(failureOf(await asked(caller, byPriority))).toBe('OPERATION_NOT_ALLOWED');
      });
    });

    it('walks its tickets page by page', async () => {
      const [caller] = keyOf(kind).callers;
      if (caller === undefined) throw new TypeError('a key has callers');
      const list = (after: string) =>
        `myTickets(integrationId: $int, first: 1${after}) { nodes { zendeskId } pageInfo { hasNextPage endCursor } }`;
      const walked: number[] = [];
      let after = '';
      for (;;) {
        const { data } = await asked(caller, list(after));
        walked.push(...data.myTickets.nodes.map((node: Result) => Number(node.zendeskId)));
        if (!data.myTickets.pageInfo.hasNextPage) break;
        after = `, after: "${data.myTickets.pageInfo.endCursor}"`;
      }
      const whole = await asked(caller, 'myTickets(integrationId: $int, first: 100) { nodes { zendeskId } }');
      expect(walked).toEqual(whole.data.myTickets.nodes.map((node: Result) => Number(node.zendeskId)));
    });

    it('cannot tell what is outside from what is not there', async () => {
      const nobody = 999_999;
      const pairs: readonly (readonly [string, (ticket: number, comment: number) => object])[] = [
        ['integration(id: $int) { ticket(id: $id) { subject } }', (ticket) => ({ id: String(ticket) })],
        ['integration(id: $int) { ticket(id: $id) { id } }', (ticket) => ({ id: idOf('ticket', ticket) })],
        ['node(id: $id) { ... on Ticket { subject } }', (ticket) => ({ id: idOf('ticket', ticket) })],
        ['nodes(ids: $ids) { ... on Ticket { subject } }', (ticket) => ({ ids: [idOf('ticket', ticket)] })],
        [
          'node(id: $id) { ... on Comment { body } }',
          (ticket, comment) => ({ id: idOf('comment', `${ticket}.${comment}`) }),
        ],
      ];
      await each(kind, async (caller) => {
        for (const [document, variables] of pairs) {
          const foreign = await asked(caller, document, variables(cast.foreignTicket, cast.foreignComment));
          const none = await asked(caller, document, variables(nobody, 1));
          expect(foreign.errors, document).toBeUndefined();
          expect(valuesOf(foreign.data, 'subject'), document).toEqual([]);
          const { auditEventId: _one, ...told } = foreign.extensions;
          const { auditEventId: _other, ...expected } = none.extensions;
          expect({ data: foreign.data, calls: told.zendesk.calls }).toEqual({
            ...{ data: none.data, calls: expected.zendesk.calls },
          });
        }
        // A note of its own ticket is not there either.
        const note = await asked(caller, 'node(id: $id) { ... on Comment { body } }', {
          id: idOf('comment', `${cast.ownTicket}.${cast.ownNote}`),
        });
        expect(note.data.node).toBeNull();
      });
    });

    it('has no people, no organizations and no other integration', async () => {
      const { foreign, own } = cast;
      await each(kind, async (caller) => {
        for (const [type, id] of [
          ['User', idOf('user', foreign.id)],
          ['User', idOf('user', own.id)],
          ['Organization', idOf('organization', foreign.organizationId)],
          ['Organization', idOf('organization', own.organizationId)],
        ]) {
          const result = await asked(caller, `node(id: $id) { ... on ${type} { name } }`, { id });
          expect(failureOf(result)).toBe('OPERATION_NOT_ALLOWED');
        }
        const other = { int: house.other.integrationId };
        for (const document of [
          'integration(id: $int) { tickets { nodes { id } } }',
          'myTickets(integrationId: $int) { nodes { id } }',
        ]) {
          expect(failureOf(await asked(caller, document, other))).toBe('NOT_FOUND');
        }
      });
    });

    it('has no second integration of its own tenant', async () => {
      const { gateway, tenant } = house;
      const { json } = await gateway.graphql(
        `mutation($id: ID!) { createIntegration(input: { systemType: ZENDESK, config: { subdomain: "acme" },
          credentialId: $id, allowedOperations: ["get_ticket", "list_tickets"] }) { integration { id } } }`,
        { apiKey: tenant.keys.admin, variables: { id: tenant.credentialId } },
      );
      const second = { int: json.data.createIntegration.integration.id };
      await each(kind, async (caller) => {
        for (const document of [
          'integration(id: $int) { tickets { nodes { id } } }',
          'integration(id: $int) { ticket(id: $own) { subject } }',
          'myTickets(integrationId: $int) { nodes { id } }',
        ]) {
          expect(failureOf(await asked(caller, document, second))).toBe('NOT_FOUND');
        }
        const listed = await asked(caller, 'integrations { edges { node { id } } }');
        expect([caller.name, valuesOf(listed.data, 'id')]).toEqual([caller.name, [tenant.integrationId]]);
        const node = await asked(caller, 'node(id: $int) { ... on Integration { id } }', second);
        expect([caller.name, valuesOf(node.data, 'id')]).toEqual([caller.name, []]);
      });
    });

    it('changes no ticket, and creates one as its own only', async () => {
      const { simulator } = house.gateway;
      const before = simulator.tickets.count;
      const requester = kind === 'ORGANIZATION' ? `requesterId: "${cast.own.id}"` : '';
      const creation = (fields: string, comment = 'public: true') =>
        `mutation createTicket(input: { integrationId: $int, ${fields}, comment: { body: "Own words", ${comment} } }) {
          idempotency ticket { zendeskId subject description requester { name } comments { nodes { body } } } }`;
      let made = 0;
      await each(kind, async (caller) => {
        for (const ticket of [cast.ownTicket, cast.foreignTicket]) {
          const id = idOf('ticket', ticket);
          const update =
            'mutation updateTicket(input: { ticketId: $id, status: OPEN }) { ticket { id } current { id } }';
          const comment =
            'mutation addComment(input: { ticketId: $id, body: "x", public: true }) { ticket { id } }';
          expect(failureOf(await asked(caller, update, { id }))).toBe('OPERATION_NOT_ALLOWED');
          expect(failureOf(await asked(caller, comment, { id }))).toBe('OPERATION_NOT_ALLOWED');
        }
        for (const refused of [
          `requesterId: "${cast.foreign.id}"`,
          'requesterId: "1"',
          'requester: { email: "foreign@foreign.example" }',
          `${requester} organizationId: "${cast.foreign.organizationId}"`,
          `${requester} problemId: "${cast.foreignTicket}"`,
          `${requester} tags: ["x"]`,
          `${requester} status: SOLVED`,
          `${requester} externalId: "x"`,
          ...(kind === 'ORGANIZATION' ? ['subject: "x"'] : []),
        ]) {
          const result = await asked(caller, creation(refused));
          expect([refused, failureOf(result)]).toEqual([refused, 'VALIDATION_FAILED']);
          expect(result.errors[0].extensions.mutation ?? 'NOT_SENT').toBe('NOT_SENT');
        }
        expect(failureOf(await asked(caller, creation(requester, 'public: false')))).toBe(
          'VALIDATION_FAILED',
        );
        const author = `public: true, authorId: "${cast.foreign.id}"`;
        expect(failureOf(await asked(caller, creation(requester, author)))).toBe('VALIDATION_FAILED');
        expect(simulator.tickets.count).toBe(before + made);
        const { data } = await asked(caller, creation(`${requester} subject: "Own wish"`));
        made += 1;
        const { ticket } = data.createTicket;
        expect(ticket).toMatchObject({
          ...{ subject: 'Own wish', description: null, requester: { name: 'Own Person' } },
          comments: { nodes: [{ body: 'Own words' }] },
        });
        const row = simulator.tickets.get(Number(ticket.zendeskId));
        expect(row).toMatchObject({ requesterId: cast.own.id, isPublic: true });
        if (kind === 'ORGANIZATION') expect(row?.organizationId).toBe(cast.own.organizationId);
      });
    });

    it('is answered by every operation of the catalogue within its restriction', async () => {
      const { own, foreign, ownTicket, foreignTicket } = cast;
      const requester = kind === 'ORGANIZATION' ? { requester_id: own.id } : {};
      const comment = { body: 'Own words', public: true };
      type Try = readonly [payload: unknown, code: string | null];
      const tries: Readonly<Record<string, readonly Try[]>> = {
        get_ticket: [
          [{ ticket_id: ownTicket }, null],
          [{ ticket_id: foreignTicket }, 'NOT_FOUND'],
          [{ ticket_id: 999_999 }, 'NOT_FOUND'],
        ],
        list_tickets: [
          [{}, null],
          [{ page: 1, per_page: 5, sort_by: 'updated_at' }, null],
          [{ cursor: null, per_page: 5 }, null],
          [{ status: 'open' }, 'OPERATION_NOT_ALLOWED'],
          [{ created_from: '2020-01-01' }, 'OPERATION_NOT_ALLOWED'],
          [{ sort_by: 'priority' }, 'OPERATION_NOT_ALLOWED'],
        ],
        create_ticket: [
          [{ ...requester, comment }, null],
          [{ requester_id: foreign.id, comment }, 'VALIDATION_FAILED'],
          [{ requester: { email: 'foreign@foreign.example' }, comment }, 'VALIDATION_FAILED'],
          [{ ...requester, comment, organization_id: foreign.organizationId }, 'VALIDATION_FAILED'],
          [{ ...requester, comment, problem_id: foreignTicket, type: 'incident' }, 'VALIDATION_FAILED'],
          [{ ...requester, comment: { ...comment, author_id: foreign.id } }, 'VALIDATION_FAILED'],
          [{ ...requester, comment: { ...comment, public: false } }, 'VALIDATION_FAILED'],
        ],
        update_ticket: [
          [{ ticket_id: ownTicket, status: 'open' }, 'OPERATION_NOT_ALLOWED'],
          [{ ticket_id: foreignTicket, status: 'open' }, 'OPERATION_NOT_ALLOWED'],
        ],
        list_users: [[{}, 'OPERATION_NOT_ALLOWED']],
        list_organizations: [[{}, 'OPERATION_NOT_ALLOWED']],
        search: [[{ query: 'type:ticket lamp' }, 'OPERATION_NOT_ALLOWED']],
        // It runs as a subscription only, and is not on the list of this integration.
        subscribe_tickets: [[{}, 'OPERATION_NOT_ALLOWED']],
        // It is an admin's.
        sync_directory: [[{}, 'FORBIDDEN']],
        // For ADMIN, as which nobody comes by a restricted key.
        create_user: [[{ name: 'A', email: 'a@b.test' }, 'FORBIDDEN']],
        update_user: [[{ user_id: own.id, phone: '1' }, 'FORBIDDEN']],
        suspend_user: [[{ user_id: own.id, suspended: true }, 'FORBIDDEN']],
        manage_groups: [[{ user_id: own.id, group_id: 1, action: 'add' }, 'FORBIDDEN']],
        end_sessions: [[{ user_id: own.id }, 'FORBIDDEN']],
      };
      for (const operation of OPERATION_NAMES) {
        expect(tries[operation], `${operation} has no example`).toBeDefined();
        await each(kind, async ({ run }) => {
          if (run === null) return;
          for (const [payload, code] of tries[operation] ?? []) {
            const result = await run(operation, payload);
            expect([operation, payload, failureOf(result)]).toEqual([operation, payload, code]);
            expect(foundIn(result, cast), operation).toEqual([]);
            if (code !== null) continue;
            const tickets: readonly Result[] = result.tickets ?? [result.ticket];
            for (const ticket of tickets) {
              expect(ticket).toMatchObject(
                kind === 'REQUESTER' ? { requester_id: own.id } : { organization_id: own.organizationId },
              );
            }
            expect(tickets.length).toBeGreaterThan(0);
            expect(result.count ?? null).toBeNull();
            for (const person of result.users ?? []) {
              expect(Object.keys(person).toSorted()).toEqual(['id', 'name', 'photo']);
            }
          }
        });
      }
    });

    it('gets the same by proxyOutbound as by REST', async () => {
      const { gateway, tenant } = house;
      const key = keyOf(kind);
      const outbound = (operation: string, payload: string) =>
        gateway.graphql(
          `mutation($id: ID!) { proxyOutbound(input: { integrationId: $id, operation: "${operation}", payload: ${payload} }) {
            envelope } }`,
          { apiKey: key.apiKey, variables: { id: tenant.integrationId } },
        );
      const { json } = await outbound('get_ticket', `{ ticket_id: ${cast.ownTicket} }`);
      const [, byName] = key.callers;
      const told = await byName?.run?.('get_ticket', { ticket_id: cast.ownTicket });
      expect(told.comments.map(({ body }: Result) => body)).toEqual(['Public answer']);
      expect(json.data.proxyOutbound.envelope.success).toBe(true);
      expect(codeOf(await outbound('get_ticket', `{ ticket_id: ${cast.foreignTicket} }`))).toBe('NOT_FOUND');
      expect(codeOf(await outbound('search', '{ query: "lamp" }'))).toBe('OPERATION_NOT_ALLOWED');
    });
  });

  it('is neither widened nor widens when it asks together with others', async () => {
    const [mine] = keyOf('ORGANIZATION').callers;
    const [theirs] = keyOf('REQUESTER').callers;
    const { tenant, gateway } = house;
    // Of the same rights, so that what Zendesk is asked may be shared.
    const whole = await createTestApiKey(gateway, tenant.keys.admin, {
      ...{ roles: ['AGENT', 'DASHBOARD'], clientKeyId: tenant.keyFile.key_id },
      allowedOperations: ['get_ticket', 'list_tickets', 'create_ticket'],
    });
    const document = 'integration(id: $int) { ticket(id: $id) { subject tags description } }';
    const id = String(cast.foreignTicket);
    const [first, second, third] = await Promise.all([
      asked(mine as RestrictedCaller, document, { id }),
      sealedGraphql(gateway, tenant, `query($int: ID!, $id: ID!) { ${document} }`, {
        ...{ apiKey: whole, variables: { int: tenant.integrationId, id } },
      }),
      asked(theirs as RestrictedCaller, document, { id }),
    ]);
    expect(first.data.integration.ticket).toBeNull();
    expect(third.data.integration.ticket).toBeNull();
    expect(second.result.data.integration.ticket).toMatchObject({
      ...{ subject: 'FOREIGN lamp', tags: ['foreign-tag'], description: 'FOREIGN words' },
    });
  });

  it('follows its ticket: once it belongs to somebody else it is not there any more', async () => {
    const { tickets } = house.gateway.simulator;
    const { own, foreign } = cast;
    const moving = tickets.create({
      ...{ subject: 'Moving lamp', requester_id: own.id, organization_id: own.organizationId },
      comment: { body: 'Words', public: true },
    });
    const look = async () => {
      const subjects: unknown[] = [];
      for (const kind of RESTRICTION_KINDS) {
        await each(kind, async (caller) => {
          const result = await asked(caller, 'integration(id: $int) { ticket(id: $id) { subject } }', {
            id: String(moving),
          });
          subjects.push(result.data.integration.ticket?.subject ?? null);
        });
      }
      return subjects;
    };
    expect(new Set(await look())).toEqual(new Set(['Moving lamp']));
    tickets.change(moving, { requester_id: foreign.id, organization_id: foreign.organizationId });
    expect(new Set(await look())).toEqual(new Set([null]));
    tickets.change(moving, { requester_id: own.id, organization_id: own.organizationId });
    expect(new Set(await look())).toEqual(new Set(['Moving lamp']));
  });

  it('leaves an API key that is bound to it no role but AGENT and DASHBOARD', async () => {
    const { gateway, tenant } = house;
    const { key_id: clientKeyId } = keyOf('ORGANIZATION').keyFile;
    const everything = await createTestApiKey(gateway, tenant.keys.admin, {
      ...{ roles: ['ADMIN', 'AUDITOR', 'AGENT'], clientKeyId },
    });
    for (const document of [
      '{ auditEvents { edges { node { resource } } } }',
      '{ credentials { edges { node { id } } } }',
      '{ clientKeys { edges { node { id } } } }',
      `mutation { enableTicketFeed(integrationId: "${tenant.integrationId}") { integration { id } } }`,
      `mutation { disableTicketFeed(integrationId: "${tenant.integrationId}") { integration { id } } }`,
      `mutation { disconnectZendesk(integrationId: "${tenant.integrationId}") { integration { id } } }`,
      `mutation { connectZendesk(integrationId: "${tenant.integrationId}", clientId: "x") { authorizationUrl } }`,
      `mutation { updateIntegration(input: { id: "${tenant.integrationId}", enabled: false }) { integration { id } } }`,
      `mutation { createIntegration(input: { systemType: ZENDESK, config: { subdomain: "x" } }) { integration { id } } }`,
      `mutation { unsealCredential(id: "${tenant.credentialId}") { envelope } }`,
    ]) {
      expect([document, codeOf(await gateway.graphql(document, { apiKey: everything }))]).toEqual([
        ...[document, 'FORBIDDEN'],
      ]);
    }
  });

  it('is given no credential, nor how the feed stands', async () => {
    const { gateway, tenant } = house;
    const headers = { 'x-sealdesk-key': keyOf('ORGANIZATION').keyFile.key_id };
    const unseal = await gateway.graphql(
      `mutation { unsealCredential(id: "${tenant.credentialId}") { envelope } }`,
      { apiKey: tenant.keys.admin, headers },
    );
    expect(codeOf(unseal)).toBe('OPERATION_NOT_ALLOWED');
    const status = `{ integration(id: "${tenant.integrationId}") { feedStatus { appended } } }`;
    const { apiKey } = keyOf('ORGANIZATION');
    expect(codeOf(await gateway.graphql(status, { apiKey }))).toBe('OPERATION_NOT_ALLOWED');
  });

  it('is what myTickets is for: others are told what to ask instead', async () => {
    const { gateway, tenant } = house;
    const { result } = await sealedGraphql(
      ...([gateway, tenant, 'query($int: ID!) { myTickets(integrationId: $int) { nodes { id } } }'] as const),
      { variables: { int: tenant.integrationId } },
    );
    expect(failureOf(result)).toBe('OPERATION_NOT_ALLOWED');
    expect(result.errors[0].message).toContain('Read the tickets of the integration');
  });

  it('leaves in the log what it tried, as a denial where it was outside', async () => {
    const { gateway, tenant } = house;
    const [caller] = keyOf('ORGANIZATION').callers;
    await caller?.run?.('get_ticket', { ticket_id: cast.foreignTicket });
    const events = await newestEvents(gateway, tenant.keys.auditor, 5);
    expect(events.findLast(({ operation }) => operation === 'get_ticket')).toMatchObject({
      ...{ outcome: 'DENIED', denialReason: 'NOT_FOUND', resource: `ticket:${cast.foreignTicket}` },
    });
  });
});
