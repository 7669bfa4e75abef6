/**
 * Stored checkpoints. They are written under the lock of the log's head, so that of any two the later
 * one is the larger, whoever signed them; the signatures are made outside of any transaction.
 */

import type { Selectable } from 'kysely';
import { type SqlBool, sql } from 'kysely';
import { type Bytes, equalBytes } from '../base/index.ts';
import type { AuditCheckpointsTable, Tx } from '../store/index.ts';
import { AuditFault } from './alarms.ts';
import { currentEpoch, readEpoch } from './epochs.ts';

export interface StoredCheckpoint {
  readonly epoch: number;
  /** Events that it covers. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Bytes;
  /** Its text and both signatures (C2SP signed-note). */
  readonly note: string;
  readonly createdAt: Date;
}

/** Which checkpoint: of one size, the oldest that covers so many events, or the newest. */
export type CheckpointWish =
  | { readonly size: number; readonly atLeast?: never }
  | { readonly atLeast: number; readonly size?: never }
  | { readonly size?: never; readonly atLeast?: never };

/** A checkpoint of `epoch`, of the newest one where it is left out; or `null`. */
export async function readCheckpoint(
  tx: Tx,
  tenantId: string,
  { size, atLeast, epoch }: CheckpointWish & { readonly epoch?: number } = {},
): Promise<StoredCheckpoint | null> {
  let query = tx
    .selectFrom('audit_checkpoints')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('epoch', '=', epoch ?? currentEpoch(tenantId));
  if (size !== undefined) query = query.where('size', '=', size);
  if (atLeast !== undefined) query = query.where('size', '>=', atLeast);
  const row = await query
    .orderBy('size', atLeast === undefined ? 'desc' : 'asc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : checkpointOf(row);
}

/** Checkpoints of epoch `epoch` with from < size <= to, in order, at most `limit`. */
export async function listCheckpoints(
  tx: Tx,
  tenantId: string,
  { epoch, from, to, limit }: { epoch: number; from: number; to: number; limit: number },
): Promise<readonly StoredCheckpoint[]> {
  const rows = await tx
    .selectFrom('audit_checkpoints')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('epoch', '=', epoch)
    .where('size', '>', from)
    .where('size', '<=', to)
    .orderBy('size')
    .limit(limit)
    .execute();
  return rows.map(checkpointOf);
}

/** Checkpoints after a place, of any epoch, in order, at most `limit`. */
export async function listCheckpointsAfter(
  tx: Tx,
  tenantId: string,
  { epoch, size }: { readonly epoch: number; readonly size: number },
  limit: number,
): Promise<readonly StoredCheckpoint[]> {
  const rows = await tx
    .selectFrom('audit_checkpoints')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where((row) =>
      row.or([row('epoch', '>', epoch), row.and([row('epoch', '=', epoch), row('size', '>', size)])]),
    )
    .orderBy('epoch')
    .orderBy('size')
    .limit(limit)
    .execute();
  return rows.map(checkpointOf);
}

/** The checkpoints of all epochs from before `before`, the newest first, at most `limit`, whoever wrote them. */
export async function listNewestCheckpoints(
  tx: Tx,
  tenantId: string,
  {
    before,
    limit,
  }: {
    readonly before: Pick<StoredCheckpoint, 'epoch' | 'size'> | null;
    readonly limit: number;
  },
): Promise<readonly StoredCheckpoint[]> {
  let query = tx.selectFrom('audit_checkpoints').selectAll().where('tenant_id', '=', tenantId);
  if (before !== null) {
    query = query.where(sql<SqlBool>`(epoch, size) < (${before.epoch}::integer, ${before.size}::bigint)`);
  }
  const rows = await query.orderBy('epoch', 'desc').orderBy('size', 'desc').limit(limit).execute();
  return rows.map(checkpointOf);
}

/**
 * Stores a signed checkpoint and answers it; or the newest one, where that is as large, or `null`, where
 * the epoch is over. Throws {@link AuditFault} where the log has become smaller since, or another.
 */
export async function insertCheckpoint(
  tx: Tx,
  tenantId: string,
  signed: Omit<StoredCheckpoint, 'createdAt'>,
): Promise<StoredCheckpoint | null> {
  const { epoch, size, root, note } = signed;
  const head = await tx
    .selectFrom('audit_heads')
    .select('size')
    .where('tenant_id', '=', tenantId)
    .forUpdate()
    .executeTakeFirst();
  if ((await readEpoch(tx, tenantId)) !== epoch) return null;
  if (head === undefined || head.size < size) throw new AuditFault('ROLLED_BACK', head?.size ?? 0);
  const newest = await readCheckpoint(tx, tenantId);
  if (newest?.size === size && !equalBytes(newest.root, root)) {
    throw new AuditFault('CHECKPOINT_CONTRADICTED', size);
  }
  if (newest !== null && newest.size >= size) return newest;
  const { rows } = await sql<{ created_at: Date }>`
    INSERT INTO audit_checkpoints (tenant_id, epoch, size, root, note)
    VALUES (${tenantId}, ${epoch}, ${size}, ${root}, ${note}) RETURNING created_at`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new TypeError('The inserted checkpoint was not answered');
  return { ...signed, createdAt: row.created_at };
}

function checkpointOf(row: Selectable<AuditCheckpointsTable>): StoredCheckpoint {
  return {
    epoch: row.epoch,
    size: row.size,
    root: Uint8Array.from(row.root),
    note: row.note,
    createdAt: row.created_at,
  };
}
