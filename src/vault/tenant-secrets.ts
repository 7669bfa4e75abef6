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

/** Per secret its size in bytes: seeds of ML-KEM-768 (64), ML-DSA-65 and Ed25519 (32), and symmetric roots. */
export const SECRET_SIZES: Readonly<Record<SecretPurpose, number>> = Object.freeze({
  vault: 64,
  'envelope-signing': 32,
  'audit-signing': 32,
  'mac-root': 32,
  storage: 32,
  index: 32,
});

const FIRST_VERSION = 1;

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
  const made = await Promise.all(purposes.map((purpose) => makeSecret(input, purpose)));
  const signingKey = made.find((one) => one.signingKey !== null)?.signingKey;
  const auditHeadKey = made.find((one) => one.auditHeadKey !== null)?.auditHeadKey;
  if (!signingKey || !auditHeadKey)
    throw new TypeError('"SECRET_SIZES" must list envelope-signing and mac-root');
  return { tenantId: input.tenantId, secrets: made.map(({ row }) => row), signingKey, auditHeadKey };
}

interface MadeSecret {
  readonly row: TenantSecretRow;
  readonly signingKey: SigningKeyRow | null;
  readonly auditHeadKey: Bytes | null;
}

async function makeSecret(input: PrepareTenantSecretsInput, purpose: SecretPurpose): Promise<MadeSecret> {
  const { kms, suite, tenantId, keyRef, now, signal } = input;
  const dataKey = await kms.generateDataKey({ keyRef, context: { tenant: tenantId, purpose }, signal });
  const secret = suite.randomBytes(SECRET_SIZES[purpose]);
  try {
    const version = FIRST_VERSION;
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
  await tx
    .insertInto('tenant_secrets')
    .values(
      secrets.map((row) => ({
        tenant_id: tenantId,
        purpose: row.purpose,
        version: row.version,
        sealed: row.sealed,
        encrypted_data_key: row.encryptedDataKey,
        kms_key_ref: row.kmsKeyRef,
      })),
    )
    .execute();
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
    })
    .execute();
}

/** The newest version of each secret of `tenantId`. */
export async function readTenantSecrets(tx: Tx, tenantId: string): Promise<readonly TenantSecretRow[]> {
  const rows = await tx
    .selectFrom('tenant_secrets')
    .select(['purpose', 'version', 'sealed', 'encrypted_data_key', 'kms_key_ref'])
    .distinctOn('purpose')
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

function secretAad(tenant: string, purpose: SecretPurpose, version: number): Bytes {
  return encodeCanonicalJson({ purpose, tenant, version });
}
