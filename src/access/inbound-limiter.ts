/**
 * The inbound rate limit of each key: a token bucket that holds a minute's worth of requests and
 * fills evenly. It lives in this process: with n processes behind a balancer a key may send up to n
 * times its limit. A bucket pushed out because too many keys are in use begins anew, full.
 */
import { type Clock, SealdeskError } from '../base/index.ts';
import type { Caller } from './caller.ts';

export const DEFAULT_REQUESTS_PER_MINUTE = 600;
export const DEFAULT_MAX_LIMITED_KEYS = 10_000;
const MINUTE_MS = 60_000;

export interface InboundLimiterOptions {
  readonly clock: Clock;
  /** For keys without a limit of their own. Default {@link DEFAULT_REQUESTS_PER_MINUTE}. */
  readonly defaultPerMinute?: number;
  /** How many buckets are kept. Default {@link DEFAULT_MAX_LIMITED_KEYS}. */
  readonly maxKeys?: number;
  /** What the buckets belong to, as a refusal names it. Default `This key`. */
  readonly holder?: string;
}

type LimitedCaller = Pick<Caller, 'id' | 'requestsPerMinute'>;

export interface InboundLimiter {
  /** Counts one request. Throws TOO_MANY_REQUESTS with `retryAfter` in seconds where none is left. */
  take(caller: LimitedCaller): void;
  /** Throws as {@link take} would, and counts nothing. */
  assertLeft(caller: LimitedCaller): void;
}

interface Bucket {
  readonly tokens: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export function createInboundLimiter(options: InboundLimiterOptions): InboundLimiter {
  const {
    clock,
    defaultPerMinute = DEFAULT_REQUESTS_PER_MINUTE,
    maxKeys = DEFAULT_MAX_LIMITED_KEYS,
    holder = 'This key',
  } = options;
  assertPositive('defaultPerMinute', defaultPerMinute);
  assertPositive('maxKeys', maxKeys);
  // Least recently used first.
  const buckets = new Map<string, Bucket>();

  function tokensOf({ id, requestsPerMinute }: LimitedCaller, now: number): number {
    const perMinute = requestsPerMinute ?? defaultPerMinute;
    const bucket = buckets.get(id) ?? { tokens: perMinute, at: now };
    // A clock set back fills nothing.
    const gained = (Math.max(0, now - bucket.at) * perMinute) / MINUTE_MS;
    return Math.min(perMinute, bucket.tokens + gained);
  }

  function assertOne(tokens: number, { requestsPerMinute }: LimitedCaller): void {
    if (tokens >= 1) return;
    const perMinute = requestsPerMinute ?? defaultPerMinute;
    const retryAfter = Math.max(1, Math.ceil(((1 - tokens) * MINUTE_MS) / perMinute / 1_000));
    throw new SealdeskError(
      'TOO_MANY_REQUESTS',
      `${holder} may send ${perMinute} requests a minute. Wait ${retryAfter} s.`,
      { retryAfter },
    );
  }

  return Object.freeze({
    take(caller: LimitedCaller): void {
      const { id } = caller;
      const now = clock.now();
      const tokens = tokensOf(caller, now);
      buckets.delete(id);
      buckets.set(id, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value ?? id);
      assertOne(tokens, caller);
    },
    assertLeft: (caller: LimitedCaller): void => assertOne(tokensOf(caller, clock.now()), caller),
  });
}

function assertPositive(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`"${name}" must be a positive whole number, got ${value}`);
  }
}
