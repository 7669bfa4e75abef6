/**
 * Alarms: what was found altered in a log. An alarm of the newest epoch stops every append in every
 * process: the database marks the head, which every append looks at. It is never taken back; an accepted restore opens
 * an epoch that it does not concern.
 */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import { currentEpoch, FIRST_EPOCH } from './epochs.ts';

/** What can be found, with what it means. */
export const AUDIT_ALARMS = Object.freeze({
  HEAD_ALTERED: 'the head is missing, or it is not as the gateway wrote it',
  EVENT_ALTERED: 'an event is not as it was written',
  EVENT_MISPLACED: 'an event stands in the place of another',
  EVENT_MISSING: 'an event is missing',
  EVENT_INSERTED: 'there are events that the gateway did not append',
  LOG_TRUNCATED: 'the newest events are missing',
  TREE_ALTERED: 'the events do not make the tree that was stored with them',
  CHECKPOINT_ALTERED: 'a stored checkpoint does not bear the signatures of this log',
  CHECKPOINT_CONTRADICTED: 'the log is not the one that a checkpoint was signed for',
  ROLLED_BACK: 'the log is smaller than a checkpoint says, as after the restore of a backup',
  EPOCH_CONTRADICTED:
    'the event that opened the epoch is not in the log, or does not end what was signed before',
} as const);
export type AuditAlarmKind = keyof typeof AUDIT_ALARMS;

/** The log was found altered. Whoever finds it raises the alarm. */
export class AuditFault extends Error {
  override readonly name = 'AuditFault';
  readonly kind: AuditAlarmKind;
  /** The first event concerned, `null` where none can be named. */
  readonly index: number | null;

  constructor(kind: AuditAlarmKind, index: number | null = null) {
    super(`${AUDIT_ALARMS[kind]}${index === null ? '' : ` (index ${index})`}`);
    this.kind = kind;
    this.index = index;
  }
}

export interface AuditAlarm {
  readonly tenantId: string;
  readonly epoch: number;
  readonly kind: string;
  readonly index: number | null;
  readonly raisedAt: Date;
}

/** Raises the alarm, unless it was raised before or the epoch is over; `false` then. */
export async function raiseAlarm(
  tx: Tx,
  { tenantId, epoch, kind, index }: Omit<AuditAlarm, 'raisedAt'>,
): Promise<boolean> {
  const { rows } = await sql`
    INSERT INTO audit_alarms (tenant_id, epoch, kind, index)
    SELECT ${tenantId}, ${epoch}::integer, ${kind}, ${index}::bigint WHERE ${epoch}::integer = ${currentEpoch(tenantId)}
    ON CONFLICT DO NOTHING RETURNING 1`.execute(tx);
  return rows.length === 1;
}

/** The alarms that stop logs now, at most `limit`: of the tenant that `tx` is bound to, else of all. */
export async function listAlarms(tx: Tx, limit = 1_000): Promise<readonly AuditAlarm[]> {
  const { rows } = await sql<AuditAlarm>`
    SELECT a.tenant_id AS "tenantId", a.epoch, a.kind, a.index, a.raised_at AS "raisedAt"
    FROM audit_alarms a
    WHERE a.epoch >= coalesce(
      (SELECT max(e.epoch) FROM audit_epochs e WHERE e.tenant_id = a.tenant_id), ${FIRST_EPOCH}::integer)
    ORDER BY a.tenant_id, a.raised_at LIMIT ${limit}`.execute(tx);
  return rows;
}

/** Whether the head of the log bears the mark that stops it. */
export async function isMarkedStopped(tx: Tx, tenantId: string): Promise<boolean> {
  const head = await tx
    .selectFrom('audit_heads')
    .select('stopped_epoch')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst();
  return head !== undefined && head.stopped_epoch !== null;
}

/**
 * Stops the logs again that have an alarm but are not stopped any more, and resolves to their tenants: somebody took the
 * mark away. For the system's transactions.
 */
export async function stopAgain(tx: Tx): Promise<readonly string[]> {
  // Locked by a statement of its own: one that waited for a restore would see the head of the new epoch beside the
  // epochs of before.
  const { rows: running } = await sql<{ tenant_id: string }>`
    SELECT h.tenant_id FROM audit_heads h
    WHERE h.stopped_epoch IS NULL AND EXISTS (SELECT 1 FROM audit_alarms a WHERE a.tenant_id = h.tenant_id)
    ORDER BY h.tenant_id FOR UPDATE`.execute(tx);
  if (running.length === 0) return [];
  const { rows } = await sql<{ tenant_id: string }>`
    UPDATE audit_heads h SET stopped_epoch = a.epoch
    FROM (SELECT tenant_id, max(epoch) AS epoch FROM audit_alarms GROUP BY tenant_id) a
    WHERE h.tenant_id = ANY(${running.map((row) => row.tenant_id)}::text[]) AND a.tenant_id = h.tenant_id
      AND a.epoch >= coalesce(
        (SELECT max(e.epoch) FROM audit_epochs e WHERE e.tenant_id = h.tenant_id), ${FIRST_EPOCH}::integer)
    RETURNING h.tenant_id`.execute(tx);
  return rows.map((row) => row.tenant_id);
}
