/** From a tenant's rows to its unwrapped keys. */
import { type Bytes, equalBytes } from '../base/index.ts';
import type { Suite } from '../envelope/index.ts';
import type { Kms } from '../kms/index.ts';
import type { SecretPurpose, Tx } from '../store/index.ts';
import { alteredRecord } from './record.ts';
import { type TenantSigningKey, UnsealedTenantKeys } from './tenant-keys.ts';
import {
  readTenantSecrets,
  type SigningKeyRow,
  type TenantSecretRow,
  unsealTenantSecret,
} from './tenant-secrets.ts';

const UNSEALED = ['vault', 'envelope-signing', 'audit-signing', 'mac-root', 'storage', 'index'] as const;
type Unsealed = (typeof UNSEALED)[number] & SecretPurpose;

export interface WrappedTenant {
  readonly tenantId: string;
  readonly kmsKeyRef: string | null;
  /** Every version, the newest of each purpose first. */
  readonly secrets: readonly TenantSecretRow[];
  readonly signingKeys: readonly SigningKeyRow[];
}

/** The rows of `tenantId`, or `null` where there is no such tenant. */
export async function readWrappedTenant(tx: Tx, tenantId: string): Promise<WrappedTenant | null> {
  const tenant = await tx
    .selectFrom('tenants')
    .select('kms_key_ref')
    .where('id', '=', tenantId)
    .executeTakeFirst();
  if (tenant === undefined) return null;
  const secrets = await readTenantSecrets(tx, tenantId);
  const signingKeys = await tx
    .selectFrom('signing_keys')
    .select(['id', 'kid', 'version', 'public_key', 'not_before'])
    .where('tenant_id', '=', tenantId)
    .where('status', '<>', 'REVOKED')
    .execute();
  return {
    tenantId,
    kmsKeyRef: tenant.kms_key_ref,
    secrets,
    signingKeys: signingKeys.map((row) => ({
      id: row.id,
      kid: row.kid,
      version: row.version,
      publicKey: new Uint8Array(row.public_key),
      notBefore: row.not_before,
    })),
  };
}

/**
 * Six KMS calls at once, and one for each further version of the vault key and of the signing key that is
 * still stored. Throws what the KMS throws, and `INTERNAL` where rows are missing or altered.
 */
export async function unsealTenant(
  kms: Kms,
  suite: Suite,
  wrapped: WrappedTenant,
  signal: AbortSignal,
): Promise<UnsealedTenantKeys> {
  const { tenantId, kmsKeyRef } = wrapped;
  const furtherRows = furtherVersions(wrapped);
  const rows = [...UNSEALED.map((purpose) => rowOf(wrapped, purpose)), ...furtherRows];
  const outcomes = await Promise.allSettled(
    rows.map((row) => unsealTenantSecret(kms, suite, tenantId, row, signal)),
  );
  const unsealed = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const kept = new Set<Bytes>();
  try {
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const [vault, signing, audit, macRoot, storage, index, ...further] = unsealed as [
      Bytes,
      Bytes,
      Bytes,
      Bytes,
      Bytes,
      Bytes,
      ...Bytes[],
    ];
    const versionsOf = (purpose: 'vault' | 'envelope-signing', newest: Bytes): readonly Version[] => [
      { row: rowOf(wrapped, purpose), seed: newest },
      ...furtherRows.flatMap((row, at) =>
        row.purpose === purpose ? [{ row, seed: further[at] as Bytes }] : [],
      ),
    ];
    const keys = new UnsealedTenantKeys(suite, {
      tenantId,
      kmsKeyRef,
      audit,
      signingKeys: versionsOf('envelope-signing', signing).map((version) =>
        importSigningKey(suite, wrapped, version),
      ),
      vaults: versionsOf('vault', vault).map(({ row, seed }) => ({
        version: row.version,
        key: suite.importKemPrivateKey(seed),
      })),
      macRoot,
      storage,
      index,
    });
    for (const secret of [macRoot, storage, index]) kept.add(secret);
    return keys;
  } finally {
    for (const secret of unsealed) if (!kept.has(secret)) secret.fill(0);
  }
}

interface Version {
  readonly row: TenantSecretRow;
  readonly seed: Bytes;
}

/** The older versions that are still stored: of the vault key, and of the signing key around a change of it. */
function furtherVersions({ secrets }: WrappedTenant): readonly TenantSecretRow[] {
  return secrets.filter(
    ({ purpose }, at) =>
      (purpose === 'vault' || purpose === 'envelope-signing') && secrets[at - 1]?.purpose === purpose,
  );
}

/** The newest version. */
function rowOf({ secrets }: WrappedTenant, purpose: Unsealed): TenantSecretRow {
  const row = secrets.find((one) => one.purpose === purpose);
  if (row === undefined) throw alteredRecord();
  return row;
}

/** The public half is recomputed from the seed, so a row that names another key is noticed. */
function importSigningKey(
  suite: Suite,
  wrapped: WrappedTenant,
  { row: { version }, seed }: Version,
): TenantSigningKey {
  const row = wrapped.signingKeys.find((one) => one.version === version);
  const handle = suite.importSigningKey(seed);
  if (row === undefined || row.kid !== handle.kid || !equalBytes(row.publicKey, handle.publicKey)) {
    throw alteredRecord();
  }
  return Object.freeze({ ...row, handle });
}
