/** From a tenant's rows to its unwrapped keys. */
import { type Bytes, equalBytes } from '../base/index.ts';
import type { Suite } from '../envelope/index.ts';
import type { Kms } from '../kms/index.ts';
import type { SecretPurpose, Tx } from '../store/index.ts';
import { alteredRecord } from './record.ts';
import { UnsealedTenantKeys } from './tenant-keys.ts';
import {
  readTenantSecrets,
  type SigningKeyRow,
  type TenantSecretRow,
  unsealTenantSecret,
} from './tenant-secrets.ts';

/** The audit signing seed stays wrapped: nothing here signs with it. */
const UNSEALED = ['vault', 'envelope-signing', 'mac-root', 'storage', 'index'] as const;
type Unsealed = (typeof UNSEALED)[number] & SecretPurpose;

export interface WrappedTenant {
  readonly tenantId: string;
  readonly kmsKeyRef: string | null;
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
    .where('status', '=', 'ACTIVE')
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

/** Five KMS calls at once. Throws what the KMS throws, and `INTERNAL` where rows are missing or altered. */
export async function unsealTenant(
  kms: Kms,
  suite: Suite,
  wrapped: WrappedTenant,
  signal: AbortSignal,
): Promise<UnsealedTenantKeys> {
  const { tenantId, kmsKeyRef } = wrapped;
  const rows = UNSEALED.map((purpose) => rowOf(wrapped, purpose));
  const outcomes = await Promise.allSettled(
    rows.map((row) => unsealTenantSecret(kms, suite, tenantId, row, signal)),
  );
  const unsealed = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const kept = new Set<Bytes>();
  try {
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const [vault, signing, macRoot, storage, index] = unsealed as [Bytes, Bytes, Bytes, Bytes, Bytes];
    const keys = new UnsealedTenantKeys(suite, {
      tenantId,
      kmsKeyRef,
      signingKey: importSigningKey(suite, wrapped, signing),
      vault: { version: rowOf(wrapped, 'vault').version, key: suite.importKemPrivateKey(vault) },
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

function rowOf({ secrets }: WrappedTenant, purpose: Unsealed): TenantSecretRow {
  const row = secrets.find((one) => one.purpose === purpose);
  if (row === undefined) throw alteredRecord();
  return row;
}

/** The public half is recomputed from the seed, so a row that names another key is noticed. */
function importSigningKey(
  suite: Suite,
  wrapped: WrappedTenant,
  seed: Bytes,
): SigningKeyRow & { handle: ReturnType<Suite['importSigningKey']> } {
  const { version } = rowOf(wrapped, 'envelope-signing');
  const row = wrapped.signingKeys.find((one) => one.version === version);
  const handle = suite.importSigningKey(seed);
  if (row === undefined || row.kid !== handle.kid || !equalBytes(row.publicKey, handle.publicKey)) {
    throw alteredRecord();
  }
  return Object.freeze({ ...row, handle });
}
