/**
 * Counters of requests in a window of time. Fixed windows are aligned to the clock (12:00:00 to 12:00:59);
 * sliding ones remember when each request of the last window came. Zendesk doesn't publish which it uses, so
 * clients should survive both. A second consumer of the account (another integration, the agents' browsers)
 * can draw from the same counter, at once or at a rate.
 */
import type { SimulatorClock } from './options.ts';

export type WindowKind = 'fixed' | 'sliding';

export interface BucketState {
  readonly total: number;
  readonly remaining: number;
  /** Whole seconds until more room: the window's end (fixed) or the oldest request's leaving (sliding). */
  readonly resets: number;
}

export interface Bucket {
  /** Counts one request if there is room. */
  take(now: number): boolean;
  /** Counts `count` requests of somebody else, as far as there is room. */
  drain(count: number, now: number): void;
  state(now: number): BucketState;
}

const wholeSeconds = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1000));

const createFixedBucket = (total: number, windowMs: number): Bucket => {
  let window = -1;
  let used = 0;
  const roll = (now: number): void => {
    const current = Math.floor(now / windowMs);
    if (current === window) return;
    window = current;
    used = 0;
  };
  return {
    take(now) {
      roll(now);
      if (used >= total) return false;
      used += 1;
      return true;
    },
    drain(count, now) {
      roll(now);
      used = Math.min(total, used + count);
    },
    state(now) {
      roll(now);
      return { total, remaining: total - used, resets: wholeSeconds((window + 1) * windowMs - now) };
    },
  };
};

const createSlidingBucket = (total: number, windowMs: number): Bucket => {
  /** Times of the counted requests, oldest at `head`. */
  let times: number[] = [];
  let head = 0;
  const roll = (now: number): void => {
    while (head < times.length && (times[head] ?? 0) <= now - windowMs) head += 1;
    if (head > 1024 && head * 2 > times.length) {
      times = times.slice(head);
      head = 0;
    }
  };
  const used = (): number => times.length - head;
  return {
    take(now) {
      roll(now);
      if (used() >= total) return false;
      times.push(now);
      return true;
    },
    drain(count, now) {
      roll(now);
      for (let left = Math.min(count, total - used()); left > 0; left -= 1) times.push(now);
    },
    state(now) {
      roll(now);
      const oldest = times[head];
      return {
        total,
        remaining: total - used(),
        resets: wholeSeconds(oldest === undefined ? windowMs : oldest + windowMs - now),
      };
    },
  };
};

export const createBucket = (kind: WindowKind, total: number, windowMs: number): Bucket =>
  kind === 'fixed' ? createFixedBucket(total, windowMs) : createSlidingBucket(total, windowMs);

/** Most keyed buckets (per ticket and user) kept; the oldest are forgotten first. */
const MAX_KEYED_BUCKETS = 50_000;

/** The account's counter, the endpoint counters and the second consumer. */
export class RateLimiter {
  readonly #clock: SimulatorClock;
  readonly #kind: WindowKind;
  readonly #accountLimit: number;
  #account: Bucket;
  #buckets = new Map<string, Bucket>();
  #consumerPerMinute = 0;
  #consumerSince = 0;

  constructor(clock: SimulatorClock, kind: WindowKind, accountLimit: number) {
    this.#clock = clock;
    this.#kind = kind;
    this.#accountLimit = accountLimit;
    this.#account = createBucket(kind, accountLimit, 60_000);
  }

  /** Counts one request against the account; false = over the limit. */
  takeAccount(): boolean {
    this.#settleConsumer();
    return this.#account.take(this.#clock.now());
  }

  accountState(): BucketState {
    this.#settleConsumer();
    return this.#account.state(this.#clock.now());
  }

  /** Counts one request against an endpoint limit, under `key` when it holds per ticket or user. */
  takeEndpoint(key: string, total: number, windowMs: number): { taken: boolean; state: BucketState } {
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      const oldest = this.#buckets.size >= MAX_KEYED_BUCKETS ? this.#buckets.keys().next().value : undefined;
      if (oldest !== undefined) this.#buckets.delete(oldest);
      bucket = createBucket(this.#kind, total, windowMs);
      this.#buckets.set(key, bucket);
    }
    const now = this.#clock.now();
    const taken = bucket.take(now);
    return { taken, state: bucket.state(now) };
  }

  /** The second consumer sends `count` requests now. */
  consume(count: number): void {
    this.#settleConsumer();
    this.#account.drain(count, this.#clock.now());
  }

  /** The second consumer sends this many requests a minute from now on; 0 stops it. */
  setConsumerRate(perMinute: number): void {
    this.#settleConsumer();
    this.#consumerPerMinute = perMinute;
    this.#consumerSince = this.#clock.now();
  }

  get consumerPerMinute(): number {
    return this.#consumerPerMinute;
  }

  /** Books what the second consumer has sent since the last look, each request at its own time. */
  #settleConsumer(): void {
    if (this.#consumerPerMinute <= 0) return;
    const now = this.#clock.now();
    const step = 60_000 / this.#consumerPerMinute;
    const from = Math.max(this.#consumerSince, now - 120_000);
    const count = Math.floor((now - from) / step);
    for (let index = 1; index <= count; index += 1) this.#account.drain(1, from + index * step);
    if (count > 0) this.#consumerSince = from + count * step;
  }

  reset(): void {
    this.#account = createBucket(this.#kind, this.#accountLimit, 60_000);
    this.#buckets = new Map();
    this.#consumerPerMinute = 0;
  }
}
