/**
 * Who calls the webhooks' address and has proven nothing, by the address the calls come from: how many of its calls
 * are answered at once, and whether it may make the gateway look for an integration that it does not know.
 */
import { addressBucket } from '../../access/index.ts';
import { type Clock, isSealdeskError } from '../../base/index.ts';

/** Addresses that are remembered as spent. */
const MAX_SPENT = 10_000;

export interface WebhookStrangersOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Counts a call that proved nothing against its address. Throws TOO_MANY_REQUESTS. */
  readonly take: (ip: string | null) => void;
  /** Calls of one address that are answered at once. */
  readonly maxUnderWay: number;
}

export class WebhookStrangers {
  readonly #options: WebhookStrangersOptions;
  readonly #underWay = new Map<string, number>();
  /** What each spent address was refused with, and until when it is; the longest spent first. */
  readonly #spent = new Map<string, { readonly refusal: Error; readonly until: number }>();

  constructor(options: WebhookStrangersOptions) {
    this.#options = options;
  }

  /** A place for one call of this address, until what is returned is called; `null` where it has all of its own. */
  enter(ip: string | null): (() => void) | null {
    const address = addressBucket(ip);
    const count = this.#underWay.get(address) ?? 0;
    if (count >= this.#options.maxUnderWay) return null;
    this.#underWay.set(address, count + 1);
    return () => {
      const left = (this.#underWay.get(address) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(address);
      else this.#underWay.set(address, left);
    };
  }

  /** Counts a call that proved nothing. Throws TOO_MANY_REQUESTS. */
  take(ip: string | null): void {
    try {
      this.#options.take(ip);
    } catch (error) {
      if (isSealdeskError(error, 'TOO_MANY_REQUESTS')) {
        this.#note(addressBucket(ip), error, (error.details.retryAfter ?? 1) * 1_000);
      }
      throw error;
    }
  }

  /** Throws TOO_MANY_REQUESTS where {@link take} did, for as long as it told to wait. */
  assertNotSpent(ip: string | null): void {
    const spent = this.#spent.get(addressBucket(ip));
    if (spent !== undefined && this.#options.clock.now() < spent.until) throw spent.refusal;
  }

  #note(address: string, refusal: Error, milliseconds: number): void {
    this.#spent.delete(address);
    this.#spent.set(address, { refusal, until: this.#options.clock.now() + milliseconds });
    const oldest = this.#spent.keys().next().value;
    if (this.#spent.size > MAX_SPENT && oldest !== undefined) this.#spent.delete(oldest);
  }
}
