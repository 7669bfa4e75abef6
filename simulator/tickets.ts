/** Reading tickets: list, show, show_many, count. */
import { type Call, idParam, includes } from './call.ts';
import {
  compareRows,
  invalidSort,
  type Order,
  pageByCursor,
  pageByOffset,
  wantsCursor,
} from './pagination.ts';
import { isoTime } from './people-view.ts';
import { TICKET_PRIORITIES, TICKET_STATUSES, type TicketRow } from './records.ts';
import { coded, json, Refusal, type Reply, recordNotFound } from './reply.ts';
import { ticketsView } from './ticket-view.ts';

const MAX_SHOW_MANY = 100;

const idOf = (row: TicketRow): number => row.id;

const CURSOR_KEYS = {
  id: idOf,
  updated_at: (row: TicketRow) => row.updatedAt,
  status: (row: TicketRow) => TICKET_STATUSES.indexOf(row.status),
} as const;

const OFFSET_KEYS = {
  ...CURSOR_KEYS,
  created_at: (row: TicketRow) => row.createdAt,
  priority: (row: TicketRow) => (row.priority === null ? -1 : TICKET_PRIORITIES.indexOf(row.priority)),
  subject: (row: TicketRow) => row.subject ?? '',
  requester: (row: TicketRow) => row.requesterId,
  assignee: (row: TicketRow) => row.assigneeId ?? 0,
} as const;

/** Cursor pagination sorts by `sort` alone; one with `sort_by` is answered in default order (as probed). */
const cursorOrder = (query: URLSearchParams): Order<TicketRow> => {
  const sort = query.get('sort') ?? 'id';
  const name = sort.replace(/^-/, '');
  if (name !== 'id' && name !== 'updated_at' && name !== 'status') throw invalidSort();
  return { name, descending: sort.startsWith('-'), key: CURSOR_KEYS[name], id: idOf };
};

const isOffsetKey = (name: string): name is keyof typeof OFFSET_KEYS => Object.hasOwn(OFFSET_KEYS, name);

const offsetOrder = (query: URLSearchParams): Order<TicketRow> => {
  const name = query.get('sort_by') ?? 'id';
  const key = isOffsetKey(name) ? OFFSET_KEYS[name] : idOf;
  return { name, descending: query.get('sort_order') === 'desc', key, id: idOf };
};

/** Filters by owner for `/users/{id}/tickets/requested` and its kin. */
const listOf = (call: Call, scope: string, belongs: ((row: TicketRow) => boolean) | null): Reply => {
  const { store, clock } = call.world;
  const all = call.query.get('support_type_scope') === 'all';
  const cursor = wantsCursor(call.query);
  const order = cursor ? cursorOrder(call.query) : offsetOrder(call.query);
  const now = clock.now();
  const key = `tickets:${scope}:${all}:${Math.floor(now / 60_000)}:${order.name}:${order.descending}`;
  const rows = store.cached(key, () => {
    const listed = store.listedTickets(now, all);
    const owned = belongs ? listed.filter(belongs) : listed;
    return order.name === 'id' && !order.descending ? owned : [...owned].sort(compareRows(order));
  });
  const page = cursor ? pageByCursor(call, rows, order) : pageByOffset(call, rows);
  const { tickets, sideloads } = ticketsView(call.world, page.rows, call.origin, includes(call));
  return json(200, { tickets, ...sideloads, ...page.fields });
};

export const listTickets = (call: Call): Reply => listOf(call, 'all', null);

export const listRequestedTickets = (call: Call): Reply => {
  const id = idParam(call);
  if (!call.world.store.user(id)) throw recordNotFound();
  return listOf(call, `requested:${id}`, (row) => row.requesterId === id);
};

export const listAssignedTickets = (call: Call): Reply => {
  const id = idParam(call);
  if (!call.world.store.user(id)) throw recordNotFound();
  return listOf(call, `assigned:${id}`, (row) => row.assigneeId === id);
};

export const listOrganizationTickets = (call: Call): Reply => {
  const id = idParam(call);
  if (!call.world.store.organization(id)) throw recordNotFound();
  return listOf(call, `organization:${id}`, (row) => row.organizationId === id);
};

/** The incidents that name the ticket as their problem; none of a ticket that is no problem. */
export const listIncidents = (call: Call): Reply => {
  const id = idParam(call);
  if (!call.world.store.ticket(id)) throw recordNotFound();
  return listOf(call, `incidents:${id}`, (row) => row.problemId === id);
};

export const countTickets = (call: Call): Reply => {
  const { store, clock } = call.world;
  const now = clock.now();
  return json(200, { count: { value: store.listedTickets(now, false).length, refreshed_at: isoTime(now) } });
};

export const showTicket = (call: Call): Reply => {
  const { store } = call.world;
  const row = store.ticket(idParam(call));
  if (!row) throw recordNotFound();
  const { tickets, sideloads } = ticketsView(call.world, [row], call.origin, includes(call));
  return json(200, { ticket: tickets[0], ...sideloads });
};

/** Reads `ids` (or another list parameter) of the show_many endpoints; over 100 is refused. */
export const listParam = (call: Call, name: string): string[] => {
  const values = (call.query.get(name) ?? '')
    .split(',')
    .map((value) => value.trim())
    .filter(Boolean);
  if (values.length > MAX_SHOW_MANY) {
    throw new Refusal(
      coded(400, 'TooManyValues', `Parameter ${name} cannot specify more than ${MAX_SHOW_MANY} values`, {
        max_count: MAX_SHOW_MANY,
      }),
    );
  }
  return values;
};

export const showManyTickets = (call: Call): Reply => {
  const { store } = call.world;
  const rows = [...new Set(listParam(call, 'ids').map(Number))]
    .sort((a, b) => a - b)
    .map((id) => store.ticket(id))
    .filter((row) => row !== null);
  const { tickets, sideloads } = ticketsView(call.world, rows, call.origin, includes(call));
  return json(200, { tickets, ...sideloads, count: tickets.length, next_page: null, previous_page: null });
};
