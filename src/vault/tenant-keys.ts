/**
 * The unwrapped keys of one tenant and what they are for. Every derivation and every use has its own
 * label, so no two uses share a key:
 *
 * | from       | label (UTF-8)             | then           | gives                                    |
 * |------------|---------------------------|----------------|------------------------------------------|
 * | `mac-root` | `sealdesk/mac/v1`         | 0 ‖ key id     | HKDF-Expand-SHA-512, 64 bytes            |
 * | `mac-root` | `sealdesk/audit-head/v1`  |                | HKDF-Expand-SHA-512, 64 bytes            |
 * | `storage`  | `sealdesk/storage/v1`     | 0 ‖ salt (32)  | HKDF-Expand-SHA-512, key (32) ‖ nonce (12) |
 * | `index`    | `sealdesk/index/v1`       | 0 ‖ label ‖ 0 ‖ text | HMAC-SHA-512, first 32 bytes       |
 * | `index`    | `sealdesk/idempotency/v1` | 0 ‖ RFC 8785 array | HMAC-SHA-512, first 32 bytes         |
 *
 * The keys of checkpoints, from `audit-signing`, are those of checkpoint-signer.ts.
 *
 * Each sealed text has a key of its own by its random salt, so no count of texts wears `storage` out.
 */
import {
  type Bytes,
  concatBytes,
  encodeBase64Url,
  encodeCanonicalJson,
  encodeUtf8,
  isId,
  parseUtf8,
} from '../base/index.ts';
import {
  hkdfExpandSha512,
  type KemPrivateKey,
  type KemPublicKey,
  openHpke,
  type SigningKey,
  type Suite,
} from '../envelope/index.ts';
import { deriveAuditHeadKey } from './audit-head-key.ts';
import { type CheckpointSigner, createCheckpointSigner } from './checkpoint-signer.ts';
import { expiredKey } from './key-lifetime.ts';
import { alteredRecord } from './record.ts';
import type { SigningKeyRow } from './tenant-secrets.ts';

const ZERO = Uint8Array.of(0);
const LABELS = Object.freeze({
  mac: encodeUtf8('sealdesk/mac/v1'),
  storage: encodeUtf8('sealdesk/storage/v1'),
  idempotency: encodeUtf8('sealdesk/idempotency/v1'),
  vault: encodeUtf8('sealdesk/vault/v1'),
});
const INDEX_PREFIX = 'sealdesk/index/v1';
const MAC_KEY_SIZE = 64;
const LOOKUP_SIZE = 32;
const TEXT = Object.freeze({ format: 0x01, salt: 32, key: 32, nonce: 12, tag: 16 });
/** Bytes of UTF-8. */
const MAX_TEXT_SIZE = 4 * 1024 * 1024;
const INDEX_LABEL = /^[a-z0-9][a-z0-9./_-]{0,63}$/;

/** HPKE `info` of everything that is sealed to a tenant's vault key. */
export const VAULT_INFO: Bytes = LABELS.vault;

/** The one place that a sealed text may be opened at. */
export interface TextLocation {
  readonly table: string;
  readonly rowId: string;
  readonly column: string;
  /** Of the row, so that an older text cannot be put back. */
  readonly version: number;
}

export interface TenantSigningKey extends SigningKeyRow {
  /** Signs with ML-DSA-65. */
  readonly handle: SigningKey;
}

export interface VaultKey {
  readonly version: number;
  readonly recipient: KemPublicKey;
}

/**
 * Ask the keyring for it at the beginning of each piece of work and do not keep it: five minutes
 * after its KMS check every method throws `KMS_UNAVAILABLE`.
 */
