/**
 * What is stored of a tenant under keys that are to be left: found in bounded numbers, and replaced only
 * where it is still what was read, so that a credential that was rotated meanwhile stays as it is.
 */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import type { SealedAccessToken } from './access-token-sealing.ts';
import type { SealedCredentialSecret } from './credential-sealing.ts';
import { toSealedSecret } from './credentials.ts';
import type { TenantSecretRow } from './tenant-secrets.ts';

/** The key that everything should rest on: a version of the vault key, or a key of the KMS. */
export type RestingGoal =
  | { readonly what: 'VAULT'; readonly version: number }
  | { readonly what: 'KMS'; readonly keyRef: string };

/** Records under one key of the KMS. */
export interface KmsKeyUse {
  readonly kmsKeyRef: string;
  readonly secrets: number;
  readonly credentials: number;
  readonly accessTokens: number;
}

/** Records under one version of the vault key. */
export interface VaultKeyUse {
  readonly version: number;
  readonly credentials: number;
  readonly accessTokens: number;
}

/** By their references, in their order. */
export async function countByKmsKey(tx: Tx, tenantId: string): Promise<readonly KmsKeyUse[]> {
  const { rows } = await sql<{ ref: string; secrets: number; credentials: number; tokens: number }>`
    SELECT kms_key_ref AS ref, count(*) FILTER (WHERE kind = 'secret')::int AS secrets,
      count(*) FILTER (WHERE kind = 'credential')::int AS credentials,
      count(*) FILTER (WHERE kind = 'token')::int AS tokens
    FROM (
      SELECT kms_key_ref, 'secret' AS kind FROM tenant_secrets WHERE tenant_id = ${tenantId}
      UNION ALL SELECT kms_key_ref, 'credential' FROM credential_secrets WHERE tenant_id = ${tenantId}
      UNION ALL SELECT kms_key_ref, 'token' FROM access_tokens
        WHERE tenant_id = ${tenantId} AND kms_key_ref IS NOT NULL
    ) stored GROUP BY kms_key_ref ORDER BY kms_key_ref`.execute(tx);
  return rows.map((row) => ({
    kmsKeyRef: row.ref,
    secrets: row.secrets,
    credentials: row.credentials,
    accessTokens: row.tokens,
  }));
}

/** Every version that is stored, oldest first. */
export async function countByVaultKey(tx: Tx, tenantId: string): Promise<readonly VaultKeyUse[]> {
  const { rows } = await sql<{ version: number; credentials: number; tokens: number }>`
    SELECT s.version,
      (SELECT count(*)::int FROM credential_secrets c
        WHERE c.tenant_id = s.tenant_id AND c.vault_key_version = s.version) AS credentials,
      (SELECT count(*)::int FROM access_tokens t
        WHERE t.tenant_id = s.tenant_id AND t.vault_key_version = s.version) AS tokens
    FROM tenant_secrets s WHERE s.tenant_id = ${tenantId} AND s.purpose = 'vault'
    ORDER BY s.version`.execute(tx);
  return rows.map(({ version, credentials, tokens }) => ({ version, credentials, accessTokens: tokens }));
}

/** How many records rest on another key than the goal names. */
export async function countResting(tx: Tx, tenantId: string, goal: RestingGoal): Promise<number> {
  switch (goal.what) {
    case 'VAULT':
      return (await countByVaultKey(tx, tenantId))
        .filter(({ version }) => version !== goal.version)
        .reduce((sum, { credentials, accessTokens }) => sum + credentials + accessTokens, 0);
    case 'KMS':
      return (await countByKmsKey(tx, tenantId))
        .filter(({ kmsKeyRef }) => kmsKeyRef !== goal.keyRef)
        .reduce(
          (sum, { secrets, credentials, accessTokens }) => sum + secrets + credentials + accessTokens,
          0,
        );
    default:
      return goal satisfies never;
  }
}

