/**
 * A tenant with client keys that are restricted to one organization and to one requester, and a Zendesk in which all
 * that they must not see says so: what is outside holds FOREIGN in every text, what is for agents holds SECRET.
 */
import {
  AGENT_EMAIL,
  FIRST_GROUP_ID,
  FIRST_USER_ID,
  ORDER_FIELD_ID,
  type Simulator,
  type UserRow,
} from '../../../simulator/index.ts';
import { createEnvelopeOpener, type WelcomedKeyFile } from '../../../src/client/index.ts';
import type { TestGateway } from '../../support/gateway.ts';
import { sealedGraphql } from '../../support/sealed-graphql.ts';
import { createTestApiKey, openTestClientKey, suite, type TestTenant } from '../../support/tenant.ts';

export type RestrictionKind = 'ORGANIZATION' | 'REQUESTER';
export const RESTRICTION_KINDS: readonly RestrictionKind[] = ['ORGANIZATION', 'REQUESTER'];

/** An execution result, or what a REST answer held; of as many shapes as there are. */
export type Result = ReturnType<typeof JSON.parse>;
type Variables = Readonly<Record<string, unknown>>;

export interface Cast {
  /** A person of the organization that keys are restricted to, and one of another. */
  readonly own: Readonly<UserRow>;
  readonly foreign: Readonly<UserRow>;
  /** A ticket of the data, of the own person. */
  readonly ownOldTicket: number;
  /** Its problem is the foreign ticket. */
  readonly ownTicket: number;
  readonly foreignTicket: number;
  /** An internal note of the own ticket, and a public comment of the foreign one. */
  readonly ownNote: number;
  readonly foreignComment: number;
}

