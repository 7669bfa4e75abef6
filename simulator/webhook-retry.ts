/**
 * What follows an attempt (monitoring page): a timeout is retried up to 5 times, a 409 up to 3, a 429 or 503
 * only when it says to come back in under a minute; nothing else is. How long Zendesk waits before the first
 * two, and how often it follows `Retry-After`, is not published.
 */
import type { Attempt } from './delivery-log.ts';

const MAX_TIMEOUT_RETRIES = 5;
const MAX_CONFLICT_RETRIES = 3;
const MAX_THROTTLED_RETRIES = 5;
const MAX_RETRY_AFTER_SECONDS = 60;

export type NextStep =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'retry'; readonly afterMs: number };

const isThrottled = (attempt: Attempt): boolean => attempt.status === 429 || attempt.status === 503;

/** Decides by all attempts so far, the newest last; `retryAfter` is the newest answer's header. */
export const nextStep = (
  attempts: readonly Attempt[],
  retryAfter: string | null,
  retryDelayMs: number,
): NextStep => {
  const last = attempts.at(-1);
  const allow = (matches: (attempt: Attempt) => boolean, retries: number, afterMs: number): NextStep =>
    attempts.filter(matches).length <= retries ? { kind: 'retry', afterMs } : { kind: 'failed' };
  if (last?.outcome === 'timeout') {
    return allow((attempt) => attempt.outcome === 'timeout', MAX_TIMEOUT_RETRIES, retryDelayMs);
  }
  if (last?.outcome !== 'answered' || last.status === null) return { kind: 'failed' };
  if (last.status >= 200 && last.status < 300) return { kind: 'delivered' };
  if (last.status === 409) {
    return allow((attempt) => attempt.status === 409, MAX_CONFLICT_RETRIES, retryDelayMs);
  }
  if (isThrottled(last) && retryAfter !== null && /^\d{1,9}$/.test(retryAfter)) {
    const seconds = Number(retryAfter);
    if (seconds < MAX_RETRY_AFTER_SECONDS) return allow(isThrottled, MAX_THROTTLED_RETRIES, seconds * 1000);
  }
  return { kind: 'failed' };
};
