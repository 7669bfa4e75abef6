/**
 * The epochs of a log. The first has no row; each later one was opened by an accepted restore, whose
 * event is in the log and names that epoch and the one before. A checkpoint belongs to one epoch and says nothing of
 * another.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Tx } from '../store/index.ts';

export const FIRST_EPOCH = 1;

/** The newest epoch of `tenantId`, to stand in a statement. */
export function currentEpoch(tenantId: string): RawBuilder<number> {
  return sql<number>`coalesce((SELECT max(epoch) FROM audit_epochs WHERE tenant_id = ${tenantId}), ${FIRST_EPOCH}::integer)`;
}

/** The newest epoch of each log that has more than one, at most `limit`, those opened last. For the system's transactions. */
export async function listEpochs(tx: Tx, limit = 1_000): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ tenant_id: string; epoch: number }>`
    SELECT tenant_id, max(epoch) AS epoch FROM audit_epochs
    GROUP BY tenant_id ORDER BY max(opened_at) DESC LIMIT ${limit}`.execute(tx);
  return new Map(rows.map((row) => [row.tenant_id, row.epoch]));
}

/** The newest epoch of the log: 1, or that of the last accepted restore. */
export async function readEpoch(tx: Tx, tenantId: string): Promise<number> {
  const { rows } = await sql<{ epoch: number }>`SELECT ${currentEpoch(tenantId)} AS epoch`.execute(tx);
  return rows[0]?.epoch ?? FIRST_EPOCH;
}
