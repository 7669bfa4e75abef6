/**
 * Changes of the typed graph. Each asks for the account first, with all that the answer's selection
 * needs too: what could not be answered in full is not sent.
 */
import { type FieldIssue, isSealdeskError, type SealdeskError } from '../../base/index.ts';
import type {
  CommentView,
  GraphAccount,
  GraphChange,
  GraphSession,
  OperationName,
  TicketView,
} from '../../proxy/index.ts';
import { createTicketFields, readPayload, updateTicketFields } from './change-inputs.ts';
import { COMMENT_FIELDS, type GraphWords, TICKET_FIELDS } from './field-names.ts';
import { globalTicketIdField } from './input-fields.ts';

type Input = Readonly<Record<string, unknown>>;

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/;

/** Who changes, and all the operations that the change and the selection of its answer need. */
export interface ChangeEntry {
  readonly session: GraphSession;
  readonly operations: readonly OperationName[];
}

export interface TicketCreation {
  readonly account: GraphAccount;
  readonly ticket: TicketView;
  /** created, replayed, not_applied or not_requested. */
  readonly idempotency: string | null;
}

/** An update that was made, or one that was refused because the ticket is no longer as expected. */
export type TicketUpdate =
  | { readonly kind: 'MADE'; readonly account: GraphAccount; readonly change: GraphChange }
  | {
      readonly kind: 'CONFLICT';
      readonly account: GraphAccount;
      readonly ticketId: number;
      readonly error: SealdeskError;
    };

/** Creates a ticket with its first comment, once per idempotency key. */
export async function createTicket(
  { session, operations }: ChangeEntry,
  { integrationId, idempotencyKey = null, ...fields }: Input,
): Promise<TicketCreation> {
  // Whatever is no id of an integration is an integration that is not there.
  const id = String(integrationId);
  const account = await session.account(id, operations);
  const payload = readPayload('create_ticket', createTicketFields(id), fields, {
    words: TICKET_FIELDS,
    issues: idempotencyIssues(idempotencyKey),
  });
  const key = typeof idempotencyKey === 'string' ? idempotencyKey : null;
  try {
    const { ticket, idempotency } = await account.change('create_ticket', payload, key);
    return { account, ticket, idempotency };
  } catch (error) {
    throw TICKET_FIELDS.translate(error);
  }
}

/** Changes the members that are given. */
export function updateTicket(entry: ChangeEntry, { ticketId, ...fields }: Input): Promise<TicketUpdate> {
  return updateWith(entry, ticketId, fields, TICKET_FIELDS);
}

/** Adds one comment to a ticket. */
export function addComment(
  entry: ChangeEntry,
  { ticketId, expectedUpdatedAt, ...comment }: Input,
): Promise<TicketUpdate> {
  return updateWith(entry, ticketId, { comment, expectedUpdatedAt }, COMMENT_FIELDS);
}

async function updateWith(
  { session, operations }: ChangeEntry,
  ticketId: unknown,
  fields: Input,
  words: GraphWords,
): Promise<TicketUpdate> {
  const read = globalTicketIdField.safeParse(ticketId);
  if (!read.success) {
    throw words.refusal(read.error.issues.map(({ message }) => ({ path: 'ticketId', message })));
  }
  const { integrationId, zendeskId } = read.data;
  const account = await session.account(integrationId, operations);
  const payload = readPayload('update_ticket', updateTicketFields(integrationId), fields, {
    words,
    rest: { ticket_id: zendeskId },
  });
  try {
    return { kind: 'MADE', account, change: await account.change('update_ticket', payload, null) };
  } catch (error) {
    if (!isSealdeskError(error, 'CONFLICT')) throw words.translate(error);
    return { kind: 'CONFLICT', account, ticketId: zendeskId, error };
  }
}

/** The comment that an update added, `null` where Zendesk did not tell its id. */
export async function addedComment(update: TicketUpdate): Promise<CommentView | null> {
  if (update.kind === 'CONFLICT') return null;
  const { ticket, commentId } = update.change;
  return commentId === null ? null : update.account.comment(ticket.id, commentId);
}

/** The ticket as it is in Zendesk now: what the update made of it, or what stood in its way. */
export async function currentTicket(update: TicketUpdate): Promise<TicketView | null> {
  return update.kind === 'MADE' ? update.change.ticket : update.account.ticket(update.ticketId);
}

function idempotencyIssues(key: unknown): readonly FieldIssue[] {
  if (key === null || (typeof key === 'string' && IDEMPOTENCY_KEY.test(key))) return [];
  return [{ path: 'idempotencyKey', message: 'must be 1 to 128 visible ASCII characters' }];
}
