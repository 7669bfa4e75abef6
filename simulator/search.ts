/** `/search` (offset, 1,000 results), `/search/count` and `/search/export` (cursor, one type, cursors live an hour). */
import { type Call, userOf } from './call.ts';
import { compareRows, type Order, offsetOf, pageByCursor, pageByOffset } from './pagination.ts';
import { groupView, organizationView, userView } from './people-view.ts';
import {
  type GroupRow,
  type OrganizationRow,
  TICKET_PRIORITIES,
  TICKET_STATUSES,
  TICKET_TYPES,
  type TicketRow,
  type UserRow,
} from './records.ts';
import { invalidAttribute, json, type Reply } from './reply.ts';
import {
  compileGroupTest,
  compileOrganizationTest,
  compileTicketTest,
  compileUserTest,
  type SearchScope,
} from './search-match.ts';
import {
  invalidSearch,
  parseSearchQuery,
  SEARCH_TYPES,
  type SearchQuery,
  type SearchType,
} from './search-query.ts';
import { ticketsView } from './ticket-view.ts';

/** More results than this are counted but not given out. */
export const MAX_SEARCH_RESULTS = 1000;
export const MAX_EXPORT_PAGE = 1000;
/** Milliseconds an export cursor lives. */
export const EXPORT_CURSOR_LIFETIME = 3_600_000;

type Hit =
  | { readonly type: 'ticket'; readonly row: TicketRow }
  | { readonly type: 'user'; readonly row: UserRow }
  | { readonly type: 'organization'; readonly row: OrganizationRow }
  | { readonly type: 'group'; readonly row: GroupRow };

const scopeOf = (call: Call): SearchScope => ({
  store: call.world.store,
  now: call.world.clock.now(),
  callerId: userOf(call).id,
});

const findHits = (query: SearchQuery, types: readonly SearchType[], scope: SearchScope): Hit[] => {
  const { store } = scope;
  const hits: Hit[] = [];
  for (const type of types) {
    switch (type) {
      case 'ticket': {
        const test = compileTicketTest(query, scope);
        if (test)
          for (const row of store.tickets) if (row.deletedAt === null && test(row)) hits.push({ type, row });
        break;
      }
      case 'user': {
        const test = compileUserTest(query, scope);
        if (test) for (const row of store.users) if (row.active && test(row)) hits.push({ type, row });
        break;
      }
      case 'organization': {
        const test = compileOrganizationTest(query, scope);
        if (test) for (const row of store.organizations) if (test(row)) hits.push({ type, row });
        break;
      }
      case 'group': {
        const test = compileGroupTest(query, scope);
        if (test) for (const row of store.groups) if (test(row)) hits.push({ type, row });
        break;
      }
      default:
        throw type satisfies never;
    }
  }
  return hits;
};

/** Values of `sort_by` and `order_by:`; anything else is ignored and the order is that of relevance (newest first). */
const SORT_KEYS: Readonly<Record<string, (hit: Hit) => number>> = {
  created_at: (hit) => hit.row.createdAt,
  created: (hit) => hit.row.createdAt,
  updated_at: (hit) => hit.row.updatedAt,
  updated: (hit) => hit.row.updatedAt,
  commented: (hit) => hit.row.updatedAt,
  priority: (hit) =>
    hit.type === 'ticket' && hit.row.priority ? TICKET_PRIORITIES.indexOf(hit.row.priority) : -1,
  status: (hit) => (hit.type === 'ticket' ? TICKET_STATUSES.indexOf(hit.row.status) : -1),
  ticket_type: (hit) => (hit.type === 'ticket' && hit.row.type ? TICKET_TYPES.indexOf(hit.row.type) : -1),
};

const orderOf = (name: string, descending: boolean): Order<Hit> => ({
  name,
  descending,
  key: SORT_KEYS[name] ?? ((hit) => hit.row.createdAt),
  id: (hit) => hit.row.id,
});

/** Hits in order, kept for the next pages until the data changes or the minute is over. */
const cachedHits = (
  call: Call,
  text: string,
  query: SearchQuery,
  types: readonly SearchType[],
  order: Order<Hit>,
): readonly Hit[] => {
  const scope = scopeOf(call);
  const key = `search:${scope.callerId}:${types.join()}:${order.name}:${order.descending}:${Math.floor(scope.now / 60_000)}:${text}`;
  return scope.store.cached(key, () => findHits(query, types, scope).sort(compareRows(order)));
};

