/**
 * `list_tickets`. Zendesk's own list has no filters, so a filtered list runs as a search: it answers
 * at most 1 000 tickets, may lag behind by minutes, and includes archived tickets, which the plain
 * list leaves out.
 */
import { z } from 'zod';
import type { Restriction } from '../../access/index.ts';
import { SealdeskError } from '../../base/index.ts';
import { MAX_OFFSET_RECORDS, MAX_PAGE_SIZE, nextCursor, readOffsetPage } from '../../zendesk/index.ts';
import { scopedTicketsPath } from '../scope/ticket-scope.ts';
import { type Call, defineOperation } from './operation.ts';
import { type PageResult, pageOfCursor, pageOfOffset, pageResult } from './page-result.ts';
import { dateOrTime, oneOrMore, page, pageCursor, perPage, STATUSES, sortOrder } from './payload-fields.ts';
import {
  namedOf,
  namedReference,
  peopleOf,
  personReference,
  readBody,
  record,
  sideLoads,
  withoutContactData,
  type ZendeskRecord,
} from './records.ts';
import { searchDepthIssue, searchPage } from './search-page.ts';

const SORTS = ['created_at', 'updated_at', 'priority', 'status'] as const;
/** Zendesk sorts a cursor walk by these only; ids grow with time of creation. */
const CURSOR_SORTS: Readonly<Record<string, string>> = {
  created_at: 'id',
  updated_at: 'updated_at',
  status: 'status',
};

const payload = z
  .strictObject({
    status: oneOrMore(STATUSES)
      .optional()
      .describe(`One status or a list of them: ${STATUSES.join(', ')}.`),
    created_from: dateOrTime.optional().describe('Created on or after; a date or a time with offset.'),
    created_to: dateOrTime.optional().describe('Created on or before.'),
    updated_from: dateOrTime.optional().describe('Updated on or after.'),
    updated_to: dateOrTime.optional().describe('Updated on or before.'),
    sort_by: z
      .enum(SORTS)
      .optional()
      .describe(`${SORTS.join(', ')}; default created_at.`),
    sort_order: sortOrder.describe('asc or desc; default desc.'),
    page,
    per_page: perPage,
    cursor: pageCursor,
  })
  .superRefine((value, context) => {
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (isAfter(value.created_from, value.created_to))
      refuse('created_to', 'must not be before created_from');
    if (isAfter(value.updated_from, value.updated_to))
      refuse('updated_to', 'must not be before updated_from');
    const pageNumber = value.page ?? 1;
    const size = value.per_page ?? MAX_PAGE_SIZE;
    const depth = searchDepthIssue(pageNumber, size);
    if (filterQuery(value) !== null) {
      if (value.cursor !== undefined)
        refuse('cursor', 'cannot be combined with filters, which run as a search');
      if (depth !== null) refuse('page', depth);
    } else if (value.cursor === undefined && pageNumber * size > MAX_OFFSET_RECORDS) {
      refuse('page', `reaches beyond the first ${MAX_OFFSET_RECORDS} tickets; walk by cursor instead`);
    }
    if (value.cursor !== undefined && value.page !== undefined)
      refuse('cursor', 'cannot be combined with page');
    if (value.cursor !== undefined && value.sort_by === 'priority') {
      refuse('sort_by', 'must be created_at, updated_at or status when walking by cursor');
    }
  });

type Payload = z.infer<typeof payload>;

const result = z.strictObject({
  /** As Zendesk sends them. */
  tickets: z.array(record),
  users: z.array(personReference),
  organizations: z.array(namedReference),
  /** Zendesk's own total; `null` in a cursor walk, where it tells none. */
  count: z.number().nullable(),
  page: pageResult,
});

interface TicketPage {
  readonly tickets: readonly ZendeskRecord[];
  readonly users?: readonly ZendeskRecord[] | undefined;
  readonly organizations?: readonly ZendeskRecord[] | undefined;
  readonly count: number | null;
  readonly page: PageResult;
}

