/**
 * How a credential lies in the database: sealed by HPKE to the tenant's vault key, and that sealed
 * again under a KMS data key. Both layers are bound to the same place by their additional data, and
 * the outer one also to the version of the vault key. Reading takes the KMS and the vault seed.
 */
import { type Bytes, concatBytes, encodeCanonicalJson, type JsonObject } from '../base/index.ts';
import { ML_KEM_768, type Suite, sealHpke } from '../envelope/index.ts';
import type { UnwrappedDataKey } from './data-key.ts';
import { alteredRecord } from './record.ts';
import { type TenantKeys, VAULT_INFO, type VaultKey } from './tenant-keys.ts';

const GCM_TAG_SIZE = 16;

/** What is stored of a sealed secret, whatever it is. */
export interface SealedSecret {
  readonly vaultKeyVersion: number;
  readonly sealed: Bytes;
  readonly encryptedDataKey: Bytes;
  readonly kmsKeyRef: string;
}

/** `place` says whose secret it is and of which version; opening needs the same. Wipes nothing of the caller's. */
export async function sealTwice(
  suite: Suite,
  vaultKey: VaultKey,
  dataKey: UnwrappedDataKey,
  place: JsonObject,
  plaintext: Uint8Array,
): Promise<Bytes> {
  const aad = encodeCanonicalJson(place);
  const { recipient, version } = vaultKey;
  const { enc, ciphertext } = await sealHpke(suite, { recipient, info: VAULT_INFO, aad, plaintext });
  return dataKey.seal(outerAad(place, version), concatBytes(enc, ciphertext));
}

/**
 * The same secret sealed to the newest vault key under another data key. Where it is sealed to that vault key
 * already, its inner layer stays as it is and nothing is opened. Throws `INTERNAL` where anything differs.
 */
export async function sealTwiceAnew(
  suite: Suite,
  keys: TenantKeys,
  dataKeys: { readonly from: UnwrappedDataKey; readonly to: UnwrappedDataKey },
  place: JsonObject,
  stored: Pick<SealedSecret, 'sealed' | 'vaultKeyVersion'>,
): Promise<Bytes> {
  const { vaultKey } = keys;
  if (stored.vaultKeyVersion === vaultKey.version) {
    const aad = outerAad(place, vaultKey.version);
    const inner = dataKeys.from.open(aad, stored.sealed);
    if (inner === null) throw alteredRecord();
    return dataKeys.to.seal(aad, inner);
  }
  const plaintext = await openTwice(keys, dataKeys.from, place, stored);
  try {
    return await sealTwice(suite, vaultKey, dataKeys.to, place, plaintext);
  } finally {
    plaintext.fill(0);
  }
}

/** The plaintext, the caller's to wipe. Throws `INTERNAL` where anything differs. */
export async function openTwice(
  keys: TenantKeys,
  dataKey: UnwrappedDataKey,
  place: JsonObject,
  { sealed, vaultKeyVersion }: Pick<SealedSecret, 'sealed' | 'vaultKeyVersion'>,
): Promise<Bytes> {
  const inner = dataKey.open(outerAad(place, vaultKeyVersion), sealed);
  if (inner === null || inner.length < ML_KEM_768.ciphertext + GCM_TAG_SIZE) throw alteredRecord();
  const enc = inner.subarray(0, ML_KEM_768.ciphertext);
  const ciphertext = inner.subarray(ML_KEM_768.ciphertext);
  const plaintext = await keys.openVault(vaultKeyVersion, encodeCanonicalJson(place), enc, ciphertext);
  if (plaintext === null) throw alteredRecord();
  return plaintext;
}

function outerAad(place: JsonObject, vaultKeyVersion: number): Bytes {
  return encodeCanonicalJson({ ...place, vault_key: vaultKeyVersion });
}
