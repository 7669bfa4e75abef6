/**
 * The six secrets of a tenant, from which all its keys come. Each is one row, sealed under a KMS data
 * key of its own with the RFC 8785 bytes of {purpose, tenant, version} as additional data, and the
 * data key is bound to {tenant, purpose} by the service.
 */
import { type Bytes, createId, encodeCanonicalJson } from '../base/index.ts';
import type { Suite } from '../envelope/index.ts';
import type { Kms } from '../kms/index.ts';
import { assertOutsideTransaction, type SecretPurpose, type Tx } from '../store/index.ts';
import { deriveAuditHeadKey } from './audit-head-key.ts';
import { alteredRecord, openRecord, sealRecord } from './record.ts';

/** Per secret its size in bytes: seeds of ML-KEM-768 (64) and ML-DSA-65 (32), and roots to derive keys from. */
export const SECRET_SIZES: Readonly<Record<SecretPurpose, number>> = Object.freeze({
  vault: 64,
  'envelope-signing': 32,
  'audit-signing': 32,
  'mac-root': 32,
  storage: 32,
  index: 32,
});

/** Of every secret. */
export const FIRST_VERSION = 1;

export interface TenantSecretRow {
  readonly purpose: SecretPurpose;
  readonly version: number;
  readonly sealed: Bytes;
  readonly encryptedDataKey: Bytes;
  readonly kmsKeyRef: string;
}

export interface SigningKeyRow {
  /** `sig_…` */
  readonly id: string;
  readonly kid: string;
  /** That of the secret `envelope-signing`. */
  readonly version: number;
  /** 1952 bytes. */
  readonly publicKey: Bytes;
  readonly notBefore: Date;
}

/** What {@link insertTenantSecrets} writes, and the key that the tenant's audit log begins with. */
export interface PreparedTenantSecrets {
  readonly tenantId: string;
  readonly secrets: readonly TenantSecretRow[];
  readonly signingKey: SigningKeyRow;
  /** The HMAC key of the audit log's head: 64 bytes, the caller's to wipe. */
  readonly auditHeadKey: Bytes;
}

