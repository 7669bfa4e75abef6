/**
 * A log as its head, its newest checkpoint and its epoch show it, read in one statement: so that what
 * other processes write meanwhile never looks like a contradiction.
 */
import { sql } from 'kysely';
import { type Bytes, equalBytes } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { AuditFault } from './alarms.ts';
import type { AuditLogKey } from './append.ts';
import { parseLeaf } from './audit-event.ts';
import { openHead, type StoredHead } from './audit-head.ts';
import { currentEpoch, FIRST_EPOCH } from './epochs.ts';
import { readingNodes } from './reading-nodes.ts';
import { readRoot } from './tree.ts';

/** A tree of a log that somebody vouched for. */
export interface TreeHead {
  readonly epoch: number;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Bytes;
}

export interface LogState extends TreeHead {
  /** The epoch that the opening of this one ended, 0 in the first. */
  readonly endedEpoch: number;
  /** The size of the newest checkpoint of the epoch, 0 where there is none. */
  readonly signedSize: number;
  /** Milliseconds since it was stored, by the database's clock; `null` where there is none. */
  readonly signedAgeMs: number | null;
}

interface StateRow extends StoredHead {
  readonly newest: number | null;
  readonly epoch: number;
  readonly signed_size: number | null;
  readonly signed_root: Uint8Array | null;
  readonly signed_age: number | null;
  /** The event that opened the epoch. */
  readonly opening: Uint8Array | null;
}

/** The log, after checks that cost O(log n). Throws {@link AuditFault} where something was altered. */
export async function readLogState(tx: Tx, key: AuditLogKey): Promise<LogState> {
  const { tenantId, headKey } = key;
  const row = await readStateRow(tx, tenantId);
  const { size, newest, epoch } = row;
  const root = rootOfHead(headKey, tenantId, row);
  if ((newest ?? -1) < size - 1) throw new AuditFault('LOG_TRUNCATED', (newest ?? -1) + 1);
  if (newest !== null && newest > size - 1) throw new AuditFault('EVENT_INSERTED', newest);
  const endedEpoch = epoch === FIRST_EPOCH ? 0 : endedBy(row.opening, epoch);
  const signedSize = row.signed_size ?? 0;
  const state = { epoch, endedEpoch, size, root, signedSize, signedAgeMs: row.signed_age };
  if (row.signed_size !== null && row.signed_root !== null) {
    const signed = { epoch, size: row.signed_size, root: Uint8Array.from(row.signed_root) };
    await assertExtends(tx, tenantId, state, signed);
  }
  return state;
}

/**
 * Throws {@link AuditFault} where a log in `state` is smaller than `known`, or another. What is known of
 * an earlier epoch is not held against it, if the event that opened its own ended that epoch or a later one.
 */
export async function assertExtends(
  tx: Tx,
  tenantId: string,
  state: TreeHead & Pick<LogState, 'endedEpoch'>,
  known: TreeHead,
): Promise<void> {
  if (known.epoch < state.epoch) {
    if (state.endedEpoch < known.epoch) throw new AuditFault('EPOCH_CONTRADICTED');
    return;
  }
  if (known.epoch > state.epoch || known.size > state.size) throw new AuditFault('ROLLED_BACK', state.size);
  const root =
    known.size === state.size ? state.root : await readingNodes(() => readRoot(tx, tenantId, known.size));
  if (!equalBytes(root, known.root)) throw new AuditFault('CHECKPOINT_CONTRADICTED', known.size);
}

/** A size that no gateway wrote, beyond what a number holds, reads as one that no MAC is made for. */
export const HEAD_SIZE = sql<number>`CASE WHEN h.size <= ${sql.lit(Number.MAX_SAFE_INTEGER)} THEN h.size ELSE -1 END`;

async function readStateRow(tx: Tx, tenantId: string): Promise<StateRow> {
  const { rows } = await sql<StateRow>`
    SELECT ${HEAD_SIZE} AS size, h.frontier, h.root, h.mac, e.epoch, c.size AS signed_size, c.root AS signed_root,
      (extract(epoch FROM clock_timestamp() - c.created_at) * 1000)::float8 AS signed_age,
      (SELECT max(index) FROM audit_events a WHERE a.tenant_id = h.tenant_id) AS newest,
      (SELECT a.leaf FROM audit_epochs o JOIN audit_events a
          ON a.tenant_id = o.tenant_id AND a.index = o.first_index
        WHERE o.tenant_id = h.tenant_id AND o.epoch = e.epoch) AS opening
    FROM audit_heads h
    CROSS JOIN (SELECT ${currentEpoch(tenantId)} AS epoch) e
    LEFT JOIN LATERAL (
      SELECT size, root, created_at FROM audit_checkpoints c
      WHERE c.tenant_id = h.tenant_id AND c.epoch = e.epoch ORDER BY c.size DESC LIMIT 1
    ) c ON true
    WHERE h.tenant_id = ${tenantId}`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new AuditFault('HEAD_ALTERED');
  return row;
}

function rootOfHead(headKey: Uint8Array, tenantId: string, head: StoredHead): Bytes {
  try {
    openHead(headKey, tenantId, head);
  } catch {
    throw new AuditFault('HEAD_ALTERED');
  }
  return Uint8Array.from(head.root);
}

/** The epoch that the event in `leaf` ended. Throws {@link AuditFault} unless that event opened `epoch`. */
function endedBy(leaf: Uint8Array | null, epoch: number): number {
  const restore = leaf === null ? undefined : parseLeaf(leaf)?.restore;
  if (restore?.opens !== epoch || restore.epoch >= epoch) throw new AuditFault('EPOCH_CONTRADICTED');
  return restore.epoch;
}
