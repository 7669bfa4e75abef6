/** The plaintexts of the feed's envelopes, signed and opened, so what is not understood here is newer than this client. */
import { parseUtf8, type TicketChangeContent, type TicketPositionContent } from '../../base/index.ts';
import { GatewayAnswerError } from '../gateway-transport.ts';

type Members = Readonly<Record<string, unknown>>;

const GAP_REASONS: readonly unknown[] = ['NO_ACTIVE_KEY', 'SOURCE_RESTARTED'];

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
const isNumberOrNull = (value: unknown): boolean => value === null || Number.isSafeInteger(value);

/** What a kind of entry has at its top; `schema/ticket-change.schema.json` says the rest. */
const ENTRIES: Readonly<Record<TicketChangeContent['kind'], (content: Members) => boolean>> = {
  CHANGED: ({ ticket_id, ticket, generated_timestamp, changes, previous, shortened }) =>
    Number.isSafeInteger(ticket_id) &&
    isObject(ticket) &&
    ticket['id'] === ticket_id &&
    isNumberOrNull(generated_timestamp) &&
    isTexts(changes) &&
    isObject(previous) &&
    isTexts(shortened),
  DELETED: ({ ticket_id, permanent, changes }) =>
    Number.isSafeInteger(ticket_id) && typeof permanent === 'boolean' && isTexts(changes),
  ENTERED_SCOPE: ({ ticket_id, ticket, generated_timestamp, shortened }) =>
    Number.isSafeInteger(ticket_id) &&
    isObject(ticket) &&
    ticket['id'] === ticket_id &&
    isNumberOrNull(generated_timestamp) &&
    isTexts(shortened),
  LEFT_SCOPE: ({ ticket_id }) => Number.isSafeInteger(ticket_id),
  GAP: ({ reason }) => GAP_REASONS.includes(reason),
};

function parseMembers(plaintext: Uint8Array): Members {
  try {
    const value: unknown = JSON.parse(parseUtf8(plaintext) ?? '');
    if (isObject(value) && value['v'] === 1) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw notUnderstood();
}

function isContent(value: Members): value is Members & TicketChangeContent {
  const { kind } = value;
  return typeof kind === 'string' && Object.hasOwn(ENTRIES, kind)
    ? ENTRIES[kind as TicketChangeContent['kind']](value)
    : false;
}

/** Throws GatewayAnswerError for what is none. */
export function parseChangeContent(plaintext: Uint8Array): TicketChangeContent {
  const value = parseMembers(plaintext);
  if (!isContent(value)) throw notUnderstood();
  return value;
}

/** Throws GatewayAnswerError for what is none. */
export function parsePositionContent(plaintext: Uint8Array): TicketPositionContent {
  const { complete_until } = parseMembers(plaintext);
  if (complete_until === null) return { v: 1, complete_until };
  if (typeof complete_until !== 'string' || Number.isNaN(Date.parse(complete_until))) throw notUnderstood();
  return { v: 1, complete_until };
}

function notUnderstood(): GatewayAnswerError {
  return new GatewayAnswerError(
    'The change feed holds an entry that this client does not understand: the gateway is newer. Update the client.',
  );
}
