/**
 * Part of a pass over the log: a run of events against their hashes, columns and places, against the
 * nodes of the tree that they complete, and against every checkpoint signed at a size within the run. The
 * tree before the run is taken from its stored nodes, which the runs before it have checked; so a pass from
 * the first event to the head leaves nothing that the head does not vouch for.
 */
import { sql } from 'kysely';
import { equalBytes } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { appendLeaves, type Frontier, rangeNodes, rootOfFrontier, type TreeNode } from '../tlog/index.ts';
import { AuditFault } from './alarms.ts';
import { merkle } from './audit-head.ts';
import { listCheckpoints, type StoredCheckpoint } from './checkpoints.ts';
import { type EventRow, judgeEventRow } from './event-row.ts';
import type { LogState } from './log-state.ts';
import { readingNodes } from './reading-nodes.ts';
import { LOWEST_STORED_LEVEL, readTreeNodes, storedNodes } from './tree.ts';

/** Events that one run checks at most. */
export const MAX_CHECK_RUN = 1_024;
/** Of a tree of 2^53 - 1 leaves. */
const MAX_LEVEL = 52;

export interface CheckedRun {
  /** Where the next run begins; 0 after the end of the log. */
  readonly next: number;
  /** The checkpoints within the run. Their roots are right; whether they bear the signatures is not checked here. */
  readonly checkpoints: readonly StoredCheckpoint[];
}

/** Checks the events from `from` on, of the log in `state`. Throws {@link AuditFault} for the first that does not hold. */
export async function checkRun(tx: Tx, tenantId: string, state: LogState, from: number): Promise<CheckedRun> {
  const begin = from < state.size ? from : 0;
  const end = Math.min(begin + MAX_CHECK_RUN, state.size);
  const rows = await readRows(tx, tenantId, begin, end);
  const checkpoints = await listCheckpoints(tx, tenantId, {
    ...{ epoch: state.epoch, from: begin, to: end, limit: MAX_CHECK_RUN },
  });
  let frontier = await readFrontier(tx, tenantId, begin);
  const completed: TreeNode[] = [];
  let due = 0;
  for (const [at, row] of rows.entries()) {
    assertHolds(row, begin + at);
    const grown = appendLeaves(merkle, frontier, [Uint8Array.from(row.leaf_hash)]);
    frontier = grown.frontier;
    completed.push(...grown.nodes);
    const signed = checkpoints[due];
    if (signed?.size !== frontier.size) continue;
    if (!equalBytes(rootOfFrontier(merkle, frontier), signed.root)) {
      throw new AuditFault('CHECKPOINT_CONTRADICTED', signed.size);
    }
    due += 1;
  }
  if (begin + rows.length < end) throw new AuditFault('EVENT_MISSING', begin + rows.length);
  await assertStored(tx, tenantId, storedNodes(completed));
  if (end === state.size) {
    if (!equalBytes(rootOfFrontier(merkle, frontier), state.root)) throw new AuditFault('TREE_ALTERED');
    await assertNoNodeAhead(tx, tenantId);
  }
  return { next: end === state.size ? 0 : end, checkpoints };
}

export function readRows(tx: Tx, tenantId: string, from: number, to: number): Promise<EventRow[]> {
  return tx
    .selectFrom('audit_events')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('index', '>=', from)
    .where('index', '<', to)
    .orderBy('index')
    .execute();
}

/** The tree of the first `size` events, as its nodes are stored. */
async function readFrontier(tx: Tx, tenantId: string, size: number): Promise<Frontier> {
  const addresses = rangeNodes({ from: size, to: size, size });
  const nodes = await readingNodes(() => readTreeNodes(tx, tenantId, addresses));
  return { size, roots: nodes.map(({ hash }) => hash) };
}

/** Throws {@link AuditFault} unless `row` is the event at `index`, as it was written. */
function assertHolds(row: EventRow, index: number): void {
  if (row.index !== index) throw new AuditFault('EVENT_MISSING', index);
  const judgement = judgeEventRow(row);
  if (judgement !== 'HOLDS') throw new AuditFault(`EVENT_${judgement}`, index);
}

/** A node of a tree to come, planted, would keep the log from reaching it. In one statement, so that an append is seen whole. */
async function assertNoNodeAhead(tx: Tx, tenantId: string): Promise<void> {
  const { rows } = await sql`
    SELECT 1 FROM audit_heads h, generate_series(${LOWEST_STORED_LEVEL}::integer, ${MAX_LEVEL}::integer) AS l (level)
    WHERE h.tenant_id = ${tenantId} AND EXISTS (
      SELECT 1 FROM audit_nodes n
      WHERE n.tenant_id = h.tenant_id AND n.level = l.level AND n.index >= h.size >> l.level)
    LIMIT 1`.execute(tx);
  if (rows.length > 0) throw new AuditFault('TREE_ALTERED');
}

async function assertStored(tx: Tx, tenantId: string, nodes: readonly TreeNode[]): Promise<void> {
  const stored = await readingNodes(() => readTreeNodes(tx, tenantId, nodes));
  for (const [at, { level, index, hash }] of nodes.entries()) {
    if (!equalBytes(stored[at]?.hash ?? new Uint8Array(0), hash)) {
      throw new AuditFault('TREE_ALTERED', index * 2 ** level);
    }
  }
}
