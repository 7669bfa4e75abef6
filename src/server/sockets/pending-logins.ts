import { addressBucket } from '../../access/index.ts';

/** Connections of one address that may wait at once for their login. */
export const MAX_PENDING_OF_ADDRESS = 64;
/** Connections that may wait at once for their login. */
const MAX_PENDING = 1_024;

/** The connections that nobody has logged in on yet: strangers must not keep the others out. */
export class PendingLogins {
  readonly #byAddress = new Map<string, number>();
  #all = 0;

  /** Takes a place for `ip`. Returns what gives it back, once; `null` where there is no place. */
  enter(ip: string | null): (() => void) | null {
    const address = addressBucket(ip);
    const own = this.#byAddress.get(address) ?? 0;
    if (own >= MAX_PENDING_OF_ADDRESS || this.#all >= MAX_PENDING) return null;
    this.#byAddress.set(address, own + 1);
    this.#all += 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#leave(address);
    };
  }

  #leave(address: string): void {
    const own = this.#byAddress.get(address) ?? 0;
    if (own <= 1) this.#byAddress.delete(address);
    else this.#byAddress.set(address, own - 1);
    this.#all -= 1;
  }
}
