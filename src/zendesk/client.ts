/**
 * Calls to the Zendesk API of one account, with one credential. Credentials go to `origin` and to no
 * other host; redirects are errors.
 *
 * What is sent again:
 * - anything that certainly did not reach Zendesk, was refused for a pause (429), a stale credential
 *   (401, once, if `onUnauthorized` says so) or a database collision (409 `DatabaseConflict`);
 * - a read, or a creation with an idempotency key, after a time-out, a broken connection, 5xx or an
 *   unusable body. Back-offs are jittered, tries are counted, and all ends at the deadline.
 *
 * A failed change tells what became of it: `NOT_SENT` when it was not applied, either because no byte
 * left or because Zendesk refused it with a clear 3xx or 4xx; `UNKNOWN` (code OUTCOME_UNKNOWN) when it
 * was sent and no usable answer came. Once any try is unclear the whole call is, whatever a later try
 * answers short of success.
 */
import {
  type Clock,
  encodeUtf8,
  isSealdeskError,
  type JsonObject,
  type JsonValue,
  type Log,
} from '../base/index.ts';
import { openDeadline } from './deadline.ts';
import { type CallFailure, failCall } from './failed-call.ts';
import { parseJsonBody, parseRawJson } from './json-body.ts';
import type { Lane } from './lane.ts';
import { parseRateLimits, type RateLimitReading } from './rate-limit-reading.ts';
import { endpointOf, type RequestLimiter, type RequestOutcome } from './request-limiter.ts';
import type { SharedCallers } from './shared-callers.ts';
import { encodeTarget, type ZendeskQuery } from './target.ts';
import { TransportFailure, type TransportReply, type ZendeskTransport } from './transport.ts';
import type { UsageMeter } from './usage-meter.ts';
import { judgeFailure, judgeReply, judgeUnusable, type Verdict } from './verdict.ts';
import type { ZendeskError } from './zendesk-error.ts';