const queryText = (call: Call): string => {
  const text = call.query.get('query');
  if (text === null || text.trim() === '') throw invalidSearch('query cannot be blank');
  return text;
};

const hitView = (call: Call, hits: readonly Hit[]): Record<string, unknown>[] => {
  return hits.map((hit) => {
    switch (hit.type) {
      case 'ticket':
        return {
          ...ticketsView(call.world, [hit.row], call.origin, new Set()).tickets[0],
          result_type: 'ticket',
        };
      case 'user':
        return { ...userView(hit.row, call.origin), result_type: 'user' };
      case 'organization':
        return { ...organizationView(hit.row, call.origin), result_type: 'organization' };
      case 'group':
        return { ...groupView(hit.row, call.origin), result_type: 'group' };
      default:
        throw hit satisfies never;
    }
  });
};

/** `include=tickets(users,groups)`; other forms are ignored, as Zendesk does. */
const sideloadsOf = (call: Call, hits: readonly Hit[]): Record<string, unknown> => {
  const match = /tickets\(([^)]*)\)/.exec(call.query.get('include') ?? '');
  if (!match) return {};
  const wanted = new Set((match[1] ?? '').split(',').map((name) => name.trim()));
  const tickets = hits.filter((hit) => hit.type === 'ticket').map((hit) => hit.row);
  return ticketsView(call.world, tickets, call.origin, wanted).sideloads;
};

export const search = (call: Call): Reply => {
  if (call.query.has('page[size]') || call.query.has('page[after]')) {
    throw invalidAttribute('page', 'must be an integer', 'search/index');
  }
  const text = queryText(call);
  const query = parseSearchQuery(text);
  const { page, perPage } = offsetOf(call, null);
  if (page * perPage > MAX_SEARCH_RESULTS) {
    throw invalidSearch('Requested response size was greater than Search Response Limits');
  }
  const sortBy = call.query.get('sort_by') ?? query.orderBy ?? 'relevance';
  const ascending = (call.query.get('sort_order') ?? query.sort ?? 'desc') === 'asc';
  const types = query.types.length > 0 ? query.types : SEARCH_TYPES;
  const hits = cachedHits(call, text, query, types, orderOf(sortBy, !ascending));
  const result = pageByOffset(call, hits, null);
  return json(200, {
    results: hitView(call, result.rows),
    ...sideloadsOf(call, result.rows),
    facets: null,
    ...result.fields,
  });
};

export const countSearch = (call: Call): Reply => {
  const text = queryText(call);
  const query = parseSearchQuery(text);
  const types = query.types.length > 0 ? query.types : SEARCH_TYPES;
  return json(200, { count: cachedHits(call, text, query, types, orderOf('created_at', true)).length });
};

export const exportSearch = (call: Call): Reply => {
  const type = SEARCH_TYPES.find((known) => known === call.query.get('filter[type]'));
  if (type === undefined) {
    throw invalidAttribute('filter.type', `must be one of ${SEARCH_TYPES.join(', ')}`, 'search/export');
  }
  const text = queryText(call);
  const query = parseSearchQuery(text);
  if (query.namesType) throw invalidSearch('type cannot be used in the query of an export, use filter[type]');
  const order = orderOf('created_at', false);
  const hits = cachedHits(call, text, query, [type], order);
  const page = pageByCursor(call, hits, order, {
    maxSize: MAX_EXPORT_PAGE,
    lifetime: EXPORT_CURSOR_LIFETIME,
    now: call.world.clock.now(),
    forwardOnly: true,
  });
  return json(200, {
    results: hitView(call, page.rows),
    ...sideloadsOf(call, page.rows),
    facets: null,
    ...page.fields,
  });
};

/** Users for `/users/search`: a plain word also finds an address or its beginning. */
export const matchUsers = (call: Call, text: string): readonly UserRow[] => {
  const query = parseSearchQuery(text);
  const test = compileUserTest(query, scopeOf(call));
  return test ? call.world.store.users.filter((user) => user.active && test(user)) : [];
};
