/** Where in Zendesk's API a list of the typed graph is read, and by what name its cursors are bound to it. */
import type { Restriction } from '../../access/index.ts';
import { type JsonValue, SealdeskError } from '../../base/index.ts';
import { MAX_OFFSET_RECORDS, MAX_SEARCH_RECORDS, type ZendeskQuery } from '../../zendesk/index.ts';
import { scopeSearch } from '../catalogue/search-scope.ts';
import { scopedTicketsPath } from '../scope/ticket-scope.ts';
import type {
  CommentListRequest,
  OrganizationListRequest,
  SearchRequest,
  TicketListRequest,
  TicketSort,
  UserListRequest,
} from './list-request.ts';
import { isOpenFilter, ticketQueryOf } from './ticket-query.ts';

export interface ListSource {
  readonly paging: 'CURSOR' | 'NUMBERED';
  readonly path: string;
  readonly query: ZendeskQuery;
  /** The array of the answer that holds the records. */
  readonly member: 'tickets' | 'users' | 'organizations' | 'comments' | 'results';
  /** What Zendesk calls records that belong to a search; `null` where all do. */
  readonly resultTypes: readonly string[] | null;
  /** Records that numbered pages reach. */
  readonly cap: number;
  /** What tells this list from every other one of the integration. */
  readonly identity: JsonValue;
}

/** Ids grow with the time of creation, by which Zendesk's cursors do not sort; nor do they by priority. */
const CURSOR_SORTS = { CREATED_AT: 'id', UPDATED_AT: 'updated_at', STATUS: 'status' } as const;
const SEARCH_SORTS = {
  CREATED_AT: 'created_at',
  UPDATED_AT: 'updated_at',
  STATUS: 'status',
  PRIORITY: 'priority',
} as const;
const NEWEST_FIRST: TicketSort = { by: 'CREATED_AT', descending: true };
const TICKET_SIDE_LOADS = 'users,organizations';

/**
 * Throws VALIDATION_FAILED for a filter that Zendesk's search cannot take, and OPERATION_NOT_ALLOWED for the tickets
 * that a client key is restricted to, where it is not.
 */
export function ticketSource(request: TicketListRequest): ListSource {
  const include = request.sideLoad ? TICKET_SIDE_LOADS : undefined;
  if (request.of === 'SCOPE') {
    throw new SealdeskError(
      'OPERATION_NOT_ALLOWED',
      'myTickets is for client keys that are restricted to one organization or requester: no ticket belongs to this one. Read the tickets of the integration.',
      { subject: 'list_tickets' },
    );
  }
  if (request.of !== 'ACCOUNT') {
    return byCursor(ownedTickets(request.of, request.id), 'tickets', {
      // The endpoint of incidents documents no sort.
      query: { sort: request.of === 'PROBLEM' ? undefined : '-id', include },
      identity: ['tickets', request.of, request.id],
    });
  }
  const { filter, sort } = request;
  const { by, descending } = sort ?? NEWEST_FIRST;
  const query = ticketQueryOf(filter);
  const identity: JsonValue = ['tickets', query, by, descending];
  if (by === 'PRIORITY' || !isOpenFilter(filter)) {
    return searched(query, { by, descending }, request.sideLoad, ['ticket'], identity);
  }
  const name = CURSOR_SORTS[by];
  return byCursor('/api/v2/tickets.json', 'tickets', {
    query: { sort: descending ? `-${name}` : name, include },
    identity,
  });
}

/**
 * The tickets that a client key is restricted to: the only list that it may read, by whatever name it asks for it.
 * Throws OPERATION_NOT_ALLOWED for any other one.
 */
export function scopedTicketSource(request: TicketListRequest, restriction: Restriction): ListSource {
  if (!isScopeList(request, restriction)) throw notWithinScope();
  const { by, descending } = ('sort' in request ? request.sort : null) ?? NEWEST_FIRST;
  if (by === 'PRIORITY') throw notWithinScope();
  const name = CURSOR_SORTS[by];
  return byCursor(scopedTicketsPath(restriction), 'tickets', {
    query: {
      sort: descending ? `-${name}` : name,
      include: request.sideLoad ? TICKET_SIDE_LOADS : undefined,
    },
    identity: ['tickets', 'SCOPE', scopedTicketsPath(restriction), by, descending],
  });
}