export interface ZendeskRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v2/`, made of our own words and ids only. */
  readonly path: string;
  readonly query?: ZendeskQuery;
  readonly body?: JsonValue;
  /** Whether it changes anything in Zendesk. */
  readonly mutation: boolean;
  /** Sent as `Idempotency-Key`, which Zendesk honours for the creation of tickets; ≤ 255 characters. */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since 1970; default 30 seconds from now. */
  readonly deadline?: number | undefined;
  /** Counts every call made, also of a request that fails. */
  readonly usage?: UsageMeter | undefined;
  /** Default MUTATION for a change, else INTERACTIVE. */
  readonly lane?: Lane | undefined;
  /** For whom the call is made, such as an API key's id: the budget is shared fairly between callers. */
  readonly caller?: string | undefined;
  /** In place of `caller`, where several share the call: whose turn comes first makes it. */
  readonly callers?: SharedCallers | undefined;
  /** Whether the answer keeps its secret members; only for the call that is made to learn one. */
  readonly keepSecrets?: boolean | undefined;
}

export interface ZendeskResponse {
  readonly status: number;
  /** `null` for 204. Secret members are gone unless they were asked for. */
  readonly body: JsonObject | null;
  /** The time at Zendesk when it answered, milliseconds since 1970; `null` where it does not tell. */
  readonly servedAt: number | null;
  readonly rateLimit: RateLimitReading;
  /** `null` where Zendesk did not apply an idempotency key. */
  readonly idempotencyLookup: 'hit' | 'miss' | null;
  /** Calls made for this answer, tries included. */
  readonly calls: number;
}

export interface ZendeskClient {
  readonly origin: string;
  /**
   * Rejects with `ZendeskError`; with what `authorize` threw (for a change: with its outcome
   * added); for a read with the signal's reason when aborted.
   */
  request(request: ZendeskRequest): Promise<ZendeskResponse>;
}

export interface ZendeskClientOptions {
  /** From `zendeskOrigin`. */
  readonly origin: string;
  readonly transport: ZendeskTransport;
  readonly limiter: RequestLimiter;
  /** The value of the Authorization header; asked before every try. */
  readonly authorize: (signal: AbortSignal) => Promise<{ readonly authorization: string }>;
  /**
   * Called on a 401 with the header that was refused: `retry` where it is worth another try. The request is sent
   * again once; a 401 to that is told with `isAgain`, and ends the request whatever is answered.
   */
  readonly onUnauthorized?:
    | ((signal: AbortSignal, refused: string, isAgain: boolean) => Promise<'retry' | 'fail'>)
    | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Jitter, 0 ≤ x < 1. */
  readonly random?: () => number;
}

/** Tries of one request that may be repeated, the first included; pauses asked for by Zendesk do not count. */
export const MAX_TRIES = 3;
const MAX_PAUSES = 5;
const DEFAULT_DEADLINE = 30_000;
const BACK_OFF_BASE = 250;
const BACK_OFF_CAP = 5_000;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

export function createZendeskClient(options: ZendeskClientOptions): ZendeskClient {
  const { origin, clock, log, limiter, transport } = options;
  if (URL.parse(origin)?.origin !== origin) throw new TypeError('"origin" must be a bare origin');
  const random = options.random ?? Math.random;

  /** One try: the answer, or a verdict on what came instead. */
  async function attempt(
    request: ZendeskRequest,
    target: string,
    signal: AbortSignal,
    deadline: number,
    expired: () => boolean,
    authorize: ZendeskClientOptions['authorize'],
  ): Promise<Success | Verdict> {
    const { method, path, usage, caller, callers } = request;
    const lane = request.lane ?? (request.mutation ? 'MUTATION' : 'INTERACTIVE');
    const limited = { method, path, lane, deadline, signal };
    const slot = await (callers?.enter(limiter, limited) ?? limiter.enter({ ...limited, caller }));
    let outcome: RequestOutcome = { sent: false, reading: null };
    try {
      const { authorization } = await authorize(signal);
      const reply = await transport.send({
        origin,
        method,
        path: target,
        signal,
        headers: headersOf(request, authorization),
        body: request.body === undefined ? undefined : encodeUtf8(JSON.stringify(request.body)),
      });
      const reading = parseRateLimits(reply.headers, path, clock.now());
      outcome = { sent: true, reading };
      usage?.record(reading, reply.status);
      if (reply.headers['x-zendesk-api-warn'] !== undefined) {
        log.warn('Zendesk ignored part of a request', { method, endpoint: endpointOf(path) });
      }
      const success = readSuccess(reply, reading, request.keepSecrets === true);
      if (success !== null) return success;
      const verdict = reply.status < 300 ? judgeUnusable(reply) : judgeReply(reply, reading, clock.now());
      if (verdict.pause !== undefined) outcome = { sent: true, reading, pause: verdict.pause };
      return verdict;
    } catch (error) {
      if (!(error instanceof TransportFailure)) throw error;
      outcome = { sent: error.sent, reading: null };
      if (error.sent) usage?.record(null, null);
      return judgeFailure(error, expired());
    } finally {
      slot.leave(outcome);
    }
  }

  async function request(request: ZendeskRequest): Promise<ZendeskResponse> {
    const target = encodeTarget(request.path, request.query);
    const { mutation, idempotencyKey } = request;
    if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
      throw new TypeError('"idempotencyKey" must be 1 to 255 visible ASCII characters');
    }
    const repeatable = !mutation || idempotencyKey !== undefined;
    const deadline = request.deadline ?? clock.now() + DEFAULT_DEADLINE;
    using limit = openDeadline(clock, deadline, request.signal);
    const state = { calls: 0, unclear: false, authorization: '' };
    const authorize = async (signal: AbortSignal): Promise<{ readonly authorization: string }> => {
      const made = await options.authorize(signal);
      state.authorization = made.authorization;
      return made;
    };
    const fail = (failure: CallFailure): unknown => failCall(failure, request, state.unclear);
    let tries = 0;
    let pauses = 0;
    let reauthorized = false;
    let paused: unknown = null;
    for (;;) {
      let result: Success | Verdict;
      try {
        result = await attempt(request, target, limit.signal, deadline, limit.expired, authorize);
      } catch (error) {
        // That no call is to be had before the deadline comes of what Zendesk answered.
        if (paused !== null && isSealdeskError(error, 'BUDGET_EXHAUSTED')) throw paused;
        throw fail({ thrown: error, expired: limit.expired() });
      }
      state.calls += 1;
      if ('body' in result) return { ...result, calls: state.calls };
      state.unclear ||= result.unclear;
      const stop = fail({ error: result.error });
      if (state.unclear && !repeatable) throw stop;
      paused = result.next === 'PAUSE' ? stop : null;
      switch (result.next) {
        case 'STOP':
          throw stop;
        case 'REAUTHORIZE': {
          if (options.onUnauthorized === undefined) throw stop;
          const isAgain = reauthorized;
          reauthorized = true;
          const { authorization } = state;
          const refusal = { authorization, isAgain, error: result.error };
          const advice = await renew(limit.signal, refusal, fail, limit.expired);
          if (advice === 'fail' || isAgain) throw stop;
          break;
        }
        case 'PAUSE': {
          pauses += 1;
          if (pauses > MAX_PAUSES || clock.now() + (result.pause?.milliseconds ?? 0) > deadline) throw stop;
          break;
        }
        case 'BACK_OFF': {
          tries += 1;
          const pause = Math.ceil(random() * Math.min(BACK_OFF_CAP, BACK_OFF_BASE * 2 ** tries));
          if (tries >= MAX_TRIES || clock.now() + pause > deadline) throw stop;
          try {
            await clock.wait(pause, limit.signal);
          } catch (error) {
            throw fail({ thrown: error, expired: limit.expired() });
          }
          break;
        }
        default:
          result.next satisfies never;
      }
      log.info('Zendesk call is tried again', {
        method: request.method,
        endpoint: endpointOf(request.path),
        failure: result.error.failure,
        status: result.error.details.upstreamStatus,
        calls: state.calls,
      });
    }
  }

  async function renew(
    signal: AbortSignal,
    { authorization, isAgain, error: refusal }: Unauthorized,
    fail: (failure: CallFailure) => unknown,
    expired: () => boolean,
  ): Promise<'retry' | 'fail'> {
    try {
      return (await options.onUnauthorized?.(signal, authorization, isAgain)) ?? 'fail';
    } catch (error) {
      // Zendesk's answer stays behind what the refusal means.
      if (isSealdeskError(error, 'NEEDS_RECONNECT')) {
        throw fail({ error: refusal.recoded(error.code, error.message, error.details) });
      }
      throw fail({ thrown: error, expired: expired() });
    }
  }

  return Object.freeze({ origin, request });
}

interface Unauthorized {
  readonly authorization: string;
  readonly isAgain: boolean;
  readonly error: ZendeskError;
}

type Success = Omit<ZendeskResponse, 'calls'>;

function headersOf(request: ZendeskRequest, authorization: string): Record<string, string> {
  return {
    accept: 'application/json',
    authorization,
    'user-agent': 'sealdesk',
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.idempotencyKey === undefined ? {} : { 'idempotency-key': request.idempotencyKey }),
  };
}

/** The answer when it is a success with a JSON object (or 204), else `null`. */
function readSuccess(
  reply: TransportReply,
  rateLimit: RateLimitReading,
  keepSecrets: boolean,
): Success | null {
  if (reply.status < 200 || reply.status >= 300) return null;
  const lookup = reply.headers['x-idempotency-lookup'];
  const idempotencyLookup = lookup === 'hit' || lookup === 'miss' ? lookup : null;
  const date = Date.parse(reply.headers['date'] ?? '');
  const servedAt = Number.isNaN(date) ? null : date;
  if (reply.status === 204) return { status: 204, body: null, servedAt, rateLimit, idempotencyLookup };
  const body = keepSecrets ? parseRawJson(reply.body) : parseJsonBody(reply.body);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return null;
  return { status: reply.status, body: body as JsonObject, servedAt, rateLimit, idempotencyLookup };
}
