/**
 * Appending to the log within a transaction of the caller's: what the entry tells of and the entry are
 * committed together or not at all. It locks the tenant's head until then, so that events get gapless indexes in
 * the order of commits, and costs two statements whatever the number of events: one locks and reads the head,
 * one checks the newest row and writes events, nodes, intents and head. What has no transaction to be part of
 * is recorded by record.ts.
 *
 * An intent is open from its INTENT event to its one OUTCOME event; `open_intents` lists the open
 * ones. It trusts the head key; it does not promise to notice a log set back as a whole.
 */
import { sql } from 'kysely';
import { runSteps, type Tx } from '../store/index.ts';
import type { AuditEvent, NewAuditEvent } from './audit-event.ts';
import { auditBroken, encodeEmptyHead, openHead, type StoredHead } from './audit-head.ts';
import { lockHead } from './locked-head.ts';
import { placeGroup } from './placed-group.ts';
import { assertTenantId, makeGroupReady } from './ready-event.ts';
import { intentNotOpen, logEndsElsewhere, writeGroup } from './write-group.ts';

export interface AuditLogKey {
  readonly tenantId: string;
  /** The secret of the head's MAC, at least 32 bytes; the same for the life of the log. */
  readonly headKey: Uint8Array;
}

export interface AuditAppend extends AuditLogKey {
  readonly events: readonly NewAuditEvent[];
}

/** Begins a tenant's log, once, in the transaction that creates the tenant (outside the tenant's role). */
export async function createAuditHead(tx: Tx, { tenantId, headKey }: AuditLogKey): Promise<void> {
  assertTenantId(tenantId);
  const head = encodeEmptyHead(headKey, tenantId);
  await tx
    .insertInto('audit_heads')
    .values({ tenant_id: tenantId, ...head, updated_at: sql<Date>`now()` })
    .execute();
}

/**
 * Appends `events` as one group and returns them with their indexes. An OUTCOME closes the intent that
 * an earlier call opened.
 *
 * Throws CONFLICT where an OUTCOME's intent is not open (never opened, or closed before), and
 * AUDIT_UNAVAILABLE where the head is missing or does not hold, or events are missing at the end; the
 * transaction must then be given up. TypeError for an event that the log does not take.
 */
export async function appendAuditEvents(
  tx: Tx,
  { tenantId, headKey, events }: AuditAppend,
): Promise<readonly AuditEvent[]> {
  const ready = makeGroupReady(tenantId, events);
  const group = placeGroup(headKey, tenantId, await lockHead(tx, tenantId, headKey), ready);
  if (new Set(group.closing).size !== group.closing.length) throw intentNotOpen();
  // The newest row is looked at here and not beside the lock: a statement that waited for the lock sees the
  // newest head but, under READ COMMITTED, the other tables as they were before it waited.
  const { kind } = await writeGroup((steps) => runSteps(tx, steps), group);
  if (kind === 'INTENTS_CLOSED') throw intentNotOpen();
  if (kind === 'HEAD_MOVED') throw logEndsElsewhere();
  return group.events;
}

/** The size and root that the head vouches for, after the same checks as before an append, without writing. */
export async function readAuditHead(
  tx: Tx,
  { tenantId, headKey }: AuditLogKey,
): Promise<{ readonly size: number; readonly root: Uint8Array }> {
  assertTenantId(tenantId);
  const { rows } = await sql<StoredHead & { newest: number | null }>`
    SELECT size, frontier, root, mac,
      (SELECT max(index) FROM audit_events e WHERE e.tenant_id = h.tenant_id) AS newest
    FROM audit_heads h WHERE h.tenant_id = ${tenantId}`.execute(tx);
  const [head] = rows;
  if (head === undefined) throw auditBroken('The audit log has no head.');
  openHead(headKey, tenantId, head);
  if ((head.newest ?? -1) !== head.size - 1) throw logEndsElsewhere();
  return { size: head.size, root: head.root };
}
