import type { Bytes } from '../base/index.ts';
import type { Suite } from '../envelope/index.ts';
import { expiredKey } from './key-lifetime.ts';
import { MAX_SEALS_PER_DATA_KEY, openRecord, sealRecord } from './record.ts';

/** What a data key of the vault is for; part of its KMS encryption context. */
export type DataKeyPurpose = 'credential' | 'access-token';

/** An unwrapped KMS data key. Disposing wipes it; every use afterwards throws `KMS_UNAVAILABLE`. */
export class UnwrappedDataKey implements Disposable {
  readonly #suite: Suite;
  readonly #key: Bytes;
  #seals = 0;
  #wiped = false;

  /** `key`, 32 bytes, is owned from now on by this object. */
  constructor(suite: Suite, key: Bytes) {
    this.#suite = suite;
    this.#key = key;
  }

  seal(aad: Uint8Array, plaintext: Uint8Array): Bytes {
    if (this.#wiped) throw expiredKey();
    if (this.#seals >= MAX_SEALS_PER_DATA_KEY) {
      throw new RangeError(`A data key seals at most ${MAX_SEALS_PER_DATA_KEY} records`);
    }
    this.#seals += 1;
    return sealRecord(this.#suite, this.#key, aad, plaintext);
  }

  /** The plaintext, or `null` where key, additional data or record differ. */
  open(aad: Uint8Array, sealed: Uint8Array): Bytes | null {
    if (this.#wiped) throw expiredKey();
    return openRecord(this.#suite, this.#key, aad, sealed);
  }

  [Symbol.dispose](): void {
    this.#wiped = true;
    this.#key.fill(0);
  }
}

/** A data key just made, with what must be stored to unwrap it again. */
export interface FreshDataKey {
  readonly key: UnwrappedDataKey;
  readonly encrypted: Bytes;
  readonly keyRef: string;
}
