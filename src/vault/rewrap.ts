/**
 * Stored credentials and access tokens brought to the newest vault key and the present KMS key of their
 * tenant. What they hold is not looked at. These functions write nothing.
 */
import type { JsonObject } from '../base/index.ts';
import { assertOutsideTransaction } from '../store/index.ts';
import { placeOfToken, type SealedAccessToken } from './access-token-sealing.ts';
import { placeOfCredential, type SealedCredentialSecret } from './credential-sealing.ts';
import type { DataKeyPurpose } from './data-key.ts';
import { type Keyring, keysHolding } from './keyring.ts';
import { type SealedSecret, sealTwiceAnew } from './two-layers.ts';

interface Rewrapping<Sealed> {
  readonly keyring: Keyring;
  readonly sealed: Sealed;
  readonly signal?: AbortSignal | undefined;
}

/** Two KMS calls. Throws `KMS_UNAVAILABLE`, or `INTERNAL` where anything stored was altered. */
export async function rewrapCredentialSecret(
  input: Rewrapping<SealedCredentialSecret>,
): Promise<SealedCredentialSecret> {
  assertOutsideTransaction('rewrapCredentialSecret');
  return { ...input.sealed, ...(await rewrap(input, 'credential', placeOfCredential(input.sealed))) };
}

/** As {@link rewrapCredentialSecret}. */
export async function rewrapAccessToken(input: Rewrapping<SealedAccessToken>): Promise<SealedAccessToken> {
  assertOutsideTransaction('rewrapAccessToken');
  return { ...input.sealed, ...(await rewrap(input, 'access-token', placeOfToken(input.sealed))) };
}

async function rewrap(
  { keyring, sealed, signal }: Rewrapping<SealedSecret & { readonly tenantId: string }>,
  purpose: DataKeyPurpose,
  place: JsonObject,
): Promise<SealedSecret> {
  const { tenantId, encryptedDataKey: encrypted, kmsKeyRef: keyRef } = sealed;
  const from = await keyring.unwrapDataKey({ tenantId, purpose, encrypted, keyRef }, { signal });
  const keys = await keysHolding(keyring, sealed, { signal });
  const to = await keyring.createDataKey(tenantId, purpose, { signal });
  try {
    return {
      vaultKeyVersion: keys.vaultKey.version,
      sealed: await sealTwiceAnew(keyring.suite, keys, { from, to: to.key }, place, sealed),
      encryptedDataKey: to.encrypted,
      kmsKeyRef: to.keyRef,
    };
  } finally {
    to.key[Symbol.dispose]();
  }
}