/** Plays the account's agents. */
export function castTickets({ users, tickets }: Simulator): Cast {
  const people = Array.from({ length: users.count }, (_, at) => users.get(FIRST_USER_ID + at * 7)).filter(
    (user) => user?.role === 'end-user' && user.active && !user.suspended && user.organizationId !== null,
  );
  const seeded = tickets
    .all()
    .find(
      ({ status, requesterId }) => status !== 'closed' && people.some((user) => user?.id === requesterId),
    );
  const own = people.find((user) => user?.id === seeded?.requesterId);
  const foreign = people.find((user) => user?.organizationId !== own?.organizationId);
  if (own == null || foreign == null || seeded === undefined)
    throw new RangeError('the account is too small');
  const secret = {
    notes: 'SECRET notes',
    details: 'SECRET details',
    phone: 'SECRET phone',
    tags: ['secret-tag'],
  };
  users.update(own.id, { name: 'Own Person', email: 'secret@own.example', ...secret });
  users.update(foreign.id, {
    name: 'FOREIGN Person',
    email: 'foreign@foreign.example',
    notes: 'FOREIGN notes',
  });
  const foreignTicket = tickets.create({
    ...{ subject: 'FOREIGN lamp', type: 'problem', tags: ['foreign-tag'], external_id: 'FOREIGN-1' },
    ...{ requester_id: foreign.id, organization_id: foreign.organizationId },
    comment: { body: 'FOREIGN words', public: true },
  });
  const ownTicket = tickets.create({
    ...{ subject: 'Own lamp', type: 'incident', problem_id: foreignTicket },
    ...{ requester_id: own.id, organization_id: own.organizationId, external_id: 'SECRET-1' },
    ...{ group_id: FIRST_GROUP_ID, assignee_id: users.byEmail(AGENT_EMAIL)?.id },
    ...{ tags: ['secret-tag'], custom_fields: [{ id: ORDER_FIELD_ID, value: 'SECRET order' }] },
    comment: { body: 'SECRET first note', public: false },
  });
  tickets.change(ownTicket, { comment: { body: 'Public answer', public: true } });
  tickets.change(ownTicket, { comment: { body: 'SECRET last note', public: false } });
  return {
    ...{ own, foreign, ownTicket, foreignTicket, ownOldTicket: seeded.id },
    ownNote: tickets.comments(ownTicket)[0]?.id ?? 0,
    foreignComment: tickets.comments(foreignTicket)[0]?.id ?? 0,
  };
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** What shows that something was seen which must not be, in the text of an answer. */
export function foundIn(value: unknown, { foreign, foreignTicket, ownNote, foreignComment }: Cast): string[] {
  // What an answer tells of itself, such as how many calls are left, holds small numbers of its own; so does a time.
  const text = JSON.stringify(value, (name, member) => {
    if (name === 'locations' || (typeof member === 'string' && TIME.test(member))) return null;
    return name === 'extensions' ? (member?.fields ?? null) : member;
  });
  const ids = [foreignTicket, foreign.id, foreign.organizationId, ownNote, foreignComment];
  return [
    ...(text.match(/FOREIGN|SECRET/gi) ?? []),
    ...ids.filter((id) => new RegExp(`(?<![\\w-])${id}(?![\\w-])`).test(text)).map(String),
  ];
}

/** One way to ask for the answers of a restricted key. */
export interface RestrictedCaller {
  readonly name: string;
  /** GraphQL; the result as it was in the envelope, where it is sealed. */
  ask(query: string, variables?: Variables): Promise<Result>;
  /** An operation of the catalogue, as REST runs it; `null` where the caller has no sealed answers. */
  readonly run: ((operation: string, payload: unknown) => Promise<Result>) | null;
}

export interface RestrictedKey {
  readonly keyFile: WelcomedKeyFile;
  /** An AGENT key that is bound to it. */
  readonly apiKey: string;
  /** By an API key that is bound to it, by one that names it, and, in the clear, by one that is bound to it. */
  readonly callers: readonly RestrictedCaller[];
}

export function restrictionInput(
  kind: RestrictionKind,
  { integrationId }: TestTenant,
  { own }: Cast,
): Readonly<Record<string, string>> {
  return kind === 'ORGANIZATION'
    ? { integrationId, organizationId: String(own.organizationId) }
    : { integrationId, requesterId: String(own.id) };
}

export async function openRestrictedKey(
  gateway: TestGateway,
  tenant: TestTenant,
  restrictTo: Readonly<Record<string, string>>,
): Promise<RestrictedKey> {
  const { admin } = tenant.keys;
  const keyFile = await openTestClientKey(gateway, admin, admin, restrictTo);
  const opener = createEnvelopeOpener(suite, keyFile);
  const own: TestTenant = { ...tenant, keyFile, opener };
  const bound = { roles: ['AGENT', 'DASHBOARD'], clientKeyId: keyFile.key_id };
  const apiKey = await createTestApiKey(gateway, admin, bound);
  const unbound = await createTestApiKey(gateway, admin, { roles: ['AGENT', 'DASHBOARD'] });
  const plain = await createTestApiKey(gateway, admin, { ...bound, delivery: 'PLAINTEXT' });
  const callerOf = (
    name: string,
    key: string,
    headers: Readonly<Record<string, string>>,
  ): RestrictedCaller => ({
    name,
    async ask(query, variables) {
      return (await sealedGraphql(gateway, own, query, { apiKey: key, headers, variables })).result;
    },
    async run(operation, payload) {
      const { json } = await tenant.proxy(operation, payload, { apiKey: key, headers });
      if (json.success !== true) return json;
      const { plaintext } = await opener.open(json);
      return JSON.parse(new TextDecoder().decode(plaintext));
    },
  });
  return {
    keyFile,
    apiKey,
    callers: [
      callerOf('an API key that is bound to it', apiKey, {}),
      callerOf('an API key that names it', unbound, { 'x-sealdesk-key': keyFile.key_id }),
      {
        name: 'an API key that is bound to it and takes answers in the clear',
        ask: async (query, variables) => (await gateway.graphql(query, { apiKey: plain, variables })).json,
        run: null,
      },
    ],
  };
}

/** The code of the first failure, GraphQL or REST, `null` of a success. */
export function failureOf(result: Result): string | null {
  return result?.errors?.[0]?.extensions?.code ?? result?.error?.code ?? null;
}
