/**
 * The breaker of one webhook: after too many errors in five minutes it opens for five seconds, in which nothing
 * is sent (monitoring page: 70 % of at least 100 requests, or more than 1,000 errors). Closing forgets the
 * window, so that the next opening needs as many errors again. Times in milliseconds of the caller's clock.
 */
const WINDOW = 5 * 60_000;
const PAUSE = 5000;
const LEAST_REQUESTS = 100;
const ERROR_SHARE = 0.7;
const MOST_ERRORS = 1000;

interface Second {
  readonly at: number;
  total: number;
  errors: number;
}

export class CircuitBreaker {
  #seconds: Second[] = [];
  #openUntil = Number.NEGATIVE_INFINITY;

  isOpen(now: number): boolean {
    return now < this.#openUntil;
  }

  /** Counts one finished request; opens the breaker when the bounds are passed. */
  record(failed: boolean, now: number): void {
    const at = Math.floor(now / 1000) * 1000;
    let second = this.#seconds.at(-1);
    if (second?.at !== at) {
      second = { at, total: 0, errors: 0 };
      this.#seconds.push(second);
      this.#seconds = this.#seconds.filter((kept) => kept.at > now - WINDOW);
    }
    second.total += 1;
    if (failed) second.errors += 1;
    const total = this.#seconds.reduce((sum, kept) => sum + kept.total, 0);
    const errors = this.#seconds.reduce((sum, kept) => sum + kept.errors, 0);
    if (errors > MOST_ERRORS || (total >= LEAST_REQUESTS && errors >= total * ERROR_SHARE)) {
      this.#openUntil = now + PAUSE;
      this.#seconds = [];
    }
  }
}
