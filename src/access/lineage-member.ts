import type { Tx } from '../store/index.ts';

/** Which of `keyIds` are the client key `ownKeyId`, or others of its lineage. */
export async function ofLineage(
  tx: Tx,
  tenantId: string,
  ownKeyId: string,
  keyIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (keyIds.length === 0) return new Set();
  const related = await tx
    .selectFrom('client_keys as own')
    .innerJoin('client_keys as other', (join) =>
      join.onRef('other.tenant_id', '=', 'own.tenant_id').onRef('other.lineage_id', '=', 'own.lineage_id'),
    )
    .select('other.id')
    .where('own.tenant_id', '=', tenantId)
    .where('own.id', '=', ownKeyId)
    .where('other.id', 'in', [...keyIds])
    .execute();
  return new Set(related.map(({ id }) => id));
}
