/**
 * The inbound rate limit of each API key: a token bucket that holds a minute's worth of requests and
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
  /** What the buckets belong to, as a refusal names it. Default `This API key`. */
  readonly holder?: string;
}

export interface InboundLimiter {
  /** Counts one request. Throws TOO_MANY_REQUESTS with `retryAfter` in seconds where none is left. */
  take(caller: Pick<Caller, 'apiKeyId' | 'requestsPerMinute'>): void;
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
    holder = 'This API key',
  } = options;
  assertPositive('defaultPerMinute', defaultPerMinute);
  assertPositive('maxKeys', maxKeys);
  // Least recently used first.
  const buckets = new Map<string, Bucket>();
  return Object.freeze({
    take({ apiKeyId, requestsPerMinute }: Pick<Caller, 'apiKeyId' | 'requestsPerMinute'>): void {
      const perMinute = requestsPerMinute ?? defaultPerMinute;
      const now = clock.now();
      const bucket = buckets.get(apiKeyId) ?? { tokens: perMinute, at: now };
      // A clock set back fills nothing.
      const gained = (Math.max(0, now - bucket.at) * perMinute) / MINUTE_MS;
      const tokens = Math.min(perMinute, bucket.tokens + gained);
      const left = tokens >= 1 ? tokens - 1 : tokens;
      buckets.delete(apiKeyId);
      buckets.set(apiKeyId, { tokens: left, at: now });
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value ?? apiKeyId);
      if (tokens >= 1) return;
      const retryAfter = Math.max(1, Math.ceil(((1 - tokens) * MINUTE_MS) / perMinute / 1_000));
      throw new SealdeskError(
        'TOO_MANY_REQUESTS',
        `${holder} may send ${perMinute} requests a minute. Wait ${retryAfter} s.`,
        { retryAfter },
      );
    },
  });
}

function assertPositive(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`"${name}" must be a positive whole number, got ${value}`);
  }
}