/** At most `limit` credentials that rest on another key, in the order of their ids after `after`. */
export async function listRestingCredentials(
  tx: Tx,
  tenantId: string,
  goal: RestingGoal,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly SealedCredentialSecret[]> {
  const rows = await tx
    .selectFrom('credential_secrets as secret')
    .innerJoin('credentials', (join) =>
      join
        .onRef('credentials.id', '=', 'secret.credential_id')
        .onRef('credentials.version', '=', 'secret.version'),
    )
    .selectAll('secret')
    .select('credentials.type')
    .where('secret.tenant_id', '=', tenantId)
    .where(isElsewhere(goal, 'secret'))
    .where('secret.credential_id', '>', after)
    .orderBy('secret.credential_id')
    .limit(limit)
    .execute();
  return rows.map((row) => toSealedSecret({ tenantId, credentialId: row.credential_id }, row));
}

/** As {@link listRestingCredentials}, of access tokens. */
export async function listRestingAccessTokens(
  tx: Tx,
  tenantId: string,
  goal: RestingGoal,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly SealedAccessToken[]> {
  const rows = await tx
    .selectFrom('access_tokens as token')
    .selectAll('token')
    .where('token.tenant_id', '=', tenantId)
    .where('token.sealed', 'is not', null)
    .where(isElsewhere(goal, 'token'))
    .where('token.credential_id', '>', after)
    .orderBy('token.credential_id')
    .limit(limit)
    .execute();
  return rows.flatMap((row) => {
    const { sealed, encrypted_data_key: encrypted, kms_key_ref: kmsKeyRef } = row;
    const { vault_key_version: vaultKeyVersion } = row;
    if (sealed === null || encrypted === null || kmsKeyRef === null || vaultKeyVersion === null) return [];
    return {
      tenantId,
      credentialId: row.credential_id,
      credentialVersion: row.credential_version,
      version: row.version,
      vaultKeyVersion,
      sealed: new Uint8Array(sealed),
      encryptedDataKey: new Uint8Array(encrypted),
      kmsKeyRef,
    };
  });
}

/** The tenant's secrets that rest on another key of the KMS. */
export function restingSecrets(
  secrets: readonly TenantSecretRow[],
  goal: RestingGoal,
): readonly TenantSecretRow[] {
  return goal.what === 'KMS' ? secrets.filter(({ kmsKeyRef }) => kmsKeyRef !== goal.keyRef) : [];
}

/** Puts `next` in place of `read`; `false` where the credential was rotated, deleted or re-wrapped meanwhile. */
export async function replaceRestingCredential(
  tx: Tx,
  read: SealedCredentialSecret,
  next: SealedCredentialSecret,
): Promise<boolean> {
  const row = await tx
    .updateTable('credential_secrets')
    .set(columnsOf(next))
    .where('tenant_id', '=', read.tenantId)
    .where('credential_id', '=', read.credentialId)
    .where('version', '=', read.version)
    .where('vault_key_version', '=', read.vaultKeyVersion)
    .where('encrypted_data_key', '=', read.encryptedDataKey)
    .returning('credential_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** As {@link replaceRestingCredential}; a token that was fetched meanwhile stays, and so does a claim to fetch one. */
export async function replaceRestingAccessToken(
  tx: Tx,
  read: SealedAccessToken,
  next: SealedAccessToken,
): Promise<boolean> {
  const row = await tx
    .updateTable('access_tokens')
    .set(columnsOf(next))
    .where('tenant_id', '=', read.tenantId)
    .where('credential_id', '=', read.credentialId)
    .where('credential_version', '=', read.credentialVersion)
    .where('version', '=', read.version)
    .where('vault_key_version', '=', read.vaultKeyVersion)
    .where('encrypted_data_key', '=', read.encryptedDataKey)
    .returning('credential_id')
    .executeTakeFirst();
  return row !== undefined;
}

function isElsewhere(goal: RestingGoal, alias: 'secret' | 'token') {
  return goal.what === 'VAULT'
    ? sql<boolean>`${sql.ref(`${alias}.vault_key_version`)} <> ${goal.version}`
    : sql<boolean>`${sql.ref(`${alias}.kms_key_ref`)} <> ${goal.keyRef}`;
}

function columnsOf(next: SealedCredentialSecret | SealedAccessToken) {
  return {
    vault_key_version: next.vaultKeyVersion,
    sealed: next.sealed,
    encrypted_data_key: next.encryptedDataKey,
    kms_key_ref: next.kmsKeyRef,
  };
}

/**
 * Tenants without a KMS key of their own of which something rests on another key than `keyRef`, in the order of
 * their ids after `after`. For `withSystem`.
 */
export async function findTenantsElsewhere(
  tx: Tx,
  { keyRef, after, limit }: { readonly keyRef: string; readonly after: string; readonly limit: number },
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT t.id FROM tenants t WHERE t.kms_key_ref IS NULL AND t.id > ${after} AND (
      EXISTS (SELECT 1 FROM tenant_secrets s WHERE s.tenant_id = t.id AND s.kms_key_ref <> ${keyRef})
      OR EXISTS (SELECT 1 FROM credential_secrets c WHERE c.tenant_id = t.id AND c.kms_key_ref <> ${keyRef})
      OR EXISTS (SELECT 1 FROM access_tokens a WHERE a.tenant_id = t.id AND a.kms_key_ref <> ${keyRef}))
    ORDER BY t.id LIMIT ${limit}`.execute(tx);
  return rows.map(({ id }) => id);
}
