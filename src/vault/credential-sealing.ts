import { encodeCanonicalJson, type JsonObject, parseUtf8 } from '../base/index.ts';
import { assertOutsideTransaction, type CredentialType } from '../store/index.ts';
import { type CredentialSecret, parseCredentialSecret } from './credential-secret.ts';
import type { Keyring } from './keyring.ts';
import { alteredRecord } from './record.ts';
import { openTwice, type SealedSecret, sealTwice } from './two-layers.ts';

/** One version of a credential as it is stored. Opens for this tenant, id, type and version only. */
export interface SealedCredentialSecret extends SealedSecret {
  readonly tenantId: string;
  readonly credentialId: string;
  readonly type: CredentialType;
  readonly version: number;
}

export interface SealCredentialSecretInput {
  readonly keyring: Keyring;
  readonly tenantId: string;
  readonly credentialId: string;
  /** 1 for a new credential, one more than the stored version for a rotation. */
  readonly version: number;
  readonly secret: CredentialSecret;
  readonly signal?: AbortSignal | undefined;
}

/** Seals a credential under a data key of its own: one KMS call, six where the tenant's keys are not in memory. */
export async function sealCredentialSecret(
  input: SealCredentialSecretInput,
): Promise<SealedCredentialSecret> {
  assertOutsideTransaction('sealCredentialSecret');
  const { keyring, tenantId, credentialId, version, secret, signal } = input;
  const { type, ...members } = secret;
  const { vaultKey } = await keyring.keysOf(tenantId, { signal });
  const dataKey = await keyring.createDataKey(tenantId, 'credential', { signal });
  const plaintext = encodeCanonicalJson(members);
  try {
    const place = placeOf({ tenantId, credentialId, type, version });
    return {
      tenantId,
      credentialId,
      type,
      version,
      vaultKeyVersion: vaultKey.version,
      sealed: await sealTwice(keyring.suite, vaultKey, dataKey.key, place, plaintext),
      encryptedDataKey: dataKey.encrypted,
      kmsKeyRef: dataKey.keyRef,
    };
  } finally {
    plaintext.fill(0);
    dataKey.key[Symbol.dispose]();
  }
}

export interface OpenCredentialSecretInput {
  readonly keyring: Keyring;
  readonly sealed: SealedCredentialSecret;
  readonly signal?: AbortSignal | undefined;
}

/** The credential in the clear. Throws `KMS_UNAVAILABLE`, or `INTERNAL` where anything stored was altered. */
export async function openCredentialSecret(input: OpenCredentialSecretInput): Promise<CredentialSecret> {
  assertOutsideTransaction('openCredentialSecret');
  const { keyring, sealed, signal } = input;
  const { tenantId, type, encryptedDataKey: encrypted, kmsKeyRef: keyRef } = sealed;
  const wrapped = { tenantId, purpose: 'credential', encrypted, keyRef } as const;
  const dataKey = await keyring.unwrapDataKey(wrapped, { signal });
  const keys = await keyring.keysOf(tenantId, { signal });
  const plaintext = await openTwice(keys, dataKey, placeOf(sealed), sealed);
  try {
    return parseCredentialSecret(type, JSON.parse(parseUtf8(plaintext) ?? ''));
  } catch {
    throw alteredRecord();
  } finally {
    plaintext.fill(0);
  }
}

function placeOf(
  of: Pick<SealedCredentialSecret, 'tenantId' | 'credentialId' | 'type' | 'version'>,
): JsonObject {
  return { credential: of.credentialId, tenant: of.tenantId, type: of.type, version: of.version };
}