export interface PrepareTenantSecretsInput {
  readonly kms: Kms;
  readonly suite: Suite;
  readonly tenantId: string;
  /** The tenant's own KMS key, or `null` for the default key of the configuration. */
  readonly keyRef: string | null;
  /** From when the signing key signs. */
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the secrets of a new tenant and seals them: six KMS calls, nothing written. Throws what
 * the KMS throws.
 */
export async function prepareTenantSecrets(input: PrepareTenantSecretsInput): Promise<PreparedTenantSecrets> {
  assertOutsideTransaction('prepareTenantSecrets');
  const purposes = Object.keys(SECRET_SIZES) as SecretPurpose[];
  const made = await Promise.all(
    purposes.map((purpose) => makeTenantSecret({ ...input, purpose, version: FIRST_VERSION })),
  );
  const signingKey = made.find((one) => one.signingKey !== null)?.signingKey;
  const auditHeadKey = made.find((one) => one.auditHeadKey !== null)?.auditHeadKey;
  if (!signingKey || !auditHeadKey)
    throw new TypeError('"SECRET_SIZES" must list envelope-signing and mac-root');
  return { tenantId: input.tenantId, secrets: made.map(({ row }) => row), signingKey, auditHeadKey };
}

export interface MakeTenantSecretInput extends PrepareTenantSecretsInput {
  readonly purpose: SecretPurpose;
  readonly version: number;
}

export interface MadeSecret {
  readonly row: TenantSecretRow;
  /** The public half, of `envelope-signing` only. */
  readonly signingKey: SigningKeyRow | null;
  /** Of `mac-root` only; the caller's to wipe. */
  readonly auditHeadKey: Bytes | null;
}

/** Makes one secret and seals it: one KMS call, nothing written. */
export async function makeTenantSecret(input: MakeTenantSecretInput): Promise<MadeSecret> {
  assertOutsideTransaction('makeTenantSecret');
  const { kms, suite, tenantId, keyRef, purpose, version, now, signal } = input;
  const dataKey = await kms.generateDataKey({ keyRef, context: { tenant: tenantId, purpose }, signal });
  const secret = suite.randomBytes(SECRET_SIZES[purpose]);
  try {
    const sealed = sealRecord(suite, dataKey.plaintext, secretAad(tenantId, purpose, version), secret);
    const { encrypted: encryptedDataKey, keyRef: kmsKeyRef } = dataKey;
    const row = { purpose, version, sealed, encryptedDataKey, kmsKeyRef };
    const auditHeadKey = purpose === 'mac-root' ? deriveAuditHeadKey(suite, secret) : null;
    if (purpose !== 'envelope-signing') return { row, signingKey: null, auditHeadKey };
    const { kid, publicKey } = suite.importSigningKey(secret);
    const id = createId('signingKey', now.getTime());
    return { row, signingKey: { id, kid, version, publicKey, notBefore: now }, auditHeadKey };
  } finally {
    secret.fill(0);
    dataKey.plaintext.fill(0);
  }
}

/** Writes what was prepared. The tenant's own row must be there; needs the rights of `withSystem`. */
export async function insertTenantSecrets(tx: Tx, prepared: PreparedTenantSecrets): Promise<void> {
  const { tenantId, secrets, signingKey } = prepared;
  await insertSecretRows(tx, tenantId, secrets);
  await tx
    .insertInto('signing_keys')
    .values({
      id: signingKey.id,
      tenant_id: tenantId,
      kid: signingKey.kid,
      version: signingKey.version,
      public_key: signingKey.publicKey,
      status: 'ACTIVE',
      not_before: signingKey.notBefore,
      published_at: signingKey.notBefore,
    })
    .execute();
}

export async function insertSecretRows(
  tx: Tx,
  tenantId: string,
  rows: readonly TenantSecretRow[],
): Promise<void> {
  await tx
    .insertInto('tenant_secrets')
    .values(
      rows.map((row) => ({
        tenant_id: tenantId,
        purpose: row.purpose,
        version: row.version,
        sealed: row.sealed,
        encrypted_data_key: row.encryptedDataKey,
        kms_key_ref: row.kmsKeyRef,
      })),
    )
    .execute();
}

/** Destroys versions of a secret. The database refuses it for a vault key that something rests on. */
export async function deleteSecretVersions(
  tx: Tx,
  tenantId: string,
  purpose: SecretPurpose,
  versions: readonly number[],
): Promise<void> {
  if (versions.length === 0) return;
  await tx
    .deleteFrom('tenant_secrets')
    .where('tenant_id', '=', tenantId)
    .where('purpose', '=', purpose)
    .where('version', 'in', [...versions])
    .execute();
}

/** Every version of each secret of `tenantId`, the newest of each purpose first. */
export async function readTenantSecrets(tx: Tx, tenantId: string): Promise<readonly TenantSecretRow[]> {
  const rows = await tx
    .selectFrom('tenant_secrets')
    .select(['purpose', 'version', 'sealed', 'encrypted_data_key', 'kms_key_ref'])
    .where('tenant_id', '=', tenantId)
    .orderBy('purpose')
    .orderBy('version', 'desc')
    .execute();
  return rows.map((row) => ({
    purpose: row.purpose,
    version: row.version,
    sealed: new Uint8Array(row.sealed),
    encryptedDataKey: new Uint8Array(row.encrypted_data_key),
    kmsKeyRef: row.kms_key_ref,
  }));
}

/** The secret in the clear, the caller's to wipe; one KMS call. */
export async function unsealTenantSecret(
  kms: Kms,
  suite: Suite,
  tenantId: string,
  row: TenantSecretRow,
  signal: AbortSignal,
): Promise<Bytes> {
  const { purpose, version, sealed, encryptedDataKey: encrypted, kmsKeyRef: keyRef } = row;
  const context = { tenant: tenantId, purpose };
  const dataKey = await kms.decryptDataKey({ encrypted, keyRef, context, signal });
  try {
    const secret = openRecord(suite, dataKey, secretAad(tenantId, purpose, version), sealed);
    if (secret?.length !== SECRET_SIZES[purpose]) {
      secret?.fill(0);
      throw alteredRecord();
    }
    return secret;
  } finally {
    dataKey.fill(0);
  }
}

export interface RewrapTenantSecretInput {
  readonly kms: Kms;
  readonly suite: Suite;
  readonly tenantId: string;
  readonly row: TenantSecretRow;
  /** The KMS key to bring it under, `null` for the default key of the configuration. */
  readonly keyRef: string | null;
  readonly signal: AbortSignal;
}

/** The same secret under a new data key of another KMS key: two KMS calls, nothing written. */
export async function rewrapTenantSecret(input: RewrapTenantSecretInput): Promise<TenantSecretRow> {
  assertOutsideTransaction('rewrapTenantSecret');
  const { kms, suite, tenantId, row, keyRef, signal } = input;
  const { purpose, version } = row;
  const dataKey = await kms.generateDataKey({ keyRef, context: { tenant: tenantId, purpose }, signal });
  try {
    const secret = await unsealTenantSecret(kms, suite, tenantId, row, signal);
    try {
      const sealed = sealRecord(suite, dataKey.plaintext, secretAad(tenantId, purpose, version), secret);
      return { purpose, version, sealed, encryptedDataKey: dataKey.encrypted, kmsKeyRef: dataKey.keyRef };
    } finally {
      secret.fill(0);
    }
  } finally {
    dataKey.plaintext.fill(0);
  }
}

/** Puts `next` in place of `row`; `false` where that is not stored any more. */
export async function replaceSecretRow(
  tx: Tx,
  tenantId: string,
  row: TenantSecretRow,
  next: TenantSecretRow,
): Promise<boolean> {
  const changed = await tx
    .updateTable('tenant_secrets')
    .set({
      sealed: next.sealed,
      encrypted_data_key: next.encryptedDataKey,
      kms_key_ref: next.kmsKeyRef,
    })
    .where('tenant_id', '=', tenantId)
    .where('purpose', '=', row.purpose)
    .where('version', '=', row.version)
    .where('encrypted_data_key', '=', row.encryptedDataKey)
    .returning('version')
    .executeTakeFirst();
  return changed !== undefined;
}

function secretAad(tenant: string, purpose: SecretPurpose, version: number): Bytes {
  return encodeCanonicalJson({ purpose, tenant, version });
}
