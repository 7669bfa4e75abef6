/** `get_ticket`: one ticket with its newest comments and who wrote them. */
import { z } from 'zod';
import { cursorPages, MAX_PAGE_SIZE } from '../../zendesk/index.ts';
import { type Call, defineOperation } from './operation.ts';
import { whole, zendeskId } from './payload-fields.ts';
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

/** Zendesk's own limit of comments on one ticket. */
const MAX_COMMENTS = 5_000;
const DEFAULT_COMMENTS = 500;

const payload = z.strictObject({
  ticket_id: zendeskId.describe('The id of the ticket.'),
  max_comments: whole(0, MAX_COMMENTS)
    .optional()
    .describe(
      `How many of the newest comments to load, 0 to ${MAX_COMMENTS}; default ${DEFAULT_COMMENTS}; one call for each 100.`,
    ),
});

const result = z.strictObject({
  /** As Zendesk sends it. */
  ticket: record,
  /** Oldest first. */
  comments: z.array(record),
  /** Whether older comments were left out. */
  comments_truncated: z.boolean(),
  users: z.array(personReference),
  organizations: z.array(namedReference),
  groups: z.array(namedReference),
});

const ticketBody = z.looseObject({ ticket: record, ...sideLoads });
const commentsBody = z.looseObject({ comments: z.array(record), users: sideLoads.users });

export const getTicket = defineOperation({
  name: 'get_ticket',
  description: 'Shows one ticket with its newest comments, their authors, its organization and group.',
  mutation: false,
  permits: ['Ticket', 'Comment', 'PersonReference', 'OrganizationReference'],
  payload,
  result,
  resource: (input) => `ticket:${input.ticket_id}`,
  async run(call, input, context): Promise<z.infer<typeof result>> {
    const response = await call({
      method: 'GET',
      path: `/api/v2/tickets/${input.ticket_id}.json`,
      query: { include: 'users,organizations,groups' },
    });
    const body = readBody(ticketBody, response);
    const thread = await loadComments(call, input.ticket_id, input.max_comments ?? DEFAULT_COMMENTS);
    const shown = context.isPermitted('list_users') ? (one: ZendeskRecord) => one : withoutContactData;
    return {
      ticket: shown(body.ticket),
      comments: thread.comments.map(shown),
      comments_truncated: thread.truncated,
      users: peopleOf(body.users, thread.users),
      organizations: (body.organizations ?? []).map(namedOf),
      groups: (body.groups ?? []).map(namedOf),
    };
  },
});

interface Thread {
  readonly comments: readonly ZendeskRecord[];
  readonly users: readonly ZendeskRecord[];
  readonly truncated: boolean;
}

/** Newest first from Zendesk, so that a bound cuts the oldest; then turned round. */
async function loadComments(call: Call, ticketId: number, max: number): Promise<Thread> {
  const comments: ZendeskRecord[] = [];
  const users: ZendeskRecord[] = [];
  if (max === 0) return { comments, users, truncated: true };
  const pageSize = Math.min(MAX_PAGE_SIZE, max);
  const pages = cursorPages(
    (query) =>
      call({
        method: 'GET',
        path: `/api/v2/tickets/${ticketId}/comments.json`,
        query: { ...query, sort: '-created_at', include: 'users' },
      }),
    { pageSize, maxPages: Math.ceil(max / pageSize) },
  );
  let truncated = false;
  for await (const { response, more } of pages) {
    const body = readBody(commentsBody, response);
    comments.push(...body.comments);
    users.push(...(body.users ?? []));
    truncated = more;
  }
  return {
    comments: comments.slice(0, max).reverse(),
    users,
    truncated: truncated || comments.length > max,
  };
}
