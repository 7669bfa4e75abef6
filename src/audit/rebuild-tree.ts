/**
 * The tree of a log made anew from the rows that are there, a batch at a time: rows that hold stay, a row
 * that does not is moved out, and a marker takes each place that is empty up to `bound`, if a row that holds
 * comes after it. Rows from `bound` on stay only as long as they follow one another.
 */
import { sql } from 'kysely';
import { type Bytes, concatBytes, createId } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { appendLeaves, EMPTY_FRONTIER, type Frontier } from '../tlog/index.ts';
import { type AuditEvent, encodeLeaf } from './audit-event.ts';
import { merkle } from './audit-head.ts';
import { type EventRow, judgeEventRow } from './event-row.ts';
import { storedNodes } from './tree.ts';

/** Rows, and markers, of one statement. */
const BATCH = 1_000;

export interface TreeRebuilding {
  readonly tenantId: string;
  /** Under which the rows that are moved out are kept. */
  readonly epoch: number;
  /** Events that the log is known to have had. */
  readonly bound: number;
  readonly actor: AuditEvent['actor'];
  readonly now: Date;
}

export interface RebuiltTree {
  readonly frontier: Frontier;
  /** Markers written. */
  readonly lost: number;
}

export async function rebuildTree(tx: Tx, rebuilding: TreeRebuilding): Promise<RebuiltTree> {
  const { tenantId, bound } = rebuilding;
  let frontier = EMPTY_FRONTIER;
  let lost = 0;
  for (let from = 0; ; ) {
    const rows = await readBatch(tx, tenantId, from);
    const last = rows.at(-1);
    if (last === undefined) return { frontier, lost };
    from = last.index + 1;
    const kept = keptOf(rows, frontier.size, bound);
    await displace(tx, rebuilding, rows, new Set(kept.map(({ index }) => index)));
    let hashes: Bytes[] = [];
    for (const row of kept) {
      while (frontier.size + hashes.length < row.index) {
        const begin = frontier.size + hashes.length;
        const markers = markersAt(rebuilding, begin, Math.min(row.index, begin + BATCH));
        await tx.insertInto('audit_events').values(markers).execute();
        lost += markers.length;
        frontier = await grow(tx, tenantId, frontier, [...hashes, ...markers.map(hashOf)]);
        hashes = [];
      }
      hashes.push(hashOf(row));
    }
    frontier = await grow(tx, tenantId, frontier, hashes);
  }
}

function readBatch(tx: Tx, tenantId: string, from: number): Promise<EventRow[]> {
  return tx
    .selectFrom('audit_events')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('index', '>=', from)
    .orderBy('index')
    .limit(BATCH)
    .execute();
}

/** Of `rows`, in order, those that stay in a log of `size` events so far. */
function keptOf(rows: readonly EventRow[], size: number, bound: number): readonly EventRow[] {
  let next = size;
  return rows.filter((row) => {
    const stays = judgeEventRow(row) === 'HOLDS' && (row.index === next || row.index < bound);
    if (stays) next = row.index + 1;
    return stays;
  });
}

/** Moves out of the log those of `rows` that do not stay. */
async function displace(
  tx: Tx,
  { tenantId, epoch }: TreeRebuilding,
  rows: readonly EventRow[],
  staying: ReadonlySet<number>,
): Promise<void> {
  const leaving = rows.map(({ index }) => index).filter((index) => !staying.has(index));
  if (leaving.length === 0) return;
  await sql`
    INSERT INTO audit_displaced_events (tenant_id, epoch, index, event)
    SELECT e.tenant_id, ${epoch}, e.index, to_jsonb(e) FROM audit_events e
    WHERE e.tenant_id = ${tenantId} AND e.index = ANY(${leaving}::bigint[])`.execute(tx);
  await sql`DELETE FROM audit_events WHERE tenant_id = ${tenantId} AND index = ANY(${leaving}::bigint[])`.execute(
    tx,
  );
}

/** Events that stand for lost ones at the places from `from` to before `to`. */
function markersAt({ tenantId, actor, now }: TreeRebuilding, from: number, to: number): EventRow[] {
  return Array.from({ length: to - from }, (_, at) => {
    const index = from + at;
    const event: AuditEvent = {
      ...{ id: createId('auditEvent', now.getTime()), index, tenantId, occurredAt: now.toISOString(), actor },
      ...{ phase: 'SINGLE', outcome: 'UNKNOWN', action: 'audit.lost' },
    };
    const leaf = encodeLeaf(event);
    return {
      ...{
        tenant_id: tenantId,
        index,
        id: event.id,
        leaf,
        leaf_hash: merkle.hashLeaf(leaf),
        occurred_at: now,
      },
      ...{ actor_id: actor.id, phase: event.phase, action: event.action, outcome: event.outcome },
      ...{ intent_id: null, integration_id: null, operation: null },
      ...{ resource: null, request_id: null, denial_reason: null },
    };
  });
}

/** Appends to the tree, and stores the nodes that this completes in place of what is stored there. */
async function grow(
  tx: Tx,
  tenantId: string,
  before: Frontier,
  leafHashes: readonly Bytes[],
): Promise<Frontier> {
  const { frontier, nodes: completed } = appendLeaves(merkle, before, leafHashes);
  const nodes = storedNodes(completed);
  if (nodes.length === 0) return frontier;
  await sql`
    INSERT INTO audit_nodes AS stored (tenant_id, level, index, hash)
    SELECT ${tenantId}, level, index,
      substr(${concatBytes(...nodes.map(({ hash }) => hash))}::bytea, (32 * place - 31)::int, 32)
    FROM unnest(${nodes.map(({ level }) => level)}::smallint[], ${nodes.map(({ index }) => index)}::bigint[])
      WITH ORDINALITY AS n (level, index, place)
    ON CONFLICT (tenant_id, level, index) DO UPDATE SET hash = excluded.hash
    WHERE stored.hash <> excluded.hash`.execute(tx);
  return frontier;
}

function hashOf({ leaf_hash }: EventRow): Bytes {
  return Uint8Array.from(leaf_hash);
}
