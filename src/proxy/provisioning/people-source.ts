/**
 * Zendesk as plans read it, live: people by id and by address, what a person has, and the account around them
 * (zendesk-api §7). Reads are of the mutation lane, as what they are for.
 */
import { z } from 'zod';
import { isSealdeskError, SealdeskError } from '../../base/index.ts';
import { type Account, isStaff, PERSON_ROLES, type Person } from '../../provisioning/index.ts';
import {
  cursorPages,
  MAX_BATCH_IDS,
  MAX_PAGE_SIZE,
  MAX_SEARCH_RECORDS,
  readOffsetPage,
  type ZendeskClient,
} from '../../zendesk/index.ts';
import { readAccountHolders } from '../catalogue/guarded-users.ts';
import { readMemberships } from '../catalogue/manage-groups.ts';
import type { Call } from '../catalogue/operation.ts';
import { readBody, records, type ZendeskRecord } from '../catalogue/records.ts';
import { Turns } from '../graph/turns.ts';

/** Addresses of one search: together they stay below the longest address of a call. */
const MAX_ADDRESSES = 40;
const MAX_GROUP_PAGES = 50;
/** Calls of one plan at the same time. */
const CALLS_AT_ONCE = 4;
const OPEN_STATUSES: readonly unknown[] = ['new', 'open', 'pending', 'hold'];
/** Answers of these codes mean that the account does not offer something. */
const NOT_OFFERED = ['NOT_FOUND', 'UPSTREAM_FORBIDDEN'];

const UsersBody = z.looseObject({ users: records });
const GroupsBody = z.looseObject({ groups: records });
const RolesBody = z.looseObject({ custom_roles: records });
const ResultsBody = z.looseObject({ results: records });
const CountBody = z.looseObject({ count: z.number() });
const UserCountBody = z.looseObject({ count: z.looseObject({ value: z.number() }) });

/** What of a person is read beside the person itself; each is a call of its own for each of the staff. */
export interface PersonNeeds {
  readonly groups: boolean;
  readonly openTickets: boolean;
}

export interface PeopleSource {
  /** Who is there, by id. Rejects with `ZendeskError`. */
  byIds(ids: readonly number[], needs: PersonNeeds): Promise<ReadonlyMap<number, Person>>;
  /**
   * Who has which of these addresses (in lower case), as the primary or another one, by address. Zendesk's search
   * knows of somebody new only after a while; a creation then is refused all the same.
   */
  byAddresses(addresses: readonly string[], needs: PersonNeeds): Promise<ReadonlyMap<string, Person>>;
  account(
    breakGlassIds: ReadonlySet<number>,
    needs: { readonly groups: boolean; readonly customRoles: boolean },
  ): Promise<Account>;
  /**
   * Tickets of a person that are not solved, but for those of `except`, as Zendesk's search knows them: it hears of a
   * change only after a while.
   */
  openTickets(userId: number, except: ReadonlySet<number>): Promise<OpenTickets>;
}

export interface OpenTickets {
  /** Ascending, some at a time. */
  readonly ids: readonly number[];
  /** Whether there may be others: search does not show beyond its first results. */
  readonly isMore: boolean;
}

export interface PeopleSourceOptions {
  readonly client: ZendeskClient;
  /** As whom it takes its share of the account's budget. */
  readonly caller: string;
  readonly signal: AbortSignal;
  /** Of all calls, milliseconds since 1970; each has 30 seconds where left out. */
  readonly deadline?: number | undefined;
}

