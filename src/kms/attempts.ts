/**
 * Repeats an attempt that may succeed later, with full jitter between the tries, bounded by their
 * number, by a time for each and by a time for all. Time comes from a clock, so that tests need not wait.
 */
import type { Clock } from '../base/index.ts';

export interface AttemptLimits {
  readonly maxAttempts: number;
  /** Milliseconds for one try. */
  readonly attemptTimeout: number;
  /** Milliseconds for all tries and the waiting between them. */
  readonly totalTimeout: number;
}

/** Milliseconds: before the second try up to the first, doubled for each further one up to the last. */
const BACKOFF = Object.freeze({ base: 100, cap: 2_000 });

/** What an attempt that ran out of its time rejects with. */
export class AttemptTimeoutError extends Error {
  override readonly name = 'AttemptTimeoutError';
}

export interface AttemptOptions extends AttemptLimits {
  readonly clock: Clock;
  readonly isRetryable: (error: unknown) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The first success, else the last failure; the reason of `signal` as soon as it is aborted. */
export async function attemptRepeatedly<T>(
  options: AttemptOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, maxAttempts, attemptTimeout, totalTimeout, isRetryable } = options;
  const deadline = clock.now() + totalTimeout;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const limit = Math.max(1, Math.min(attemptTimeout, deadline - clock.now()));
      return await withTimeLimit(clock, limit, options.signal, work);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (attempt >= maxAttempts || !isRetryable(error)) throw error;
      const pause = Math.random() * Math.min(BACKOFF.cap, BACKOFF.base * 2 ** (attempt - 1));
      if (clock.now() + pause >= deadline) throw error;
      await clock.wait(pause, options.signal);
    }
  }
}

/** Settles with `work`, or rejects once the time is up or the signal aborted, whatever `work` does then. */
async function withTimeLimit<T>(
  clock: Clock,
  milliseconds: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const over = new AbortController();
  const attempt = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const timer = new AbortController();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(attempt.reason);
  attempt.addEventListener('abort', onAbort, { once: true });
  clock.wait(milliseconds, timer.signal).then(
    () => over.abort(new AttemptTimeoutError('No answer in time')),
    () => {},
  );
  try {
    return await Promise.race([work(attempt), aborted.promise]);
  } finally {
    attempt.removeEventListener('abort', onAbort);
    timer.abort();
  }
}
