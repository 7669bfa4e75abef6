/** The subscription as GraphQL has it, and its results in their own form. Nothing here is verified yet. */
import { GatewayAnswerError } from '../gateway-transport.ts';
import { failureOf } from './feed-failure.ts';

export const TICKET_CHANGES_DOCUMENT =
  'subscription SealdeskTicketChanges($integrationId: ID!, $after: Cursor) { ticketChanges(integrationId: $integrationId, after: $after) { __typename ... on TicketChange { cursor sequence occurredAt envelope } ... on FeedPosition { cursor sequence envelope } } }';

export interface FeedVariables {
  readonly integrationId: string;
  readonly after: string | null;
}

/** One event of the subscription. Cursor, sequence and time are the gateway's word until an envelope signs them. */
export type FeedEvent =
  | {
      readonly kind: 'CHANGE';
      readonly cursor: string;
      readonly sequence: number;
      readonly occurredAt: Date;
      readonly envelope: unknown;
    }
  | {
      readonly kind: 'POSITION';
      readonly cursor: string;
      readonly sequence: number;
      readonly envelope: unknown;
    };

const KINDS: ReadonlyMap<unknown, FeedEvent['kind']> = new Map([
  ['TicketChange', 'CHANGE'],
  ['FeedPosition', 'POSITION'],
]);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Throws what `result` says went wrong, and GatewayAnswerError for what is no event. */
export function parseFeedEvent(result: unknown): FeedEvent {
  const data: unknown = isObject(result) ? result['data'] : null;
  const event: unknown = isObject(data) ? data['ticketChanges'] : null;
  if (!isObject(event)) throw isObject(data) ? notUnderstood() : failureOf(result);
  const kind = KINDS.get(event['__typename']);
  const { cursor, sequence, envelope, occurredAt } = event;
  if (kind === undefined || typeof cursor !== 'string' || !isSequence(sequence)) throw notUnderstood();
  if (kind === 'POSITION') return { kind, cursor, sequence, envelope };
  return { kind, cursor, sequence, envelope, occurredAt: parseTime(occurredAt) };
}

const isSequence = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function parseTime(value: unknown): Date {
  const time = new Date(typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(time.getTime())) throw notUnderstood();
  return time;
}

function notUnderstood(): GatewayAnswerError {
  return new GatewayAnswerError(
    'The gateway sent an event of the change feed that this client does not understand.',
  );
}