export function createPeopleSource(options: PeopleSourceOptions): PeopleSource {
  const { client, caller, signal, deadline } = options;
  const turns = new Turns(CALLS_AT_ONCE);
  const call: Call = (request) =>
    turns.run(signal, () =>
      client.request({ ...request, mutation: false, lane: 'MUTATION', caller, signal, deadline }),
    );
  return Object.freeze<PeopleSource>({
    async byIds(ids, needs) {
      const found: ZendeskRecord[] = [];
      for (const some of chunks([...new Set(ids)], MAX_BATCH_IDS)) {
        const query = { ids: some.join(',') };
        const response = await call({ method: 'GET', path: '/api/v2/users/show_many.json', query });
        found.push(...readBody(UsersBody, response).users);
      }
      const people = await toPeople(call, found, needs);
      return new Map(people.map((person) => [person.id, person]));
    },
    async byAddresses(addresses, needs) {
      const holders = await findHolders(call, addresses);
      const people = await toPeople(call, [...new Set(holders.values())], needs);
      const byId = new Map(people.map((person) => [person.id, person]));
      return new Map(
        [...holders].flatMap(([address, { id }]) => {
          const person = byId.get(id);
          return person === undefined ? [] : [[address, person]];
        }),
      );
    },
    async account(breakGlassIds, needs) {
      const holders = await readAccountHolders(call);
      return {
        ...holders,
        breakGlassIds,
        groups: needs.groups ? await readGroups(call) : new Map(),
        customRoles: needs.customRoles ? await readCustomRoles(call) : null,
        staff: await countStaff(call),
      };
    },
    openTickets: (userId, except) => findOpenTickets(call, userId, except),
  });
}

/**
 * One search asks for many addresses, since Zendesk joins the same property with "or". Whom it finds by another
 * address than the primary one is looked for again, by each address that is left.
 */
async function findHolders(
  call: Call,
  addresses: readonly string[],
): Promise<ReadonlyMap<string, ZendeskRecord>> {
  const holders = new Map<string, ZendeskRecord>();
  for (const some of chunks([...new Set(addresses)], MAX_ADDRESSES)) {
    const wanted = new Set(some);
    const found = await searchUsers(call, some);
    let others = 0;
    for (const user of found) {
      const address = addressOf(user);
      if (address !== null && wanted.has(address)) holders.set(address, user);
      else others += 1;
    }
    if (others === 0) continue;
    for (const address of some.filter((one) => !holders.has(one))) {
      const [only] = some.length === 1 ? found : await searchUsers(call, [address]);
      if (only !== undefined && (await hasAddress(call, only.id, address))) holders.set(address, only);
    }
  }
  return holders;
}

async function searchUsers(call: Call, addresses: readonly string[]): Promise<readonly ZendeskRecord[]> {
  const query = addresses.map((address) => `email:"${address}"`).join(' ');
  const response = await call({
    method: 'GET',
    path: '/api/v2/users/search.json',
    query: { query, per_page: MAX_PAGE_SIZE },
  });
  return readBody(UsersBody, response).users;
}

const IdentitiesBody = z.looseObject({ identities: records });

/** Zendesk's search finds words of an address too: that it is one of the person's is asked. */
async function hasAddress(call: Call, userId: number, address: string): Promise<boolean> {
  const response = await call({ method: 'GET', path: `/api/v2/users/${userId}/identities.json` });
  return readBody(IdentitiesBody, response).identities.some(
    ({ type, value }) => type === 'email' && typeof value === 'string' && value.toLowerCase() === address,
  );
}

async function toPeople(
  call: Call,
  found: readonly ZendeskRecord[],
  needs: PersonNeeds,
): Promise<readonly Person[]> {
  return Promise.all(
    found.map(async (user) => {
      const person = personOf(user);
      if (!isStaff(person) || !person.active) return person;
      const [groups, openTickets] = await Promise.all([
        needs.groups ? readMemberships(call, person.id) : [],
        needs.openTickets ? countOpenTickets(call, person.id) : null,
      ]);
      const groupIds = groups.flatMap(({ group_id: id }) => idOf(id) ?? []).toSorted((a, b) => a - b);
      const first = groups.find((one) => one['default'] === true);
      return { ...person, groupIds, openTickets, defaultGroupId: idOf(first?.['group_id']) };
    }),
  );
}

