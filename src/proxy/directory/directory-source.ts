/**
 * Zendesk as the access sync reads it, in the background lane of the account's budget: the cursor export of users
 * (zendesk-api §8), users by id, and the lists of groups, memberships, organizations and custom roles, a page each.
 */
import { z } from 'zod';
import { type Clock, isSealdeskError } from '../../base/index.ts';
import {
  type CredentialCheck,
  MAX_BATCH_IDS,
  MAX_PAGE_SIZE,
  nextCursor,
  verifyCredential,
  type ZendeskQuery,
  type ZendeskResponse,
} from '../../zendesk/index.ts';
import { readBody, records, type ZendeskRecord } from '../catalogue/records.ts';
import type { ConnectionTarget, ZendeskConnections } from '../connections.ts';
import type { ExportPlace } from '../feed/ticket-source.ts';

/** As whom a sync takes its share of the account's budget. */
const CALLER = 'access-sync';
/** The export allows ten calls a minute in all: a call may have to wait for the next minute. */
const CALL_DEADLINE_MS = 120_000;
const MAX_CURSOR_CHARACTERS = 2_048;

export interface UsersPage {
  /** Deleted ones have `active: false`. */
  readonly users: readonly ZendeskRecord[];
  /** Where the next page begins, also after the last one. */
  readonly cursor: string;
  readonly isLast: boolean;
}

export interface ListPage {
  readonly records: readonly ZendeskRecord[];
  /** Where the next page begins; `null` after the last one. */
  readonly cursor: string | null;
}

/** Every method rejects with `ZendeskError` and the failures of the connection. */
export interface DirectorySource {
  /** Who the credential is. Expected faults are told, not thrown. */
  check(signal: AbortSignal): Promise<CredentialCheck>;
  /** A page of at most `size` users in the order of their changes. For admins of Zendesk only. */
  usersPage(place: ExportPlace, size: number, signal: AbortSignal): Promise<UsersPage>;
  /** About how many users there are; `null` where Zendesk does not tell. */
  countUsers(signal: AbortSignal): Promise<number | null>;
  /** Those of at most 100 users that Zendesk shows. */
  showUsers(ids: readonly number[], signal: AbortSignal): Promise<readonly ZendeskRecord[]>;
  groupsPage(cursor: string | null, signal: AbortSignal): Promise<ListPage>;
  organizationsPage(cursor: string | null, signal: AbortSignal): Promise<ListPage>;
  membershipsPage(cursor: string | null, signal: AbortSignal): Promise<ListPage>;
  /** All of them; `null` where the plan of the account has none. */
  customRoles(signal: AbortSignal): Promise<readonly ZendeskRecord[] | null>;
}

export interface DirectorySourceOptions {
  readonly connections: ZendeskConnections;
  readonly clock: Clock;
  /** Asked before each call: the account's credential may have been changed. */
  readonly target: () => ConnectionTarget;
}

const UsersBody = z.looseObject({ users: records });
const ExportBody = z.looseObject({
  users: records,
  after_cursor: z.string().min(1).max(MAX_CURSOR_CHARACTERS),
  end_of_stream: z.boolean(),
});
const CountBody = z.looseObject({ count: z.looseObject({ value: z.int().min(0) }) });
const RolesBody = z.looseObject({ custom_roles: records });

export function createDirectorySource({
  connections,
  clock,
  target,
}: DirectorySourceOptions): DirectorySource {
  const get = (path: string, query: ZendeskQuery, signal: AbortSignal): Promise<ZendeskResponse> =>
    connections.clientFor(target()).request({
      ...{ method: 'GET', path, query, mutation: false, lane: 'BACKGROUND', caller: CALLER, signal },
      deadline: clock.now() + CALL_DEADLINE_MS,
    });
  const listPage = async (
    name: 'groups' | 'organizations' | 'group_memberships',
    cursor: string | null,
    signal: AbortSignal,
  ): Promise<ListPage> => {
    const query = { 'page[size]': MAX_PAGE_SIZE, 'page[after]': cursor ?? undefined };
    const response = await get(`/api/v2/${name}.json`, query, signal);
    const body = readBody(z.looseObject({ [name]: records }), response) as Record<string, ZendeskRecord[]>;
    const next = response.body === null ? null : nextCursor(response.body);
    // A cursor that does not move would be followed for ever.
    return { records: body[name] ?? [], cursor: next === cursor ? null : next };
  };
  return Object.freeze<DirectorySource>({
    check: (signal) =>
      verifyCredential(connections.clientFor(target()), {
        ...{ lane: 'BACKGROUND', caller: CALLER, signal },
        deadline: clock.now() + CALL_DEADLINE_MS,
      }),
    async usersPage(place, size, signal) {
      const query = {
        ...('cursor' in place ? { cursor: place.cursor } : { start_time: place.startTime }),
        per_page: size,
      };
      const response = await get('/api/v2/incremental/users/cursor.json', query, signal);
      const { users, after_cursor: cursor, end_of_stream: isLast } = readBody(ExportBody, response);
      return { users, cursor, isLast };
    },
    async countUsers(signal) {
      try {
        return readBody(CountBody, await get('/api/v2/users/count.json', {}, signal)).count.value;
      } catch (error) {
        // An estimate only: who may not count, or meets another shape, does without.
        if (isSealdeskError(error, 'UPSTREAM_FORBIDDEN') || isSealdeskError(error, 'NOT_FOUND')) return null;
        throw error;
      }
    },
    async showUsers(ids, signal) {
      if (ids.length > MAX_BATCH_IDS) throw new RangeError(`"ids" must be at most ${MAX_BATCH_IDS}`);
      const response = await get('/api/v2/users/show_many.json', { ids: ids.join(',') }, signal);
      return readBody(UsersBody, response).users;
    },
    groupsPage: (cursor, signal) => listPage('groups', cursor, signal),
    organizationsPage: (cursor, signal) => listPage('organizations', cursor, signal),
    membershipsPage: (cursor, signal) => listPage('group_memberships', cursor, signal),
    async customRoles(signal) {
      try {
        return readBody(RolesBody, await get('/api/v2/custom_roles.json', {}, signal)).custom_roles;
      } catch (error) {
        // Plans below Enterprise have no custom roles, and say so in either way.
        if (isSealdeskError(error, 'UPSTREAM_FORBIDDEN') || isSealdeskError(error, 'NOT_FOUND')) return null;
        throw error;
      }
    },
  });
}
