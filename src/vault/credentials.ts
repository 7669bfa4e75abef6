/**
 * Credentials in the database: what is known about them, and their sealed secrets. These functions
 * take a transaction, make no call to outside and never see a secret in the clear.
 */
import type { Selectable } from 'kysely';
import { SealdeskError } from '../base/index.ts';
import {
  type CredentialSecretsTable,
  type CredentialsTable,
  type CredentialType,
  clausesOf,
  type KeysetPage,
  type Tx,
} from '../store/index.ts';
import type { NewCredentialSecret, SealedCredentialSecret } from './credential-sealing.ts';

const MAX_NAMED_INTEGRATIONS = 10;
/** A use is noted once in this time, not by every call. Milliseconds. */
const TOUCH_INTERVAL = 60_000;

/** What may be told about a credential. */
export interface Credential {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string | null;
  readonly type: CredentialType;
  readonly version: number;
  readonly createdAt: Date;
  readonly rotatedAt: Date | null;
  readonly expiresAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

export interface CredentialKey {
  readonly tenantId: string;
  readonly credentialId: string;
}

export interface InsertCredentialInput {
  /** Of version 1. */
  readonly sealed: NewCredentialSecret;
  readonly name: string | null;
  readonly expiresAt: Date | null;
  readonly now: Date;
}

export async function insertCredential(tx: Tx, input: InsertCredentialInput): Promise<Credential> {
  const { sealed, name, expiresAt, now } = input;
  if (sealed.version !== 1) throw new RangeError(`"sealed" must be of version 1, got ${sealed.version}`);
  const row = await tx
    .insertInto('credentials')
    .values({
      id: sealed.credentialId,
      tenant_id: sealed.tenantId,
      name,
      type: sealed.type,
      version: sealed.version,
      created_at: now,
      expires_at: expiresAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('credential_secrets')
    .values({ credential_id: sealed.credentialId, tenant_id: sealed.tenantId, ...secretColumns(sealed) })
    .execute();
  await insertOwnTokens(tx, sealed);
  return toCredential(row);
}

export interface ReplaceCredentialSecretInput {
  /** Of the version after `expectedVersion`. */
  readonly sealed: NewCredentialSecret;
  readonly expectedVersion: number;
  readonly expiresAt: Date | null;
  readonly now: Date;
}

/**
 * Rotation: the same id, the next version. The older secret is overwritten, and access tokens that
 * were fetched with it are forgotten. Throws `NOT_FOUND`, or `CONFLICT` where the credential is not of
 * the expected version (somebody else rotated it) or of another type.
 */
export async function replaceCredentialSecret(
  tx: Tx,
  input: ReplaceCredentialSecretInput,
): Promise<Credential> {
  const { sealed, expectedVersion, expiresAt, now } = input;
  if (sealed.version !== expectedVersion + 1) {
    throw new RangeError(`"sealed" must be of version ${expectedVersion + 1}, got ${sealed.version}`);
  }
  const row = await tx
    .updateTable('credentials')
    .set({ version: sealed.version, rotated_at: now, expires_at: expiresAt })
    .where('tenant_id', '=', sealed.tenantId)
    .where('id', '=', sealed.credentialId)
    .where('type', '=', sealed.type)
    .where('version', '=', expectedVersion)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw await whyNotReplaced(tx, sealed);
  await tx
    .updateTable('credential_secrets')
    .set(secretColumns(sealed))
    .where('tenant_id', '=', sealed.tenantId)
    .where('credential_id', '=', sealed.credentialId)
    .execute();
  await tx
    .deleteFrom('access_tokens')
    .where('tenant_id', '=', sealed.tenantId)
    .where('credential_id', '=', sealed.credentialId)
    .execute();
  await insertOwnTokens(tx, sealed);
  return toCredential(row);
}

async function whyNotReplaced(tx: Tx, sealed: SealedCredentialSecret): Promise<SealdeskError> {
  const current = await readCredential(tx, sealed);
  if (current === null) return notFound();
  if (current.type !== sealed.type) {
    return new SealdeskError('CONFLICT', 'A credential keeps its type; seal a new one of the other type.', {
      subject: sealed.credentialId,
    });
  }
  return new SealdeskError('CONFLICT', 'The credential was rotated meanwhile. Read it and decide again.', {
    subject: sealed.credentialId,
  });
}

/** Removes the credential with its secret and tokens. Throws `NOT_FOUND`, or `CONFLICT` where integrations use it. */
export async function deleteCredential(tx: Tx, { tenantId, credentialId }: CredentialKey): Promise<void> {
  // Locked first: an integration that takes this credential now has to wait, and then finds it gone.
  if (!(await lockCredential(tx, { tenantId, credentialId }))) throw notFound();
  const users = await tx
    .selectFrom('integrations')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('credential_id', '=', credentialId)
    .orderBy('id')
    .limit(MAX_NAMED_INTEGRATIONS)
    .execute();
  if (users.length > 0) {
    throw new SealdeskError(
      'CONFLICT',
      'Integrations use this credential. Give them another one, or delete them, first.',
      { subject: users.map(({ id }) => id).join(', ') },
    );
  }
  await tx
    .deleteFrom('credentials')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', credentialId)
    .execute();
}

/** What is known about a credential, or `null` where there is none. */
export async function readCredential(
  tx: Tx,
  { tenantId, credentialId }: CredentialKey,
): Promise<Credential | null> {
  const row = await tx
    .selectFrom('credentials')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', credentialId)
    .executeTakeFirst();
  return row === undefined ? null : toCredential(row);
}

/** The sealed secret of the current version, or `null` where there is no such credential. */
export async function readCredentialSecret(
  tx: Tx,
  { tenantId, credentialId }: CredentialKey,
): Promise<SealedCredentialSecret | null> {
  const row = await tx
    .selectFrom('credential_secrets as secret')
    .innerJoin('credentials', (join) =>
      join
        .onRef('credentials.id', '=', 'secret.credential_id')
        .onRef('credentials.version', '=', 'secret.version'),
    )
    .select([
      'credentials.type',
      'secret.version',
      'secret.vault_key_version',
      'secret.sealed',
      'secret.encrypted_data_key',
      'secret.kms_key_ref',
    ])
    .where('secret.tenant_id', '=', tenantId)
    .where('secret.credential_id', '=', credentialId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return toSealedSecret({ tenantId, credentialId }, row);
}

/** The sealed secret in a row of it that was joined with its credential. */
export function toSealedSecret(
  { tenantId, credentialId }: CredentialKey,
  row: Pick<Selectable<CredentialSecretsTable>, SealedColumn> & Pick<Selectable<CredentialsTable>, 'type'>,
): SealedCredentialSecret {
  return {
    tenantId,
    credentialId,
    type: row.type,
    version: row.version,
    vaultKeyVersion: row.vault_key_version,
    sealed: new Uint8Array(row.sealed),
    encryptedDataKey: new Uint8Array(row.encrypted_data_key),
    kmsKeyRef: row.kms_key_ref,
  };
}

type SealedColumn = 'version' | 'vault_key_version' | 'sealed' | 'encrypted_data_key' | 'kms_key_ref';

/** A credential with the sealed secret of its version: all that opening it takes. */
export interface OpenableCredential {
  readonly credential: Credential;
  readonly sealed: SealedCredentialSecret;
}

/** The credential with its sealed secret, in one statement; `null` where there is none. */
export async function readOpenableCredential(
  tx: Tx,
  { tenantId, credentialId }: CredentialKey,
): Promise<OpenableCredential | null> {
  const row = await tx
    .selectFrom('credentials')
    .innerJoin('credential_secrets as secret', (join) =>
      join
        .onRef('secret.credential_id', '=', 'credentials.id')
        .onRef('secret.version', '=', 'credentials.version'),
    )
    .selectAll('credentials')
    .select(['secret.vault_key_version', 'secret.sealed', 'secret.encrypted_data_key', 'secret.kms_key_ref'])
    .where('credentials.tenant_id', '=', tenantId)
    .where('credentials.id', '=', credentialId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    credential: toCredential(row),
    sealed: toSealedSecret({ tenantId, credentialId }, row),
  };
}

/** The credential's version, locked against rotation until the transaction ends; `null` where there is none. */
export async function holdCredentialVersion(
  tx: Tx,
  { tenantId, credentialId }: CredentialKey,
): Promise<number | null> {
  const row = await tx
    .selectFrom('credentials')
    .select('version')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', credentialId)
    .forShare()
    .executeTakeFirst();
  return row?.version ?? null;
}

/** Locks the credential until the transaction ends, which comes before its integrations are; `false` where there is none. */
export async function lockCredential(tx: Tx, { tenantId, credentialId }: CredentialKey): Promise<boolean> {
  const row = await tx
    .selectFrom('credentials')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', credentialId)
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}

/** Credentials in the order of their ids, which is that of their making. */
export async function listCredentials(
  tx: Tx,
  tenantId: string,
  page: KeysetPage,
): Promise<readonly Credential[]> {
  const { within, order, limit } = clausesOf(page);
  const rows = await tx
    .selectFrom('credentials')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where(within)
    .orderBy('id', order)
    .limit(limit)
    .execute();
  return rows.map(toCredential);
}

/** Whether a use now is to be noted with {@link touchCredential}. */
export function isTouchDue({ lastUsedAt }: Pick<Credential, 'lastUsedAt'>, now: Date): boolean {
  return lastUsedAt === null || lastUsedAt.getTime() <= now.getTime() - TOUCH_INTERVAL;
}

/** Notes that the credential was used, at most once a minute. */
export async function touchCredential(
  tx: Tx,
  { tenantId, credentialId, now }: CredentialKey & { readonly now: Date },
): Promise<void> {
  await tx
    .updateTable('credentials')
    .set({ last_used_at: now })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', credentialId)
    .where((where) =>
      where.or([
        where('last_used_at', 'is', null),
        where('last_used_at', '<=', new Date(now.getTime() - TOUCH_INTERVAL)),
      ]),
    )
    .execute();
}

/** Notes when the pair ends that a credential was sealed with, where it is one that can be refreshed. */
async function insertOwnTokens(
  tx: Tx,
  { tenantId, credentialId, version, tokenEnds }: NewCredentialSecret,
): Promise<void> {
  if (tokenEnds === null) return;
  await tx
    .insertInto('access_tokens')
    .values({
      credential_id: credentialId,
      tenant_id: tenantId,
      credential_version: version,
      expires_at: tokenEnds.expiresAt,
      refresh_expires_at: tokenEnds.refreshExpiresAt,
    })
    .execute();
}

function secretColumns(sealed: SealedCredentialSecret) {
  return {
    version: sealed.version,
    vault_key_version: sealed.vaultKeyVersion,
    sealed: sealed.sealed,
    encrypted_data_key: sealed.encryptedDataKey,
    kms_key_ref: sealed.kmsKeyRef,
  };
}

function toCredential(row: Selectable<CredentialsTable>): Credential {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    type: row.type,
    version: row.version,
    createdAt: row.created_at,
    rotatedAt: row.rotated_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
  };
}

function notFound(): SealdeskError {
  return new SealdeskError('NOT_FOUND', 'There is no such credential.');
}
