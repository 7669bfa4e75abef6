/**
 * The access token of a credential in the database, and whose turn it is to fetch the next one.
 *
 * A row is *free*; one *attempt* may claim it, which makes it *claimed* until a time; the attempt that
 * holds the claim stores a token or releases it, and the row is free again. An attempt that died is
 * replaced by the next to claim after that time, and can store nothing any more. Rotating or deleting
 * the credential removes the row, and with it every claim. These functions make no call to outside.
 */
import type { Tx } from '../store/index.ts';
import type { SealedAccessToken } from './access-token-sealing.ts';
import type { CredentialKey } from './credentials.ts';

export interface StoredAccessToken {
  /** `null` while the first token is being fetched. */
  readonly sealed: SealedAccessToken | null;
  readonly credentialVersion: number;
  /** 0 before the first token. */
  readonly version: number;
  readonly expiresAt: Date | null;
  /** Who fetches the next token, and until when nobody else may. */
  readonly refresh: { readonly attempt: string; readonly until: Date } | null;
}

/** The stored token, or `null` where none was ever fetched for the current version of the credential. */
export async function readAccessToken(
  tx: Tx,
  { tenantId, credentialId }: CredentialKey,
): Promise<StoredAccessToken | null> {
  const row = await tx
    .selectFrom('access_tokens')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { credential_version: credentialVersion, version, expires_at: expiresAt } = row;
  const refresh =
    row.refresh_attempt === null || row.refresh_until === null
      ? null
      : { attempt: row.refresh_attempt, until: row.refresh_until };
  const complete =
    row.sealed !== null &&
    row.encrypted_data_key !== null &&
    row.kms_key_ref !== null &&
    row.vault_key_version !== null;
  const sealed = complete
    ? {
        tenantId,
        credentialId,
        credentialVersion,
        version,
        vaultKeyVersion: row.vault_key_version as number,
        sealed: new Uint8Array(row.sealed as Uint8Array),
        encryptedDataKey: new Uint8Array(row.encrypted_data_key as Uint8Array),
        kmsKeyRef: row.kms_key_ref as string,
      }
    : null;
  return { sealed, credentialVersion, version, expiresAt, refresh };
}

export interface ClaimTokenRefreshInput extends CredentialKey {
  readonly credentialVersion: number;
  /** The version of the token that the caller found wanting; 0 where there was none. */
  readonly tokenVersion: number;
  /** A random name for this attempt. */
  readonly attempt: string;
  readonly now: Date;
  /** When the claim ends by itself. */
  readonly until: Date;
}

export type TokenRefreshClaim =
  /** It is the caller's turn. `replaced` names a dead attempt that may have used the refresh token up. */
  | { readonly kind: 'claimed'; readonly replaced: string | null }
  /** Another attempt is under way. */
  | { readonly kind: 'busy'; readonly until: Date }
  /** There is a newer token already. */
  | { readonly kind: 'renewed'; readonly version: number }
  /** The credential is gone, or of another version. */
  | { readonly kind: 'outdated' };

/** Step 2 of a refresh: takes the turn if it is free. */
export async function claimTokenRefresh(tx: Tx, input: ClaimTokenRefreshInput): Promise<TokenRefreshClaim> {
  const { tenantId, credentialId, credentialVersion, tokenVersion, attempt, now, until } = input;
  // Shared lock: a rotation waits for us, or we see that it has been.
  const credential = await tx
    .selectFrom('credentials')
    .select('version')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', credentialId)
    .forShare()
    .executeTakeFirst();
  if (credential?.version !== credentialVersion) return { kind: 'outdated' };
  await tx
    .insertInto('access_tokens')
    .values({ credential_id: credentialId, tenant_id: tenantId, credential_version: credentialVersion })
    .onConflict((conflict) => conflict.column('credential_id').doNothing())
    .execute();
  const row = await tx
    .selectFrom('access_tokens')
    .select(['version', 'refresh_attempt', 'refresh_until'])
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  if (row.version !== tokenVersion) return { kind: 'renewed', version: row.version };
  if (row.refresh_until !== null && row.refresh_until > now) {
    return { kind: 'busy', until: row.refresh_until };
  }
  await tx
    .updateTable('access_tokens')
    .set({ refresh_attempt: attempt, refresh_until: until })
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .execute();
  return { kind: 'claimed', replaced: row.refresh_attempt };
}

export interface StoreAccessTokenInput {
  readonly attempt: string;
  readonly sealed: SealedAccessToken;
  readonly expiresAt: Date | null;
}

/** Step 4 of a refresh: `false` where the attempt lost its turn or the credential was rotated, and nothing was stored. */
export async function storeAccessToken(tx: Tx, input: StoreAccessTokenInput): Promise<boolean> {
  const { attempt, sealed, expiresAt } = input;
  const row = await tx
    .updateTable('access_tokens')
    .set({
      version: sealed.version,
      vault_key_version: sealed.vaultKeyVersion,
      sealed: sealed.sealed,
      encrypted_data_key: sealed.encryptedDataKey,
      kms_key_ref: sealed.kmsKeyRef,
      expires_at: expiresAt,
      refresh_attempt: null,
      refresh_until: null,
    })
    .where('tenant_id', '=', sealed.tenantId)
    .where('credential_id', '=', sealed.credentialId)
    .where('credential_version', '=', sealed.credentialVersion)
    .where('version', '=', sealed.version - 1)
    .where('refresh_attempt', '=', attempt)
    .returning('credential_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Gives the turn back after a failure that used nothing up; `false` where the attempt had lost it. */
export async function releaseTokenRefresh(
  tx: Tx,
  { tenantId, credentialId, attempt }: CredentialKey & { readonly attempt: string },
): Promise<boolean> {
  const row = await tx
    .updateTable('access_tokens')
    .set({ refresh_attempt: null, refresh_until: null })
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .where('refresh_attempt', '=', attempt)
    .returning('credential_id')
    .executeTakeFirst();
  return row !== undefined;
}
