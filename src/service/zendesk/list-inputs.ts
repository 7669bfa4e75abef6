/** What lists of the typed graph are asked for, read from their arguments. */
import { z } from 'zod';
import type { SearchRequest, SliceRequest, TicketFilter, TicketSort, UserFilter } from '../../proxy/index.ts';
import {
  CONTROL,
  listOf,
  objectIdField,
  oneLine,
  optional,
  sliceFields,
  statusField,
  valueField,
  zendeskIdField,
} from './input-fields.ts';

const MAX_TAG_CHARACTERS = 255;
const MAX_EXTERNAL_ID_CHARACTERS = 255;
const MAX_QUERY_CHARACTERS = 2_000;
/** As Zendesk's address takes it, together with the other fields of a call. */
const MAX_ENCODED_QUERY_CHARACTERS = 7_000;
/** `type:` as a term of its own, not within quotes. */
const TYPE_TERM = /(?:^|\s)-?type:/i;

const queryText = z
  .string()
  .refine(
    (text) =>
      text.trim() !== '' && text.length <= MAX_QUERY_CHARACTERS && text.isWellFormed() && !CONTROL.test(text),
    `must be text of 1 to ${MAX_QUERY_CHARACTERS} characters on one line`,
  )
  .refine(
    (text) => !text.isWellFormed() || encodeURIComponent(text).length <= MAX_ENCODED_QUERY_CHARACTERS,
    `must be of at most ${MAX_ENCODED_QUERY_CHARACTERS} characters when percent-encoded, in which letters outside ASCII take 6 and more`,
  );

const tag = z
  .string()
  .refine(
    (text) => text.length <= MAX_TAG_CHARACTERS && text.isWellFormed() && /^[^\s,"\p{Cc}]+$/u.test(text),
    `must be a tag: 1 to ${MAX_TAG_CHARACTERS} characters without spaces, commas or quotes`,
  );

const plainFilter = z.strictObject({
  status: optional(listOf(statusField)),
  priority: optional(listOf(valueField)),
  type: optional(listOf(valueField)),
  groupId: optional(zendeskIdField),
  tags: optional(listOf(tag)),
  externalId: optional(oneLine(MAX_EXTERNAL_ID_CHARACTERS)),
  createdFrom: optional(z.date()),
  createdTo: optional(z.date()),
  updatedFrom: optional(z.date()),
  updatedTo: optional(z.date()),
});

const sort = z
  .strictObject({
    by: z.enum(['CREATED_AT', 'UPDATED_AT', 'PRIORITY', 'STATUS']),
    direction: z.enum(['ASC', 'DESC']),
  })
  .nullish()
  .transform((value): TicketSort | null =>
    value == null ? null : { by: value.by, descending: value.direction === 'DESC' },
  );

/** Arguments of `Integration.tickets`. */
export function ticketListInput(integrationId: string) {
  const user = optional(objectIdField('user', integrationId));
  return z.strictObject({
    ...sliceFields,
    sort,
    filter: plainFilter
      .extend({
        assigneeId: user,
        requesterId: user,
        organizationId: optional(objectIdField('organization', integrationId)),
      })
      .nullish()
      .transform((filter): TicketFilter => filter ?? {})
      .superRefine(refuseContradictions),
  });
}

/** Arguments of `myTickets`. */
export const myTicketsInput = z.strictObject({ ...sliceFields, sort });

/** Arguments of `Integration.users`. */
export const userListInput = z.strictObject({
  ...sliceFields,
  filter: z
    .strictObject({
      role: optional(listOf(valueField)),
      externalId: optional(oneLine(MAX_EXTERNAL_ID_CHARACTERS)),
      query: optional(queryText),
    })
    .nullish()
    .transform((filter): UserFilter => filter ?? {})
    .superRefine(({ query, role, externalId }, context) => {
      if (query === undefined) return;
      if (role !== undefined) {
        refuse(context, 'role', 'cannot be combined with query; write role:agent into the query');
      }
      if (externalId !== undefined) {
        refuse(context, 'externalId', 'cannot be combined with query; write external_id:… into the query');
      }
    }),
});

/** Arguments of `Integration.search`. */
export const searchInput = z
  .strictObject({
    ...sliceFields,
    sort,
    query: queryText,
    type: z.enum(['TICKET', 'USER', 'ORGANIZATION']).nullish(),
  })
  .superRefine(({ query, type }, context) => {
    if (type != null && TYPE_TERM.test(query.replaceAll(/"[^"]*"/g, ''))) {
      refuse(context, 'type', 'cannot be combined with type: in the query; keep one of them');
    }
  })
  .transform(
    ({ type, ...rest }): SearchRequest => ({
      ...rest,
      kind: type == null ? null : (type.toLowerCase() as Lowercase<typeof type>),
    }),
  );

/** Arguments of a list without filters. */
export const sliceInput: z.ZodType<SliceRequest> = z.strictObject(sliceFields);

/** Arguments of `Ticket.comments`. */
export const commentListInput = z
  .strictObject({ ...sliceFields, order: z.enum(['OLDEST_FIRST', 'NEWEST_FIRST']) })
  .transform(({ order, ...slice }) => ({ ...slice, newestFirst: order === 'NEWEST_FIRST' }));

function refuseContradictions(filter: TicketFilter, context: z.RefinementCtx): void {
  for (const [from, to] of [
    ['createdFrom', 'createdTo'],
    ['updatedFrom', 'updatedTo'],
  ] as const) {
    const [start, end] = [filter[from], filter[to]];
    if (start !== undefined && end !== undefined && start.getTime() > end.getTime()) {
      refuse(context, to, `must not be before ${from}`);
    }
  }
  const { createdFrom, updatedTo } = filter;
  if (createdFrom !== undefined && updatedTo !== undefined && createdFrom.getTime() > updatedTo.getTime()) {
    refuse(context, 'updatedTo', 'must not be before createdFrom: no ticket is updated before it is created');
  }
}

function refuse(context: z.RefinementCtx, path: string, message: string): void {
  context.addIssue({ code: 'custom', path: [path], message });
}