export interface TenantKeys {
  readonly tenantId: string;
  /** The tenant's KMS key; `null`: the default key of the configuration. */
  readonly kmsKeyRef: string | null;
  /** What everything new is sealed to: the newest version. */
  readonly vaultKey: VaultKey;
  /**
   * The key that signs what is issued at `issuedAt` (Unix seconds): the newest that signs by then. Every
   * process changes to a new key at the same moment, since that moment is in the time of issue.
   */
  signingKeyAt(issuedAt: number): TenantSigningKey;
  /** The MAC key of client key `key_…`: 64 bytes, the caller's to wipe. */
  macKeyOf(clientKeyId: string): Bytes;
  /** The HMAC key of the audit log's head: 64 bytes, the caller's to wipe. */
  auditHeadKey(): Bytes;
  /** What signs the checkpoints of the audit log. */
  checkpointSigner(): CheckpointSigner;
  /** `text` (at most 4 MiB of UTF-8) sealed for one place: 49 bytes longer. */
  sealText(location: TextLocation, text: string): Bytes;
  /** The text that was sealed for this place. Throws `INTERNAL` where anything differs. */
  openText(location: TextLocation, sealed: Uint8Array): string;
  /** A keyed hash of `text` to look it up by or to name it in the audit log: 43 characters, base64url. `label` names what the text is. */
  indexHmac(label: string, text: string): string;
  /** A keyed hash of `parts`, in order, to send as an idempotency key: 43 characters, base64url. */
  idempotencyKey(parts: readonly string[]): string;
  /**
   * What was sealed to version `version` of the vault key (`sealdesk/vault/v1`), or `null`: also where that
   * version is not held. The caller's to wipe.
   */
  openVault(version: number, aad: Uint8Array, enc: Uint8Array, ciphertext: Uint8Array): Promise<Bytes | null>;
}

/** The private half of one version of the vault key. */
export interface VaultSeed {
  readonly version: number;
  readonly key: KemPrivateKey;
}

export interface TenantKeyMaterial {
  readonly tenantId: string;
  readonly kmsKeyRef: string | null;
  /** At least one. */
  readonly signingKeys: readonly TenantSigningKey[];
  /** At least one. */
  readonly vaults: readonly VaultSeed[];
  /** The secret `audit-signing`, 32 bytes; stays the caller's to wipe. */
  readonly audit: Uint8Array;
  /** 32 bytes each, owned from now on by the keys made of them. */
  readonly macRoot: Bytes;
  readonly storage: Bytes;
  readonly index: Bytes;
}

/** The private keys, which cannot be wiped; newest first. */
interface Handles {
  readonly signingKeys: readonly TenantSigningKey[];
  readonly vaults: readonly VaultSeed[];
  readonly checkpoints: CheckpointSigner;
}

const newestFirst = (a: { readonly version: number }, b: { readonly version: number }): number =>
  b.version - a.version;

export class UnsealedTenantKeys implements TenantKeys, Disposable {
  readonly tenantId: string;
  readonly kmsKeyRef: string | null;
  readonly vaultKey: VaultKey;
  readonly #suite: Suite;
  readonly #macRoot: Bytes;
  readonly #storage: Bytes;
  readonly #index: Bytes;
  #handles: Handles | null;

