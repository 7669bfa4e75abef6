/**
 * Access tokens at rest. Sealing is split in two, so that a token that Zendesk has just given out can
 * be put away without asking anybody: the network part comes first, and a refresh token that was
 * replaced in the meantime is not lost to an outage of the KMS.
 */
import { z } from 'zod';
import { encodeCanonicalJson, type JsonObject, parseUtf8 } from '../base/index.ts';
import { assertOutsideTransaction } from '../store/index.ts';
import type { FreshDataKey } from './data-key.ts';
import { type Keyring, keysHolding } from './keyring.ts';
import { alteredRecord } from './record.ts';
import type { VaultKey } from './tenant-keys.ts';
import { openTwice, type SealedSecret, sealTwice } from './two-layers.ts';

const MAX_TOKEN_LENGTH = 8_192;
const MAX_SCOPE_LENGTH = 4_096;

const AccessToken = z.strictObject({
  access_token: z.string().min(1).max(MAX_TOKEN_LENGTH),
  /** The one to use next time, where Zendesk replaced it. */
  refresh_token: z.string().min(1).max(MAX_TOKEN_LENGTH).optional(),
  /** What Zendesk granted, which may be less than was asked for. */
  scope: z.string().max(MAX_SCOPE_LENGTH).optional(),
});

/** A fetched token in the clear. Hold it as short as you can: its strings cannot be wiped. */
export type AccessToken = Readonly<z.infer<typeof AccessToken>>;

/** One version of a credential's access token as it is stored. Opens for exactly these ids and versions. */
export interface SealedAccessToken extends SealedSecret {
  readonly tenantId: string;
  readonly credentialId: string;
  readonly credentialVersion: number;
  /** Counts the tokens fetched with this version of the credential; the first is 1. */
  readonly version: number;
}

export interface AccessTokenPlace {
  readonly credentialId: string;
  readonly credentialVersion: number;
  readonly version: number;
}

/** Holds a data key of its own: dispose it when done. Works for five minutes. */
export interface AccessTokenSealer extends Disposable {
  /** Seals without any call to outside. Throws `KMS_UNAVAILABLE` after its time, TypeError where `token` has a form it may not have. */
  seal(place: AccessTokenPlace, token: AccessToken): Promise<SealedAccessToken>;
}

export interface PrepareAccessTokenSealerInput {
  readonly keyring: Keyring;
  readonly tenantId: string;
  readonly signal?: AbortSignal | undefined;
}

/** The network part of sealing a token: one KMS call, six where the tenant's keys are not in memory. */
export async function prepareAccessTokenSealer(
  input: PrepareAccessTokenSealerInput,
): Promise<AccessTokenSealer> {
  assertOutsideTransaction('prepareAccessTokenSealer');
  const { keyring, tenantId, signal } = input;
  const { vaultKey } = await keyring.keysOf(tenantId, { signal });
  const dataKey = await keyring.createDataKey(tenantId, 'access-token', { signal });
  return Object.freeze({
    seal: (place: AccessTokenPlace, token: AccessToken) =>
      sealToken(keyring, tenantId, vaultKey, dataKey, place, token),
    [Symbol.dispose]: () => dataKey.key[Symbol.dispose](),
  });
}

async function sealToken(
  { suite }: Keyring,
  tenantId: string,
  vaultKey: VaultKey,
  dataKey: FreshDataKey,
  { credentialId, credentialVersion, version }: AccessTokenPlace,
  token: AccessToken,
): Promise<SealedAccessToken> {
  const parsed = AccessToken.safeParse(token);
  if (!parsed.success) throw new TypeError('"token" has a form that an access token may not have');
  const plaintext = encodeCanonicalJson(parsed.data);
  try {
    const place = placeOfToken({ tenantId, credentialId, credentialVersion, version });
    return {
      tenantId,
      credentialId,
      credentialVersion,
      version,
      vaultKeyVersion: vaultKey.version,
      sealed: await sealTwice(suite, vaultKey, dataKey.key, place, plaintext),
      encryptedDataKey: dataKey.encrypted,
      kmsKeyRef: dataKey.keyRef,
    };
  } finally {
    plaintext.fill(0);
  }
}

export interface OpenAccessTokenInput {
  readonly keyring: Keyring;
  readonly sealed: SealedAccessToken;
  readonly signal?: AbortSignal | undefined;
}

/** The token in the clear. Throws `KMS_UNAVAILABLE`, or `INTERNAL` where anything stored was altered. */
export async function openAccessToken(input: OpenAccessTokenInput): Promise<AccessToken> {
  assertOutsideTransaction('openAccessToken');
  const { keyring, sealed, signal } = input;
  const { tenantId, encryptedDataKey: encrypted, kmsKeyRef: keyRef } = sealed;
  const wrapped = { tenantId, purpose: 'access-token', encrypted, keyRef } as const;
  const dataKey = await keyring.unwrapDataKey(wrapped, { signal });
  const keys = await keysHolding(keyring, sealed, { signal });
  const plaintext = await openTwice(keys, dataKey, placeOfToken(sealed), sealed);
  try {
    return AccessToken.parse(JSON.parse(parseUtf8(plaintext) ?? ''));
  } catch {
    throw alteredRecord();
  } finally {
    plaintext.fill(0);
  }
}

export function placeOfToken(of: AccessTokenPlace & { readonly tenantId: string }): JsonObject {
  return {
    credential: of.credentialId,
    credential_version: of.credentialVersion,
    tenant: of.tenantId,
    type: 'access_token',
    version: of.version,
  };
}
