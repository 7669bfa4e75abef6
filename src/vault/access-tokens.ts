/**
 * The tokens of a credential in the database, and whose turn it is to fetch the next ones.
 *
 * Version 0 stands for what the credential holds itself. Where that is a pair that can be refreshed, the row is
 * there from the beginning and tells when it ends.
 *
 * A row is *free*; one *attempt* may claim it, which makes it *claimed* until a time; the attempt that
 * holds the claim stores a token or releases it, and the row is free again. An attempt that died is
 * replaced by the next to claim after that time, and can store nothing any more. Rotating or deleting
 * the credential removes the row, and with it every claim. These functions make no call to outside.
 */
import { notify, type Tx } from '../store/index.ts';
import type { SealedAccessToken } from './access-token-sealing.ts';
import type { CredentialKey } from './credentials.ts';

export interface StoredAccessToken {
  /** `null` before the first token was fetched. */
  readonly sealed: SealedAccessToken | null;
  readonly credentialVersion: number;
  /** 0 before the first token. */
  readonly version: number;
  readonly expiresAt: Date | null;
  /** When the refresh token ends, `null` where there is none or it is not known. */
  readonly refreshExpiresAt: Date | null;
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
  const { refresh_expires_at: refreshExpiresAt } = row;
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
  return { sealed, credentialVersion, version, expiresAt, refreshExpiresAt, refresh };
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
  /** `null` for whoever has the turn: for a pair that took the place of the stored one, so that no other can. */
  readonly attempt: string | null;
  readonly sealed: SealedAccessToken;
  readonly expiresAt: Date | null;
  readonly refreshExpiresAt?: Date | null;
}

/** Step 4 of a refresh: `false` where the attempt lost its turn or the credential was rotated, and nothing was stored. */
export async function storeAccessToken(tx: Tx, input: StoreAccessTokenInput): Promise<boolean> {
  const { attempt, sealed, expiresAt, refreshExpiresAt = null } = input;
  let update = tx
    .updateTable('access_tokens')
    .set({
      version: sealed.version,
      vault_key_version: sealed.vaultKeyVersion,
      sealed: sealed.sealed,
      encrypted_data_key: sealed.encryptedDataKey,
      kms_key_ref: sealed.kmsKeyRef,
      expires_at: expiresAt,
      refresh_expires_at: refreshExpiresAt,
      refresh_attempt: null,
      refresh_until: null,
    })
    .where('tenant_id', '=', sealed.tenantId)
    .where('credential_id', '=', sealed.credentialId)
    .where('credential_version', '=', sealed.credentialVersion)
    .where('version', '=', sealed.version - 1);
  if (attempt !== null) update = update.where('refresh_attempt', '=', attempt);
  const row = await update.returning('credential_id').executeTakeFirst();
  if (row === undefined) return false;
  await notify(tx, 'tokens', sealed.credentialId);
  return true;
}

interface HeldTurn extends CredentialKey {
  readonly attempt: string;
}

/**
 * Ends the turn early after a failure that may have used the refresh token up: the attempt counts as one that
 * died, and the next may claim from `until` on. `false` where the attempt had lost its turn.
 */
export function abandonTokenRefresh(
  tx: Tx,
  { until, ...turn }: HeldTurn & { readonly until: Date },
): Promise<boolean> {
  return changeTurn(tx, turn, { refresh_until: until });
}

/** Gives the turn back after a failure that used nothing up; `false` where the attempt had lost it. */
export function releaseTokenRefresh(tx: Tx, turn: HeldTurn): Promise<boolean> {
  return changeTurn(tx, turn, { refresh_attempt: null, refresh_until: null });
}

/** The same, and none may claim before `until`: the pause of a token endpoint that gave no token. */
export function pauseTokenRefresh(
  tx: Tx,
  { until, ...turn }: HeldTurn & { readonly until: Date },
): Promise<boolean> {
  return changeTurn(tx, turn, { refresh_attempt: null, refresh_until: until });
}

/** Who waits for the token learns of it at once. */
async function changeTurn(
  tx: Tx,
  { tenantId, credentialId, attempt }: HeldTurn,
  change: { readonly refresh_attempt?: null; readonly refresh_until: Date | null },
): Promise<boolean> {
  const row = await tx
    .updateTable('access_tokens')
    .set(change)
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .where('refresh_attempt', '=', attempt)
    .returning('credential_id')
    .executeTakeFirst();
  if (row === undefined) return false;
  await notify(tx, 'tokens', credentialId);
  return true;
}

/** When the pause ends, `null` where there is none. */
export async function readTokenPause(
  tx: Tx,
  {
    tenantId,
    credentialId,
    credentialVersion,
    now,
  }: CredentialKey & { readonly credentialVersion: number; readonly now: Date },
): Promise<Date | null> {
  const row = await tx
    .selectFrom('access_tokens')
    .select('refresh_until')
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .where('credential_version', '=', credentialVersion)
    .where('refresh_attempt', 'is', null)
    .where('refresh_until', '>', now)
    .executeTakeFirst();
  return row?.refresh_until ?? null;
}
