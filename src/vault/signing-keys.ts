/**
 * The signing keys of a tenant in the database.
 *
 * PENDING  published with the step to it that its predecessor signed, so that clients can follow; it signs
 *          from its `notBefore` on. Ends as ACTIVE at that moment, by the time alone: no process needs to write
 *          anything. Ends as REVOKED where the rotation is cancelled, or the keys are changed at once.
 * ACTIVE   signs. Ends as RETIRED when its successor begins, one second before it; as REVOKED when it is
 *          changed at once because others may know it.
 * RETIRED  signs nothing more; what it signed stays good. Its seed is destroyed some minutes later. Final.
 * REVOKED  nothing of it is good any more; its seed is destroyed with the revocation. Final.
 *
 * The row says what was written last; {@link signingKeysAt} what is so at a time.
 */
import type { Selectable } from 'kysely';
import type { Bytes } from '../base/index.ts';
import type { SigningKeyState, SigningKeysTable, Tx } from '../store/index.ts';
import { deleteSecretVersions, type SigningKeyRow } from './tenant-secrets.ts';

export interface SigningKeyRecord extends SigningKeyRow {
  readonly status: SigningKeyState;
  readonly publishedAt: Date;
  readonly notAfter: Date | null;
  /** Who vouches for it and how; `null` where the chain begins. */
  readonly step: { readonly fromKid: string; readonly signature: Bytes } | null;
}

/** Every key that the tenant ever had, as its row says, oldest first. */
export async function readSigningKeys(tx: Tx, tenantId: string): Promise<readonly SigningKeyRecord[]> {
  const rows = await tx
    .selectFrom('signing_keys')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('version')
    .execute();
  return rows.map(fromRow);
}

/** `records` as they are at `now` (milliseconds since 1970). */
export function signingKeysAt(
  records: readonly SigningKeyRecord[],
  now: number,
): readonly SigningKeyRecord[] {
  const begun = records.find(({ status, notBefore }) => status === 'PENDING' && notBefore.getTime() <= now);
  if (begun === undefined) return records;
  const end = new Date(begun.notBefore.getTime() - 1_000);
  return records.map((record) => {
    if (record === begun) return { ...record, status: 'ACTIVE' };
    return record.status === 'ACTIVE' ? { ...record, status: 'RETIRED', notAfter: end } : record;
  });
}

/** Writes what has come about by time alone. */
export async function settleSigningKeys(
  tx: Tx,
  tenantId: string,
  now: number,
): Promise<readonly SigningKeyRecord[]> {
  const stored = await readSigningKeys(tx, tenantId);
  const settled = signingKeysAt(stored, now);
  for (const [index, record] of settled.entries()) {
    if (record.status === stored[index]?.status) continue;
    await endOrBegin(tx, tenantId, record, record.status, record.notAfter);
  }
  return settled;
}

export interface NewSigningKey extends SigningKeyRow {
  readonly tenantId: string;
  readonly status: 'PENDING' | 'ACTIVE';
  readonly publishedAt: Date;
  readonly step: SigningKeyRecord['step'];
}

export async function insertSigningKey(tx: Tx, key: NewSigningKey): Promise<SigningKeyRecord> {
  const row = await tx
    .insertInto('signing_keys')
    .values({
      id: key.id,
      tenant_id: key.tenantId,
      kid: key.kid,
      version: key.version,
      public_key: key.publicKey,
      status: key.status,
      not_before: key.notBefore,
      published_at: key.publishedAt,
      succeeds: key.step?.fromKid ?? null,
      transition: key.step?.signature ?? null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return fromRow(row);
}

/** Ends keys as REVOKED and destroys their seeds. */
export async function revokeSigningKeys(
  tx: Tx,
  tenantId: string,
  keys: readonly SigningKeyRecord[],
  now: Date,
): Promise<void> {
  for (const key of keys) await endOrBegin(tx, tenantId, key, 'REVOKED', now);
  const versions = keys.map(({ version }) => version);
  await deleteSecretVersions(tx, tenantId, 'envelope-signing', versions);
}

/** Destroys the seeds of keys that signed their last before `before`. Answers whether there were any. */
export async function destroyRetiredSeeds(tx: Tx, tenantId: string, before: Date): Promise<boolean> {
  const retired = (await readSigningKeys(tx, tenantId)).filter(
    ({ status, notAfter }) => status === 'RETIRED' && notAfter !== null && notAfter < before,
  );
  const versions = retired.map(({ version }) => version);
  if (versions.length === 0) return false;
  const stored = await tx
    .selectFrom('tenant_secrets')
    .select('version')
    .where('tenant_id', '=', tenantId)
    .where('purpose', '=', 'envelope-signing')
    .where('version', 'in', versions)
    .execute();
  await deleteSecretVersions(
    tx,
    tenantId,
    'envelope-signing',
    stored.map(({ version }) => version),
  );
  return stored.length > 0;
}

/** Tenants with a key that has begun by time alone at `now`, or with the seed of one retired before `before`. For `withSystem`. */
export async function findUnsettledTenants(
  tx: Tx,
  { now, before, limit }: { readonly now: Date; readonly before: Date; readonly limit: number },
): Promise<readonly string[]> {
  const begun = await tx
    .selectFrom('signing_keys')
    .select('tenant_id')
    .where('status', '=', 'PENDING')
    .where('not_before', '<=', now)
    .limit(limit)
    .execute();
  const retired = await tx
    .selectFrom('tenant_secrets as secret')
    .innerJoin('signing_keys as signing', (join) =>
      join
        .onRef('signing.tenant_id', '=', 'secret.tenant_id')
        .onRef('signing.version', '=', 'secret.version'),
    )
    .select('secret.tenant_id')
    .where('secret.purpose', '=', 'envelope-signing')
    .where('signing.status', '=', 'RETIRED')
    .where('signing.not_after', '<', before)
    .limit(limit)
    .execute();
  return [...new Set([...begun, ...retired].map(({ tenant_id }) => tenant_id))];
}

async function endOrBegin(
  tx: Tx,
  tenantId: string,
  { id }: Pick<SigningKeyRecord, 'id'>,
  status: SigningKeyState,
  notAfter: Date | null,
): Promise<void> {
  await tx
    .updateTable('signing_keys')
    .set({ status, not_after: notAfter })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute();
}

function fromRow(row: Selectable<SigningKeysTable>): SigningKeyRecord {
  return {
    id: row.id,
    kid: row.kid,
    version: row.version,
    publicKey: new Uint8Array(row.public_key),
    status: row.status,
    publishedAt: row.published_at,
    notBefore: row.not_before,
    notAfter: row.not_after,
    step:
      row.succeeds === null || row.transition === null
        ? null
        : { fromKid: row.succeeds, signature: new Uint8Array(row.transition) },
  };
}
