import { addressBucket } from '../../access/index.ts';

/** Connections of one address that may wait at once for their login. */
export const MAX_PENDING_OF_ADDRESS = 64;
/** Connections that may wait at once for their login. */
export const MAX_PENDING = 1_024;

/**
 * The connections that nobody has logged in on yet: strangers must not keep the others out. Where all places are
 * taken, a newcomer gets that of the oldest of the address that has most.
 */
export class PendingLogins {
  readonly #max: number;
  /** What cuts each off, oldest first. */
  readonly #byAddress = new Map<string, Set<() => void>>();
  #all = 0;

  constructor(max: number = MAX_PENDING) {
    this.#max = max;
  }

  /**
   * Takes a place for `ip`, which is lost by `evict`. Returns what gives it back, once; `null` where the address
   * has as many as it may.
   */
  enter(ip: string | null, evict: () => void): (() => void) | null {
    const address = addressBucket(ip);
    if ((this.#byAddress.get(address)?.size ?? 0) >= MAX_PENDING_OF_ADDRESS) return null;
    if (this.#all >= this.#max) this.#evictOne();
    const own = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, own.add(evict));
    this.#all += 1;
    return () => this.#leave(address, evict);
  }

  #evictOne(): void {
    let fullest: readonly [string, Set<() => void>] | null = null;
    for (const entry of this.#byAddress) {
      if (fullest === null || entry[1].size > fullest[1].size) fullest = entry;
    }
    if (fullest === null) return;
    const [address, places] = fullest;
    const [evict] = places;
    if (evict === undefined) return;
    this.#leave(address, evict);
    evict();
  }

  #leave(address: string, evict: () => void): void {
    const own = this.#byAddress.get(address);
    if (own?.delete(evict) !== true) return;
    if (own.size === 0) this.#byAddress.delete(address);
    this.#all -= 1;
  }
}