  constructor(suite: Suite, material: TenantKeyMaterial) {
    const { tenantId, kmsKeyRef, macRoot, storage, index } = material;
    const signingKeys = material.signingKeys.toSorted(newestFirst);
    const vaults = material.vaults.toSorted(newestFirst);
    const [vault] = vaults;
    if (vault === undefined || signingKeys.length === 0) {
      throw new TypeError('"material" must have a signing key and a vault key');
    }
    this.tenantId = tenantId;
    this.kmsKeyRef = kmsKeyRef;
    this.vaultKey = Object.freeze({
      version: vault.version,
      recipient: suite.importKemPublicKey(vault.key.publicKey),
    });
    this.#suite = suite;
    this.#macRoot = macRoot;
    this.#storage = storage;
    this.#index = index;
    const checkpoints = createCheckpointSigner(suite, material.audit, () => this.#live());
    this.#handles = { signingKeys, vaults, checkpoints };
  }

  signingKeyAt(issuedAt: number): TenantSigningKey {
    const { signingKeys } = this.#live();
    const signing = signingKeys.find(({ notBefore }) => Math.floor(notBefore.getTime() / 1000) <= issuedAt);
    return signing ?? (signingKeys.at(-1) as TenantSigningKey);
  }

  macKeyOf(clientKeyId: string): Bytes {
    if (!isId('clientKey', clientKeyId)) throw new TypeError('"clientKeyId" must be the id of a client key');
    return this.#expand(this.#macRoot, concatBytes(LABELS.mac, ZERO, encodeUtf8(clientKeyId)), MAC_KEY_SIZE);
  }

  auditHeadKey(): Bytes {
    this.#live();
    return deriveAuditHeadKey(this.#suite, this.#macRoot);
  }

  checkpointSigner(): CheckpointSigner {
    return this.#live().checkpoints;
  }

  sealText(location: TextLocation, text: string): Bytes {
    const plaintext = encodeUtf8(text);
    try {
      if (plaintext.length > MAX_TEXT_SIZE) {
        throw new RangeError(`"text" must be at most ${MAX_TEXT_SIZE} bytes, got ${plaintext.length}`);
      }
      const salt = this.#suite.randomBytes(TEXT.salt);
      const ciphertext = this.#withTextKey(salt, (key, nonce) =>
        this.#suite.sealAes256Gcm(key, nonce, this.#textAad(location), plaintext),
      );
      return concatBytes(Uint8Array.of(TEXT.format), salt, ciphertext);
    } finally {
      plaintext.fill(0);
    }
  }

  openText(location: TextLocation, sealed: Uint8Array): string {
    if (sealed.length < 1 + TEXT.salt + TEXT.tag || sealed[0] !== TEXT.format) throw alteredRecord();
    const ciphertext = sealed.subarray(1 + TEXT.salt);
    const plaintext = this.#withTextKey(sealed.subarray(1, 1 + TEXT.salt), (key, nonce) =>
      this.#suite.openAes256Gcm(key, nonce, this.#textAad(location), ciphertext),
    );
    const text = plaintext === null ? null : parseUtf8(plaintext);
    plaintext?.fill(0);
    if (text === null) throw alteredRecord();
    return text;
  }

  indexHmac(label: string, text: string): string {
    if (!INDEX_LABEL.test(label)) throw new TypeError(`"label" must match ${INDEX_LABEL}`);
    return this.#lookup(encodeUtf8(`${INDEX_PREFIX}\0${label}\0${text}`));
  }

  idempotencyKey(parts: readonly string[]): string {
    return this.#lookup(concatBytes(LABELS.idempotency, ZERO, encodeCanonicalJson(parts)));
  }

  async openVault(
    version: number,
    aad: Uint8Array,
    enc: Uint8Array,
    ciphertext: Uint8Array,
  ): Promise<Bytes | null> {
    const vault = this.#live().vaults.find((one) => one.version === version);
    if (vault === undefined) return null;
    const { key: recipient } = vault;
    const opened = await openHpke(this.#suite, { recipient, info: VAULT_INFO, aad, enc, ciphertext });
    return opened?.plaintext ?? null;
  }

  /** Wipes the symmetric secrets and drops the handles of the private keys, which cannot be wiped. */
  [Symbol.dispose](): void {
    this.#handles = null;
    for (const secret of [this.#macRoot, this.#storage, this.#index]) secret.fill(0);
  }

  /** Guards every use of a secret: a wiped one would go on giving keys, all known to everybody. */
  #live(): Handles {
    if (this.#handles === null) throw expiredKey();
    return this.#handles;
  }

  #expand(secret: Bytes, info: Uint8Array, length: number): Bytes {
    this.#live();
    return hkdfExpandSha512(this.#suite, secret, info, length);
  }

  #lookup(message: Bytes): string {
    this.#live();
    return encodeBase64Url(this.#suite.hmacSha512(this.#index, message).subarray(0, LOOKUP_SIZE));
  }

  #withTextKey<T>(salt: Uint8Array, work: (key: Bytes, nonce: Bytes) => T): T {
    const info = concatBytes(LABELS.storage, ZERO, salt);
    const derived = this.#expand(this.#storage, info, TEXT.key + TEXT.nonce);
    try {
      return work(derived.subarray(0, TEXT.key), derived.subarray(TEXT.key));
    } finally {
      derived.fill(0);
    }
  }

  #textAad({ table, rowId, column, version }: TextLocation): Bytes {
    return encodeCanonicalJson({ column, row: rowId, table, tenant: this.tenantId, version });
  }
}
