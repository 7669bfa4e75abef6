/**
 * The unwrapped keys of all tenants, for as long as they may be in memory. Nothing here may be called
 * inside a transaction: it may wait for the key management service.
 */
import { type Clock, encodeHex, type Log, SealdeskError, silentLog, systemClock } from '../base/index.ts';
import type { Suite } from '../envelope/index.ts';
import type { Kms } from '../kms/index.ts';
import { assertOutsideTransaction, type Store } from '../store/index.ts';
import { type DataKeyPurpose, type FreshDataKey, UnwrappedDataKey } from './data-key.ts';
import { ExpiringKeys } from './expiring-keys.ts';
import type { TenantKeys, UnsealedTenantKeys } from './tenant-keys.ts';
import { readWrappedTenant, unsealTenant } from './unseal-tenant.ts';

const MAX_TENANTS = 1_000;
const MAX_DATA_KEYS = 4_096;

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface WrappedDataKey {
  readonly tenantId: string;
  readonly purpose: DataKeyPurpose;
  readonly encrypted: Uint8Array;
  readonly keyRef: string;
}

/** Every method rejects with `KMS_UNAVAILABLE`, and with `INTERNAL` where what is stored was altered. */
export interface Keyring extends AsyncDisposable {
  readonly suite: Suite;
  /**
   * The keys of a tenant: from memory, else by at most six KMS calls, and one more for each older vault key
   * that something may rest on and for a signing key beside the present one. `NOT_FOUND` where there is no
   * such tenant.
   */
  keysOf(tenantId: string, options?: WaitOptions): Promise<TenantKeys>;
  /** Hands the keys of a tenant out no more as they are: they were changed. */
  forget(tenantId: string): void;
  /** A new data key under the tenant's KMS key, wiped five minutes from now or by its disposal: one KMS call. */
  createDataKey(tenantId: string, purpose: DataKeyPurpose, options?: WaitOptions): Promise<FreshDataKey>;
  /** A stored data key, shared with others: from memory, else by one KMS call. */
  unwrapDataKey(wrapped: WrappedDataKey, options?: WaitOptions): Promise<UnwrappedDataKey>;
}

export interface OpenKeyringOptions {
  readonly store: Store;
  readonly kms: Kms;
  readonly suite: Suite;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Most tenants whose keys are in memory; the least recently used give way. Default 1 000. */
  readonly maxTenants?: number;
}

/**
 * The keys of a tenant with a version of its vault key, which another process may have made a moment ago:
 * what is in memory here may be some minutes older.
 */
export async function keysHolding(
  keyring: Keyring,
  { tenantId, vaultKeyVersion }: { readonly tenantId: string; readonly vaultKeyVersion: number },
  options: WaitOptions,
): Promise<TenantKeys> {
  const keys = await keyring.keysOf(tenantId, options);
  if (keys.vaultKey.version >= vaultKeyVersion) return keys;
  keyring.forget(tenantId);
  return keyring.keysOf(tenantId, options);
}

export function openKeyring(options: OpenKeyringOptions): Keyring {
  return new OpenedKeyring(options);
}

class OpenedKeyring implements Keyring {
  readonly suite: Suite;
  readonly #store: Store;
  readonly #kms: Kms;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tenants: ExpiringKeys<UnsealedTenantKeys>;
  readonly #dataKeys: ExpiringKeys<UnwrappedDataKey>;

  constructor(options: OpenKeyringOptions) {
    this.suite = options.suite;
    this.#store = options.store;
    this.#kms = options.kms;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#tenants = new ExpiringKeys(this.#clock, options.maxTenants ?? MAX_TENANTS);
    this.#dataKeys = new ExpiringKeys(this.#clock, MAX_DATA_KEYS);
  }

  async keysOf(tenantId: string, { signal }: WaitOptions = {}): Promise<TenantKeys> {
    assertOutsideTransaction('keysOf');
    return this.#tenants.get(tenantId, (lifetime) => this.#unsealTenant(tenantId, lifetime), signal);
  }

  forget(tenantId: string): void {
    this.#tenants.forget(tenantId);
  }

  async createDataKey(
    tenantId: string,
    purpose: DataKeyPurpose,
    { signal }: WaitOptions = {},
  ): Promise<FreshDataKey> {
    assertOutsideTransaction('createDataKey');
    const { kmsKeyRef } = await this.keysOf(tenantId, { signal });
    const checkedAt = this.#clock.now();
    const context = { tenant: tenantId, purpose };
    const made = await this.#kms.generateDataKey({ keyRef: kmsKeyRef, context, signal });
    const key = new UnwrappedDataKey(this.suite, made.plaintext);
    this.#dataKeys.hold(key, checkedAt);
    return { key, encrypted: made.encrypted, keyRef: made.keyRef };
  }

  async unwrapDataKey(wrapped: WrappedDataKey, { signal }: WaitOptions = {}): Promise<UnwrappedDataKey> {
    assertOutsideTransaction('unwrapDataKey');
    const { tenantId: tenant, purpose, encrypted, keyRef } = wrapped;
    // All that the KMS judges by is in the name, so nothing is found in memory that it would refuse.
    const name = JSON.stringify([tenant, purpose, keyRef, encodeHex(this.suite.sha256(encrypted))]);
    const load = async (lifetime: AbortSignal): Promise<UnwrappedDataKey> => {
      const context = { tenant, purpose };
      const key = await this.#kms.decryptDataKey({ encrypted, keyRef, context, signal: lifetime });
      return new UnwrappedDataKey(this.suite, key);
    };
    return this.#dataKeys.get(name, load, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tenants[Symbol.dispose]();
    this.#dataKeys[Symbol.dispose]();
  }

  async #unsealTenant(tenantId: string, signal: AbortSignal): Promise<UnsealedTenantKeys> {
    try {
      const wrapped = await this.#store.withTenant(tenantId, (tx) => readWrappedTenant(tx, tenantId));
      if (wrapped === null) throw new SealdeskError('NOT_FOUND', 'There is no such tenant.');
      return await unsealTenant(this.#kms, this.suite, wrapped, signal);
    } catch (error) {
      if (error instanceof SealdeskError) {
        this.#log.warn('The keys of a tenant could not be unwrapped', { tenantId, code: error.code, error });
      }
      throw error;
    }
  }
}
