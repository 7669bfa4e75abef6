/** Which client keys are active, for who seals without being asked: the change feed. */
import type { Bytes } from '../base/index.ts';
import type { Tx } from '../store/index.ts';

export interface ActiveKey {
  readonly keyId: string;
  readonly lineageId: string;
}

/** The ACTIVE keys of these lineages, in one order for everybody; with `isHeld` they stay so until the transaction ends. */
export async function listActiveKeys(
  tx: Tx,
  tenantId: string,
  lineageIds: readonly string[],
  { isHeld = false }: { readonly isHeld?: boolean } = {},
): Promise<readonly ActiveKey[]> {
  if (lineageIds.length === 0) return [];
  const query = tx
    .selectFrom('client_keys')
    .select(['id', 'lineage_id'])
    .where('tenant_id', '=', tenantId)
    .where('lineage_id', 'in', [...lineageIds])
    .where('status', '=', 'ACTIVE')
    .orderBy('lineage_id')
    .orderBy('id');
  const rows = await (isHeld ? query.forShare() : query).execute();
  return rows.map((row) => ({ keyId: row.id, lineageId: row.lineage_id }));
}

/** The ML-KEM-768 public keys (1184 bytes) of client keys, by id. A key's never change. */
export async function readKemPublicKeys(
  tx: Tx,
  tenantId: string,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, Bytes>> {
  if (keyIds.length === 0) return new Map();
  const rows = await tx
    .selectFrom('client_keys')
    .select(['id', 'kem_public_key'])
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', [...keyIds])
    .execute();
  return new Map(rows.map((row) => [row.id, Uint8Array.from(row.kem_public_key)]));
}