export const listTickets = defineOperation({
  name: 'list_tickets',
  description:
    'Lists tickets, by status and by dates of creation and update. With filters it runs as a search, which answers at most 1 000.',
  mutation: false,
  permits: ['Ticket', 'PersonReference', 'OrganizationReference'],
  payload,
  result,
  restrict: refuseSearch,
  resource: () => 'ticket',
  async run(call, input, context): Promise<z.infer<typeof result>> {
    const path = context.gate === null ? '/api/v2/tickets.json' : scopedTicketsPath(context.gate.restriction);
    const found = await load(call, path, input);
    const shown = context.isPermitted('list_users') ? (one: ZendeskRecord) => one : withoutContactData;
    return {
      tickets: found.tickets.map(shown),
      users: peopleOf(found.users),
      organizations: (found.organizations ?? []).map(namedOf),
      count: found.count,
      page: found.page,
    };
  },
});

/** A filtered list is a search, which cannot be held within a restriction; nor is one sorted by priority offered. */
function refuseSearch(input: Payload, _restriction: Restriction): Payload {
  if (filterQuery(input) === null && input.sort_by !== 'priority') return input;
  throw new SealdeskError(
    'OPERATION_NOT_ALLOWED',
    'The client key is restricted to one organization or requester, whose tickets are listed without filters, by created_at, updated_at or status.',
    { subject: 'list_tickets' },
  );
}

function load(call: Call, path: string, input: Payload): Promise<TicketPage> {
  const filters = filterQuery(input);
  if (filters !== null) return loadFiltered(call, input, filters);
  return input.cursor === undefined
    ? loadByPage(call, path, input)
    : loadByCursor(call, path, input, input.cursor);
}

async function loadFiltered(call: Call, input: Payload, filters: string): Promise<TicketPage> {
  const found = await searchPage(call, {
    query: `type:ticket ${filters}`,
    sort_by: input.sort_by ?? 'created_at',
    sort_order: input.sort_order ?? 'desc',
    page: input.page ?? 1,
    per_page: input.per_page ?? MAX_PAGE_SIZE,
  });
  return {
    tickets: found.results.filter((one) => one['result_type'] === 'ticket'),
    users: found.users,
    organizations: found.organizations,
    count: found.page.count,
    page: pageOfOffset(found.page),
  };
}

const listBody = z.looseObject({ tickets: z.array(record), ...sideLoads });
const INCLUDE = 'users,organizations';

async function loadByPage(call: Call, path: string, input: Payload): Promise<TicketPage> {
  const pageNumber = input.page ?? 1;
  const size = input.per_page ?? MAX_PAGE_SIZE;
  const response = await call({
    method: 'GET',
    path,
    query: {
      sort_by: input.sort_by ?? 'created_at',
      sort_order: input.sort_order ?? 'desc',
      page: pageNumber,
      per_page: size,
      include: INCLUDE,
    },
  });
  const body = readBody(listBody, response);
  const offset = readOffsetPage(response.body ?? {}, pageNumber, size, MAX_OFFSET_RECORDS);
  return { ...body, count: offset.count, page: pageOfOffset(offset) };
}

async function loadByCursor(
  call: Call,
  path: string,
  input: Payload,
  cursor: string | null,
): Promise<TicketPage> {
  const sort = CURSOR_SORTS[input.sort_by ?? 'created_at'] ?? 'id';
  const response = await call({
    method: 'GET',
    path,
    query: {
      sort: input.sort_order === 'asc' ? sort : `-${sort}`,
      'page[size]': input.per_page ?? MAX_PAGE_SIZE,
      'page[after]': cursor ?? undefined,
      include: INCLUDE,
    },
  });
  const body = readBody(listBody, response);
  return { ...body, count: null, page: pageOfCursor(nextCursor(response.body ?? {})) };
}

/** The filters in search syntax, or `null` without any. Equal keys are alternatives in Zendesk's search. */
function filterQuery(input: Payload): string | null {
  const terms = [
    ...(input.status ?? []).map((status) => `status:${status}`),
    ...dateTerm('created>=', input.created_from),
    ...dateTerm('created<=', input.created_to),
    ...dateTerm('updated>=', input.updated_from),
    ...dateTerm('updated<=', input.updated_to),
  ];
  return terms.length === 0 ? null : terms.join(' ');
}

function dateTerm(operator: string, date: string | undefined): readonly string[] {
  return date === undefined ? [] : [`${operator}${date}`];
}

function isAfter(from: string | undefined, to: string | undefined): boolean {
  return from !== undefined && to !== undefined && Date.parse(from) > Date.parse(to) + dayOf(to);
}

/** A bare date means its whole day. */
function dayOf(to: string): number {
  return to.includes('T') ? 0 : 86_399_999;
}
