/**
 * Going on with a log that is not the one that was vouched for: after the restore of a backup, or after
 * somebody altered it. A new epoch begins over what is there. Events that hold stay where they are; where
 * one is missing or does not hold, a marker (`audit.lost`) takes its place, and what was there is kept in
 * `audit_displaced_events`. The tree and the head are made anew, and the first event of the epoch names the
 * epoch before, its size and its root. Checkpoints of that epoch stay as they are.
 *
 * The triggers that keep the log append-only let rows be removed in a transaction that says it restores
 * this tenant's log; the role of the tenants' work has no right to remove any.
 */
import { sql } from 'kysely';
import { createId, encodeBase64Url } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { type AuditLogKey, appendAuditEvents, createAuditHead } from './append.ts';
import type { NewAuditEvent } from './audit-event.ts';
import { encodeHead, merkle, openHead, type StoredHead } from './audit-head.ts';
import { readEpoch } from './epochs.ts';
import { HEAD_SIZE, type TreeHead } from './log-state.ts';
import { rebuildTree } from './rebuild-tree.ts';

export interface LogRestore extends AuditLogKey {
  /** The newest tree that checkpoints and anchor vouch for, verified; `null` where none does. */
  readonly known: TreeHead | null;
  /** Why, a lower-case token. */
  readonly reason: string;
  readonly actor: NewAuditEvent['actor'];
  readonly now: Date;
}

export interface RestoredLog {
  readonly epoch: number;
  /** Events, markers and the one that opened the epoch included. */
  readonly size: number;
  /** Places that have a marker now. */
  readonly lost: number;
  /** The epoch before, as it is named. */
  readonly previous: TreeHead;
}

/** Opens a new epoch over what is there. In a transaction of the system, which must then be committed at once. */
export async function restoreLog(tx: Tx, restore: LogRestore): Promise<RestoredLog> {
  const { tenantId, headKey, known, reason, actor, now } = restore;
  await sql`SELECT set_config('sealdesk.restores_audit_log_of', ${tenantId}, true)`.execute(tx);
  const head = await lockHead(tx, restore);
  const current = await readEpoch(tx, tenantId);
  const previous = known ?? head ?? { epoch: current, size: 0, root: merkle.hashEmpty() };
  const epoch = Math.max(current, previous.epoch) + 1;
  const bound = Math.max(previous.size, head?.size ?? 0);
  const rebuilt = await rebuildTree(tx, { tenantId, actor, now, epoch, bound });
  const { size } = rebuilt.frontier;
  await sql`DELETE FROM audit_nodes WHERE tenant_id = ${tenantId} AND (index + 1) << level::integer > ${size}::bigint`.execute(
    tx,
  );
  await tx
    .updateTable('audit_heads')
    .set({
      ...encodeHead(headKey, tenantId, rebuilt.frontier),
      updated_at: now,
      stopped_epoch: sql<number | null>`CASE WHEN stopped_epoch >= ${epoch}::integer THEN stopped_epoch END`,
    })
    .where('tenant_id', '=', tenantId)
    .execute();
  await tx.insertInto('audit_epochs').values({ tenant_id: tenantId, epoch, first_index: size }).execute();
  await reopenIntents(tx, tenantId);
  const opening: NewAuditEvent = {
    ...{ id: createId('auditEvent', now.getTime()), occurredAt: now.toISOString(), actor },
    ...{ phase: 'SINGLE', outcome: 'SUCCEEDED', action: 'audit.accept-restore' },
    restore: {
      ...{ opens: epoch, epoch: previous.epoch, size: previous.size },
      ...{ root: encodeBase64Url(previous.root), reason },
    },
  };
  await appendAuditEvents(tx, { tenantId, headKey, events: [opening] });
  return { epoch, size: size + 1, lost: rebuilt.lost, previous };
}

/** Locks the head, made anew where it is missing; the tree that it vouches for, `null` where it does not hold. */
async function lockHead(tx: Tx, { tenantId, headKey }: AuditLogKey): Promise<TreeHead | null> {
  const lock = () =>
    sql<StoredHead>`SELECT ${HEAD_SIZE} AS size, h.frontier, h.root, h.mac FROM audit_heads h
      WHERE h.tenant_id = ${tenantId} FOR UPDATE`.execute(tx);
  const [head] = (await lock()).rows;
  if (head === undefined) {
    await createAuditHead(tx, { tenantId, headKey });
    await lock();
    return null;
  }
  try {
    openHead(headKey, tenantId, head);
  } catch {
    return null;
  }
  return { epoch: await readEpoch(tx, tenantId), size: head.size, root: Uint8Array.from(head.root) };
}

/** Open are the intents that are in the log and have no outcome there, and no others. */
async function reopenIntents(tx: Tx, tenantId: string): Promise<void> {
  await sql`DELETE FROM open_intents o WHERE o.tenant_id = ${tenantId} AND NOT EXISTS (
    SELECT 1 FROM audit_events e WHERE e.tenant_id = o.tenant_id AND e.id = o.intent_id)`.execute(tx);
  await sql`INSERT INTO open_intents (intent_id, tenant_id, opened_at)
    SELECT i.id, i.tenant_id, i.occurred_at FROM audit_events i
    WHERE i.tenant_id = ${tenantId} AND i.phase = 'INTENT' AND NOT EXISTS (
      SELECT 1 FROM audit_events o WHERE o.tenant_id = i.tenant_id AND o.intent_id = i.id)
    ON CONFLICT DO NOTHING`.execute(tx);
}
