import { SealdeskError } from '../base/index.ts';

const RETRY_AFTER_SECONDS = 30;

/** How many each holder has of what is bounded. */
export class HolderCounts {
  readonly #limit: number;
  readonly #who: string;
  readonly #what: string;
  readonly #counts = new Map<string, number>();

  /** Each holder, such as `This key`, may have `what` up to `limit`. */
  constructor(limit: number, who: string, what: string) {
    this.#who = who;
    this.#limit = limit;
    this.#what = what;
  }

  /** One more for `holder`, until what is returned is called. Throws TOO_MANY_REQUESTS. */
  take(holder: string): () => void {
    const count = this.#counts.get(holder) ?? 0;
    if (count >= this.#limit) {
      throw new SealdeskError(
        'TOO_MANY_REQUESTS',
        `${this.#who} has ${this.#limit} ${this.#what} here, which is all it may have. Close some.`,
        { retryAfter: RETRY_AFTER_SECONDS },
      );
    }
    this.#counts.set(holder, count + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const left = (this.#counts.get(holder) ?? 1) - 1;
      if (left === 0) this.#counts.delete(holder);
      else this.#counts.set(holder, left);
    };
  }
}
