/**
 * Sealing for the change feed: to many keys, without being asked. Public keys are imported once and kept; a key's
 * MAC key is derived anew for each piece of work and wiped.
 */
import { readKemPublicKeys } from '../../access/index.ts';
import { streamName } from '../../base/index.ts';
import { type KemPublicKey, type MacKey, type SealedEnvelope, sealEnvelope } from '../../envelope/index.ts';
import type { Store, Tx } from '../../store/index.ts';
import type { Keyring, TenantKeys } from '../../vault/index.ts';
import { FEED_OPERATION } from './feed-operation.ts';

/** Imported public keys that are kept, the least recently used give way. */
const MAX_KEPT_KEYS = 4_096;
/** Signatures under way at once: enough for every thread that signs, and no more memory than that. */
const MAX_AT_ONCE = 16;

/** One envelope to make. */
export interface FeedSealing {
  readonly purpose: 'ticket.change' | 'ticket.position';
  readonly integrationId: string;
  readonly lineageId: string;
  readonly recipientKeyId: string;
  readonly sequence: number;
  readonly auditEventId: string;
  /** JSON in UTF-8. */
  readonly plaintext: Uint8Array;
}

export interface FeedSealer {
  /**
   * The envelopes in the order of `sealings`; `now` in milliseconds since 1970. Public keys that are not at hand are
   * read in `tx` where a transaction is under way, else in one of their own.
   */
  sealAll(
    keys: TenantKeys,
    sealings: readonly FeedSealing[],
    now: number,
    tx: Tx | null,
  ): Promise<readonly SealedEnvelope[]>;
  /** One envelope to a key that is at hand, its ML-KEM-768 key of 1184 bytes. Waits for nothing outside. */
  sealTo(
    keys: TenantKeys,
    sealing: FeedSealing,
    kemPublicKey: Uint8Array,
    now: number,
  ): Promise<SealedEnvelope>;
  /** Envelopes made since the process began. */
  readonly sealed: number;
}

export interface FeedSealerDeps {
  readonly store: Store;
  readonly keyring: Keyring;
}

/** One per process. */
export function createFeedSealer(deps: FeedSealerDeps): FeedSealer {
  return new KeepingFeedSealer(deps);
}

class KeepingFeedSealer implements FeedSealer {
  readonly #deps: FeedSealerDeps;
  /** By id, the least recently used first. */
  readonly #recipients = new Map<string, KemPublicKey>();
  #sealed = 0;

  constructor(deps: FeedSealerDeps) {
    this.#deps = deps;
  }

  get sealed(): number {
    return this.#sealed;
  }

  async sealAll(
    keys: TenantKeys,
    sealings: readonly FeedSealing[],
    now: number,
    tx: Tx | null,
  ): Promise<readonly SealedEnvelope[]> {
    const keyIds = [...new Set(sealings.map(({ recipientKeyId }) => recipientKeyId))];
    const recipients = await this.#recipientsOf(keys.tenantId, keyIds, tx);
    const macKeys = new Map(keyIds.map((id) => [id, this.#macKeyOf(keys, id)]));
    const envelopes: SealedEnvelope[] = [];
    for (let start = 0; start < sealings.length; start += MAX_AT_ONCE) {
      const some = sealings.slice(start, start + MAX_AT_ONCE).map((sealing) => {
        const recipient = recipients.get(sealing.recipientKeyId);
        const macKey = macKeys.get(sealing.recipientKeyId);
        if (recipient === undefined || macKey === undefined) {
          throw new TypeError('"sealings" names a client key that the tenant does not have');
        }
        return this.#seal(keys, sealing, recipient, macKey, now);
      });
      envelopes.push(...(await Promise.all(some)));
    }
    this.#sealed += envelopes.length;
    return envelopes;
  }

  async sealTo(
    keys: TenantKeys,
    sealing: FeedSealing,
    kemPublicKey: Uint8Array,
    now: number,
  ): Promise<SealedEnvelope> {
    const recipient = this.#deps.keyring.suite.importKemPublicKey(kemPublicKey);
    const sealed = await this.#seal(
      keys,
      sealing,
      recipient,
      this.#macKeyOf(keys, sealing.recipientKeyId),
      now,
    );
    this.#sealed += 1;
    return sealed;
  }

  #seal(
    keys: TenantKeys,
    sealing: FeedSealing,
    recipient: KemPublicKey,
    macKey: MacKey,
    now: number,
  ): Promise<SealedEnvelope> {
    const { integrationId, lineageId } = sealing;
    const issuedAt = Math.floor(now / 1000);
    return sealEnvelope(this.#deps.keyring.suite, {
      claims: {
        purpose: sealing.purpose,
        tenant_id: keys.tenantId,
        recipient_key_id: sealing.recipientKeyId,
        audit_event_id: sealing.auditEventId,
        issued_at: issuedAt,
        content_type: 'application/json',
        integration_id: integrationId,
        operation: FEED_OPERATION,
        stream: streamName(integrationId, lineageId),
        sequence: sealing.sequence,
      },
      plaintext: sealing.plaintext,
      recipient,
      signingKey: keys.signingKeyAt(issuedAt).handle,
      macKey,
    });
  }

  #macKeyOf(keys: TenantKeys, keyId: string): MacKey {
    const bytes = keys.macKeyOf(keyId);
    try {
      return this.#deps.keyring.suite.importMacKey(bytes);
    } finally {
      bytes.fill(0);
    }
  }

  async #recipientsOf(
    tenantId: string,
    keyIds: readonly string[],
    tx: Tx | null,
  ): Promise<ReadonlyMap<string, KemPublicKey>> {
    const found = new Map<string, KemPublicKey>();
    for (const id of keyIds) {
      const kept = this.#recipients.get(id);
      if (kept === undefined) continue;
      found.set(id, kept);
      this.#recipients.delete(id);
      this.#recipients.set(id, kept);
    }
    const missing = keyIds.filter((id) => !found.has(id));
    if (missing.length === 0) return found;
    const { store, keyring } = this.#deps;
    const read = await (tx === null
      ? store.withTenant(tenantId, (own) => readKemPublicKeys(own, tenantId, missing))
      : readKemPublicKeys(tx, tenantId, missing));
    for (const [id, publicKey] of read) {
      const imported = keyring.suite.importKemPublicKey(publicKey);
      found.set(id, imported);
      this.#recipients.set(id, imported);
      if (this.#recipients.size > MAX_KEPT_KEYS) {
        this.#recipients.delete(this.#recipients.keys().next().value ?? id);
      }
    }
    return found;
  }
}