function isScopeList(request: TicketListRequest, restriction: Restriction): boolean {
  switch (request.of) {
    case 'SCOPE':
      return true;
    case 'ACCOUNT':
      return isOpenFilter(request.filter);
    case 'REQUESTER':
      return restriction.kind === 'REQUESTER' && restriction.requesterId === request.id;
    case 'ORGANIZATION':
      return restriction.kind === 'ORGANIZATION' && restriction.organizationId === request.id;
    case 'ASSIGNEE':
    case 'PROBLEM':
      return false;
    default:
      return request satisfies never;
  }
}

function notWithinScope(): SealdeskError {
  return new SealdeskError(
    'OPERATION_NOT_ALLOWED',
    'The client key is restricted to one organization or requester, whose tickets are listed without filters, by time of creation or change or by status. Ask for myTickets.',
    { subject: 'list_tickets' },
  );
}

export function userSource(request: UserListRequest): ListSource {
  if (request.of === 'ORGANIZATION') {
    return byCursor(`/api/v2/organizations/${request.id}/users.json`, 'users', {
      identity: ['users', 'ORGANIZATION', request.id],
    });
  }
  const { query, role, externalId } = request.filter;
  if (query !== undefined) {
    return {
      paging: 'NUMBERED',
      path: '/api/v2/users/search.json',
      query: { query },
      member: 'users',
      resultTypes: null,
      cap: MAX_OFFSET_RECORDS,
      identity: ['users', 'QUERY', query],
    };
  }
  return byCursor('/api/v2/users.json', 'users', {
    query: { 'role[]': role, external_id: externalId },
    identity: ['users', 'ACCOUNT', [...(role ?? [])], externalId ?? null],
  });
}

export function organizationSource(request: OrganizationListRequest): ListSource {
  return request.of === 'USER'
    ? byCursor(`/api/v2/users/${request.id}/organizations.json`, 'organizations', {
        identity: ['organizations', 'USER', request.id],
      })
    : byCursor('/api/v2/organizations.json', 'organizations', { identity: ['organizations', 'ACCOUNT'] });
}

/** Throws OPERATION_NOT_ALLOWED for a search beyond what the caller may find. */
export function searchSource(
  { query, kind, sort, sideLoad = false }: SearchRequest,
  isPermitted: (operation: string) => boolean,
): ListSource {
  const scope = scopeSearch(query, kind, isPermitted);
  return searched(scope.query, sort, sideLoad, scope.kinds ?? ['ticket', 'user', 'organization'], [
    'search',
    scope.kinds === null ? null : [...scope.kinds],
    query,
    sort === null ? null : [sort.by, sort.descending],
  ]);
}

export function commentSource({ ticketId, newestFirst }: CommentListRequest): ListSource {
  return byCursor(`/api/v2/tickets/${ticketId}/comments.json`, 'comments', {
    query: { sort: newestFirst ? '-created_at' : 'created_at', include: 'users' },
    identity: ['comments', ticketId, newestFirst],
  });
}

function ownedTickets(of: Exclude<TicketListRequest['of'], 'ACCOUNT' | 'SCOPE'>, id: number): string {
  switch (of) {
    case 'REQUESTER':
      return `/api/v2/users/${id}/tickets/requested.json`;
    case 'ASSIGNEE':
      return `/api/v2/users/${id}/tickets/assigned.json`;
    case 'ORGANIZATION':
      return `/api/v2/organizations/${id}/tickets.json`;
    case 'PROBLEM':
      return `/api/v2/tickets/${id}/incidents.json`;
    default:
      return of satisfies never;
  }
}

function byCursor(
  path: string,
  member: ListSource['member'],
  { query = {}, identity }: { readonly query?: ZendeskQuery; readonly identity: JsonValue },
): ListSource {
  return { paging: 'CURSOR', path, query, member, resultTypes: null, cap: 0, identity };
}

function searched(
  query: string,
  sort: TicketSort | null,
  sideLoad: boolean,
  resultTypes: readonly string[],
  identity: JsonValue,
): ListSource {
  return {
    paging: 'NUMBERED',
    path: '/api/v2/search.json',
    query: {
      query,
      ...(sort === null
        ? {}
        : { sort_by: SEARCH_SORTS[sort.by], sort_order: sort.descending ? 'desc' : 'asc' }),
      include: sideLoad ? `tickets(${TICKET_SIDE_LOADS})` : undefined,
    },
    member: 'results',
    resultTypes,
    cap: MAX_SEARCH_RECORDS,
    identity,
  };
}
