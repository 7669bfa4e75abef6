import { encodeCanonicalJson, type JsonObject, parseUtf8 } from '../base/index.ts';
import { assertOutsideTransaction, type CredentialType } from '../store/index.ts';
import {
  type CredentialSecret,
  parseStoredSecret,
  type TokenEnds,
  tokenEndsOf,
} from './credential-secret.ts';
import { type Keyring, keysHolding } from './keyring.ts';
import { alteredRecord } from './record.ts';
import { openTwice, type SealedSecret, sealTwice } from './two-layers.ts';

/** One version of a credential as it is stored. Opens for this tenant, id, type and version only. */
export interface SealedCredentialSecret extends SealedSecret {
  readonly tenantId: string;
  readonly credentialId: string;
  readonly type: CredentialType;
  readonly version: number;
}

/** A secret on its way to the database, with what may be told of it. */
export interface NewCredentialSecret extends SealedCredentialSecret {
  readonly tokenEnds: TokenEnds | null;
}

export interface CredentialPlace {
  readonly credentialId: string;
  /** 1 for a new credential, one more than the stored version for a rotation. */
  readonly version: number;
}

/** Holds a data key of its own: dispose it when done. Works for five minutes. */
export interface CredentialSealer extends Disposable {
  /** Seals without any call to outside. Throws `KMS_UNAVAILABLE` after its time. */
  seal(place: CredentialPlace, secret: CredentialSecret): Promise<NewCredentialSecret>;
}

export interface PrepareCredentialSealerInput {
  readonly keyring: Keyring;
  readonly tenantId: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The network part of sealing a credential, which comes before what must not be lost is there: one KMS call, six
 * where the tenant's keys are not in memory.
 */
export async function prepareCredentialSealer(
  input: PrepareCredentialSealerInput,
): Promise<CredentialSealer> {
  assertOutsideTransaction('prepareCredentialSealer');
  const { keyring, tenantId, signal } = input;
  const { vaultKey } = await keyring.keysOf(tenantId, { signal });
  const dataKey = await keyring.createDataKey(tenantId, 'credential', { signal });
  return Object.freeze({
    async seal({ credentialId, version }: CredentialPlace, secret: CredentialSecret) {
      const { type, ...members } = secret;
      const plaintext = encodeCanonicalJson(members);
      try {
        const place = placeOfCredential({ tenantId, credentialId, type, version });
        return {
          tenantId,
          credentialId,
          type,
          version,
          vaultKeyVersion: vaultKey.version,
          sealed: await sealTwice(keyring.suite, vaultKey, dataKey.key, place, plaintext),
          encryptedDataKey: dataKey.encrypted,
          kmsKeyRef: dataKey.keyRef,
          tokenEnds: tokenEndsOf(secret),
        };
      } finally {
        plaintext.fill(0);
      }
    },
    [Symbol.dispose]: () => dataKey.key[Symbol.dispose](),
  });
}

export interface SealCredentialSecretInput extends CredentialPlace, PrepareCredentialSealerInput {
  readonly secret: CredentialSecret;
}

/** Seals a credential under a data key of its own; see {@link prepareCredentialSealer}. */
export async function sealCredentialSecret(input: SealCredentialSecretInput): Promise<NewCredentialSecret> {
  using sealer = await prepareCredentialSealer(input);
  return await sealer.seal(input, input.secret);
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
  const keys = await keysHolding(keyring, sealed, { signal });
  const plaintext = await openTwice(keys, dataKey, placeOfCredential(sealed), sealed);
  try {
    return parseStoredSecret(type, JSON.parse(parseUtf8(plaintext) ?? ''));
  } catch {
    throw alteredRecord();
  } finally {
    plaintext.fill(0);
  }
}

export function placeOfCredential(
  of: Pick<SealedCredentialSecret, 'tenantId' | 'credentialId' | 'type' | 'version'>,
): JsonObject {
  return { credential: of.credentialId, tenant: of.tenantId, type: of.type, version: of.version };
}