function personOf(user: ZendeskRecord): Person {
  const role = PERSON_ROLES.find((one) => one === user['role']);
  if (role === undefined) throw unknownRole();
  return {
    id: user.id,
    name: textOf(user['name']),
    email: addressOf(user),
    role,
    customRoleId: idOf(user['custom_role_id']),
    externalId: textOf(user['external_id']),
    organizationId: idOf(user['organization_id']),
    suspended: user['suspended'] === true,
    active: user['active'] !== false,
    groupIds: [],
    defaultGroupId: null,
    openTickets: null,
  };
}

/** The pages of the search as far as the first that holds a ticket which is wanted. */
async function findOpenTickets(
  call: Call,
  userId: number,
  except: ReadonlySet<number>,
): Promise<OpenTickets> {
  const order = { sort_by: 'created_at', sort_order: 'asc' };
  let seen = 0;
  for (let page = 1; ; page += 1) {
    const query = { query: openTicketsOf(userId), ...order, page, per_page: MAX_PAGE_SIZE };
    const response = await call({ method: 'GET', path: '/api/v2/search.json', query });
    const { results } = readBody(ResultsBody, response);
    const end = readOffsetPage(response.body ?? {}, page, MAX_PAGE_SIZE, MAX_SEARCH_RECORDS);
    seen += results.length;
    // What the search has not heard of yet, the ticket itself may tell.
    const ids = results.flatMap(({ id, status, assignee_id: assigneeId }) =>
      assigneeId === userId && OPEN_STATUSES.includes(status) && !except.has(id) ? id : [],
    );
    if (ids.length === 0 && end.nextPage !== null) continue;
    return { ids: ids.toSorted((a, b) => a - b), isMore: end.nextPage !== null || (end.count ?? 0) > seen };
  }
}

function openTicketsOf(userId: number): string {
  return `type:ticket assignee:${userId} status<solved`;
}

async function countOpenTickets(call: Call, userId: number): Promise<number> {
  const query = { query: openTicketsOf(userId) };
  const response = await call({ method: 'GET', path: '/api/v2/search/count.json', query });
  return readBody(CountBody, response).count;
}

async function readGroups(call: Call): Promise<ReadonlyMap<number, string>> {
  const groups = new Map<number, string>();
  const pages = cursorPages((query) => call({ method: 'GET', path: '/api/v2/groups.json', query }), {
    maxPages: MAX_GROUP_PAGES,
  });
  for await (const { response } of pages) {
    for (const group of readBody(GroupsBody, response).groups) {
      if (group['deleted'] !== true) groups.set(group.id, textOf(group['name']) ?? String(group.id));
    }
  }
  return groups;
}

/** Empty where the account's plan has none. */
async function readCustomRoles(call: Call): Promise<ReadonlyMap<number, string>> {
  try {
    const response = await call({ method: 'GET', path: '/api/v2/custom_roles.json' });
    const { custom_roles: roles } = readBody(RolesBody, response);
    return new Map(roles.map((role) => [role.id, textOf(role['name']) ?? String(role.id)]));
  } catch (error) {
    if (isSealdeskError(error) && NOT_OFFERED.includes(error.code)) return new Map();
    throw error;
  }
}

async function countStaff(call: Call): Promise<number> {
  const query = { 'role[]': ['agent', 'admin'] };
  const response = await call({ method: 'GET', path: '/api/v2/users/count.json', query });
  return readBody(UserCountBody, response).count.value;
}

function unknownRole(): SealdeskError {
  return new SealdeskError(
    'UPSTREAM_UNAVAILABLE',
    'Zendesk tells a role of a person that this gateway does not know. An operator checks whether the API has changed.',
  );
}

function addressOf({ email }: ZendeskRecord): string | null {
  return typeof email === 'string' && email !== '' ? email.toLowerCase() : null;
}

function idOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}
