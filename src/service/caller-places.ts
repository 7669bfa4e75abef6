import type { Caller } from '../access/index.ts';
import { HolderCounts } from './holder-counts.ts';

export interface PlaceLimits {
  /** Of one key. */
  readonly key: number;
  /** Of all keys of a tenant together. */
  readonly tenant: number;
}

/** What callers have of something bounded, in this process. */
export class CallerPlaces {
  readonly #ofKeys: HolderCounts;
  readonly #ofTenants: HolderCounts;

  /** `kind` is what a key is called where it may have no more of `what`. */
  constructor({ key, tenant }: PlaceLimits, kind: 'key' | 'API key', what: string) {
    this.#ofKeys = new HolderCounts(key, `This ${kind}`, what);
    this.#ofTenants = new HolderCounts(tenant, `The tenant of this ${kind}`, what);
  }

  /** One more for the caller and its tenant, until what is returned is called. Throws TOO_MANY_REQUESTS. */
  take({ id, tenantId }: Pick<Caller, 'id' | 'tenantId'>): () => void {
    const releaseTenant = this.#ofTenants.take(tenantId);
    try {
      const releaseKey = this.#ofKeys.take(id);
      return () => {
        releaseKey();
        releaseTenant();
      };
    } catch (error) {
      releaseTenant();
      throw error;
    }
  }
}
