/**
 * `get_ticket`: one ticket with its newest comments and who wrote them. Anybody with an e-mail
 * address can add to a ticket, so the thread is bounded in bytes as well as in number, and what does
 * not fit is the oldest.
 */
import { z } from 'zod';
import {
  cursorPages,
  MAX_PAGE_SIZE,
  ZendeskError,
  type ZendeskQuery,
  type ZendeskResponse,
} from '../../zendesk/index.ts';
import { type Call, defineOperation } from './operation.ts';
import { whole, zendeskId } from './payload-fields.ts';
import {
  namedOf,
  namedReference,
  type PersonReference,
  peopleOf,
  personReference,
  readBody,
  record,
  sideLoads,
  withoutContactData,
  type ZendeskRecord,
} from './records.ts';
import { MAX_RESULT_BYTES, ResultBudget } from './result-size.ts';

/** Zendesk's own limit of comments on one ticket. */
const MAX_COMMENTS = 5_000;
const DEFAULT_COMMENTS = 500;
/** Comments on a page once a page of more was larger than the gateway reads from Zendesk. */
const SMALL_PAGE_SIZE = 10;

const payload = z.strictObject({
  ticket_id: zendeskId.describe('The id of the ticket.'),
  max_comments: whole(0, MAX_COMMENTS)
    .optional()
    .describe(
      `How many of the newest comments to load, 0 to ${MAX_COMMENTS}; default ${DEFAULT_COMMENTS}; one call for each 100. Fewer where the answer would be larger than ${MAX_RESULT_BYTES / 2 ** 20} MiB; comments_truncated then says so.`,
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
    const shown = context.isPermitted('list_users') ? (one: ZendeskRecord) => one : withoutContactData;
    const begun = {
      ticket: shown(body.ticket),
      comments: [],
      comments_truncated: false,
      users: peopleOf(body.users),
      organizations: (body.organizations ?? []).map(namedOf),
      groups: (body.groups ?? []).map(namedOf),
    };
    const thread = new Thread(shown, begun.users, new ResultBudget(begun));
    const max = input.max_comments ?? DEFAULT_COMMENTS;
    const truncated = max === 0 || (await loadComments(call, input.ticket_id, max, thread));
    return { ...begun, ...thread.oldestFirst(), comments_truncated: truncated };
  },
});

/** Comments as they are shown, and their authors, as far as the result has room. */
class Thread {
  readonly #shown: (comment: ZendeskRecord) => ZendeskRecord;
  readonly #budget: ResultBudget;
  readonly #people: Map<number, PersonReference>;
  readonly #comments: ZendeskRecord[] = [];

  constructor(
    shown: (comment: ZendeskRecord) => ZendeskRecord,
    people: readonly PersonReference[],
    budget: ResultBudget,
  ) {
    this.#shown = shown;
    this.#budget = budget;
    this.#people = new Map(people.map((person) => [person.id, person]));
  }

  get size(): number {
    return this.#comments.length;
  }

  /** Takes the people and comments of a page, newest first; `false` where not all of them fit. */
  take(people: readonly PersonReference[], comments: readonly ZendeskRecord[]): boolean {
    for (const person of people) {
      if (this.#people.has(person.id)) continue;
      if (!this.#budget.take(person)) return false;
      this.#people.set(person.id, person);
    }
    for (const comment of comments) {
      const shown = this.#shown(comment);
      if (!this.#budget.take(shown)) return false;
      this.#comments.push(shown);
    }
    return true;
  }

  oldestFirst(): { readonly comments: ZendeskRecord[]; readonly users: PersonReference[] } {
    return { comments: this.#comments.toReversed(), users: [...this.#people.values()] };
  }
}

/**
 * Fills `thread` with at most `max` comments, newest first from Zendesk, so that a bound cuts the
 * oldest. Whether any were left out.
 */
async function loadComments(call: Call, ticketId: number, max: number, thread: Thread): Promise<boolean> {
  const pageSize = Math.min(MAX_PAGE_SIZE, max);
  const pages = cursorPages(commentPages(call, ticketId, pageSize), {
    pageSize,
    maxPages: Math.ceil(max / Math.min(SMALL_PAGE_SIZE, max)),
  });
  for await (const { response, more } of pages) {
    const { comments, users } = readBody(commentsBody, response);
    const room = max - thread.size;
    const fits = thread.take(peopleOf(users), comments.slice(0, room));
    if (!fits || comments.length > room) return true;
    if (thread.size === max) return more;
    if (!more) return false;
  }
  return true;
}

/** Asks for pages of comments, and for smaller ones from the first that is larger than the gateway reads. */
function commentPages(
  call: Call,
  ticketId: number,
  pageSize: number,
): (query: ZendeskQuery) => Promise<ZendeskResponse> {
  let size = pageSize;
  const send = (query: ZendeskQuery): Promise<ZendeskResponse> =>
    call({
      method: 'GET',
      path: `/api/v2/tickets/${ticketId}/comments.json`,
      query: { ...query, 'page[size]': size, sort: '-created_at', include: 'users' },
    });
  return async (query) => {
    try {
      return await send(query);
    } catch (error) {
      const isOversize = error instanceof ZendeskError && error.failure === 'OVERSIZE';
      if (!isOversize || size <= SMALL_PAGE_SIZE) throw error;
      size = SMALL_PAGE_SIZE;
      return send(query);
    }
  };
}
