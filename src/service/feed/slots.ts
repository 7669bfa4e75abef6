/**
 * So many places to work at once, taken in the order of asking; of these, one tenant has a quarter at most, so that
 * it does not keep others waiting.
 */
export class Slots {
  readonly #waiting: Waiting[] = [];
  readonly #taken = new Map<string, number>();
  readonly #share: number;
  #free: number;

  constructor(count: number) {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new RangeError(`"count" must be a positive whole number, got ${count}`);
    }
    this.#free = count;
    this.#share = Math.ceil(count / 4);
  }

  /** Runs `work` once there is a place for the tenant. Rejects with the signal's reason where it is aborted before. */
  async use<T>(tenantId: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#take(tenantId);
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      this.#give(tenantId);
    }
  }

  async #take(tenantId: string): Promise<void> {
    if (this.#mayTake(tenantId)) {
      this.#begin(tenantId);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ tenantId, resolve });
    await promise;
  }

  #give(tenantId: string): void {
    this.#free += 1;
    const left = (this.#taken.get(tenantId) ?? 1) - 1;
    if (left === 0) this.#taken.delete(tenantId);
    else this.#taken.set(tenantId, left);
    const place = this.#waiting.findIndex((one) => this.#mayTake(one.tenantId));
    const [next] = place === -1 ? [] : this.#waiting.splice(place, 1);
    if (next === undefined) return;
    this.#begin(next.tenantId);
    next.resolve();
  }

  #mayTake(tenantId: string): boolean {
    return this.#free > 0 && (this.#taken.get(tenantId) ?? 0) < this.#share;
  }

  #begin(tenantId: string): void {
    this.#free -= 1;
    this.#taken.set(tenantId, (this.#taken.get(tenantId) ?? 0) + 1);
  }
}

interface Waiting {
  readonly tenantId: string;
  readonly resolve: () => void;
}
