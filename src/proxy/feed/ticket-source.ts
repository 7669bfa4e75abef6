/**
 * Zendesk as the change feed reads it, in the background lane of the account's budget, for one feed and one
 * holder of its lease: tickets by id, and pages of the cursor export (zendesk-api §5 and §8).
 */
import { z } from 'zod';
import { type Clock, isSealdeskError, type JsonObject } from '../../base/index.ts';
import {
  createCoalescer,
  MAX_BATCH_IDS,
  type Participant,
  type SharedTerms,
  upstreamOf,
  ZendeskError,
  type ZendeskResponse,
} from '../../zendesk/index.ts';
import { readBody, records, type ZendeskRecord } from '../catalogue/records.ts';
import type { ConnectionTarget, ZendeskConnections } from '../connections.ts';

/** Most tickets of one load. */
export const MAX_LOADED_TICKETS = MAX_BATCH_IDS;

/** As whom the feed takes its share of the account's budget. */
const CALLER = 'feed';
const CALL_DEADLINE_MS = 60_000;
const MAX_CURSOR_CHARACTERS = 2_048;
const PLACE_REFUSALS: readonly number[] = [400, 410, 422];

/** Where a page of the export begins. */
export type ExportPlace =
  | { readonly cursor: string }
  /** Unix seconds, more than a minute ago. */
  | { readonly startTime: number };

export interface ExportPage {
  /** Ordered by `generated_timestamp` and id; deleted tickets have the status `deleted`. */
  readonly tickets: readonly ZendeskRecord[];
  /** Where the next page begins, also after the last one. */
  readonly cursor: string;
  readonly isLast: boolean;
  /** The time at Zendesk when it answered, milliseconds since 1970; `null` where it did not tell. */
  readonly servedAt: number | null;
}

export interface TicketSource {
  /**
   * The tickets of these ids, at most 100, in order: `null` where Zendesk shows none, an Error where its call
   * failed. Never rejects.
   */
  loadMany(ids: readonly number[], signal: AbortSignal): Promise<readonly (ZendeskRecord | null | Error)[]>;
  /** One ticket, asked for by itself: `null` where Zendesk says that it is not there. */
  find(id: number, signal: AbortSignal): Promise<JsonObject | null>;
  /** A page of at most `size` tickets as they are at present. Rejects with `ZendeskError`. */
  exportPage(place: ExportPlace, size: number, signal: AbortSignal): Promise<ExportPage>;
}

export interface TicketSourceOptions {
  readonly connections: ZendeskConnections;
  readonly clock: Clock;
  /** Asked before each call: the account's credential may have been changed. */
  readonly target: () => ConnectionTarget;
}

const TicketsBody = z.looseObject({ tickets: records });
const TicketBody = z.looseObject({ ticket: z.looseObject({}) });
const ErrorBody = z.union([
  z.looseObject({ error: z.union([z.string(), z.looseObject({})]) }),
  z.looseObject({ errors: z.array(z.unknown()) }),
]);
const ExportBody = z.looseObject({
  tickets: records,
  after_cursor: z.string().min(1).max(MAX_CURSOR_CHARACTERS),
  end_of_stream: z.boolean(),
});

export function createTicketSource({ connections, clock, target }: TicketSourceOptions): TicketSource {
  const get = (
    path: string,
    query: Readonly<Record<string, string | number>>,
    terms: Pick<SharedTerms, 'signal'> & Partial<Pick<SharedTerms, 'deadline' | 'callers'>>,
  ): Promise<ZendeskResponse> =>
    connections.clientFor(target()).request({
      method: 'GET',
      path,
      query,
      mutation: false,
      lane: 'BACKGROUND',
      signal: terms.signal,
      deadline: terms.deadline ?? clock.now() + CALL_DEADLINE_MS,
      ...(terms.callers === undefined ? { caller: CALLER } : { callers: terms.callers }),
    });
  // For the halves it asks for where an answer is too large: one huge ticket must not hold up a hundred.
  const loads = createCoalescer<ZendeskRecord>({
    clock,
    async load(ids, terms) {
      const response = await get('/api/v2/tickets/show_many.json', { ids: ids.join(',') }, terms);
      return new Map(readBody(TicketsBody, response).tickets.map((ticket) => [ticket.id, ticket]));
    },
  });
  return Object.freeze({
    async loadMany(ids, signal) {
      const participant: Participant = {
        signal,
        deadline: clock.now() + CALL_DEADLINE_MS,
        lane: 'BACKGROUND',
        caller: CALLER,
      };
      return loads.loadMany(ids, participant);
    },
    async find(id, signal) {
      try {
        const response = await get(`/api/v2/tickets/${id}.json`, {}, { signal });
        return readBody(TicketBody, response).ticket as JsonObject;
      } catch (error) {
        if (isSealdeskError(error, 'NOT_FOUND')) return null;
        throw error;
      }
    },
    async exportPage(place, size, signal) {
      const query = {
        ...('cursor' in place ? { cursor: place.cursor } : { start_time: place.startTime }),
        per_page: size,
        support_type_scope: 'all',
      };
      const response = await get('/api/v2/incremental/tickets/cursor.json', query, { signal });
      const { tickets, after_cursor: cursor, end_of_stream: isLast } = readBody(ExportBody, response);
      return { tickets, cursor, isLast, servedAt: response.servedAt };
    },
  } satisfies TicketSource);
}

/**
 * Whether Zendesk says that it takes no such place in its export: in an error of its own. What something on the way
 * answers is none.
 */
export function isPlaceRefused(error: unknown): boolean {
  const answer = upstreamOf(error);
  if (answer === null || !PLACE_REFUSALS.includes(answer.status)) return false;
  return ErrorBody.safeParse(answer.body).success;
}

/** Whether the answer was larger than the gateway reads. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof ZendeskError && error.failure === 'OVERSIZE';
}
