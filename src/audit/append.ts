/**
 * Writing the log. Every append locks the tenant's head, so that events get gapless indexes in the
 * order of their transactions' commits, and costs two statements whatever the number of events:
 * one locks and reads the head, one checks the newest row and writes events, intents and head.
 *
 * An intent is open from its INTENT event to its one OUTCOME event; `open_intents` lists the open
 * ones. It trusts the head key; it does not promise to notice a log set back as a whole.
 */
import { sql } from 'kysely';
import { isId, SealdeskError } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { appendLeafHashes } from '../tlog/index.ts';
import { type AuditEvent, assertNewAuditEvent, type NewAuditEvent } from './audit-event.ts';
import { auditBroken, encodeEmptyHead, encodeHead, merkle, openHead, type StoredHead } from './audit-head.ts';
import { type EventRow, encodeEventRow } from './event-row.ts';

/** At most this many events are appended by one call. */
export const MAX_AUDIT_GROUP = 256;

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
 * transaction must then be given up. TypeError for an event that the schema refuses.
 */
export async function appendAuditEvents(tx: Tx, append: AuditAppend): Promise<readonly AuditEvent[]> {
  const { tenantId, headKey } = append;
  assertTenantId(tenantId);
  if (append.events.length < 1 || append.events.length > MAX_AUDIT_GROUP) {
    throw new RangeError(`"events" must hold 1 to ${MAX_AUDIT_GROUP} events, got ${append.events.length}`);
  }
  const checked = append.events.map(assertNewAuditEvent);
  const frontier = openHead(headKey, tenantId, await lockHead(tx, tenantId));
  const events = checked.map(
    (event, offset): AuditEvent => ({ ...event, tenantId, index: frontier.size + offset }),
  );
  const rows = events.map(encodeEventRow);
  const hashes = rows.map((row) => row.leaf_hash);
  const head = encodeHead(headKey, tenantId, appendLeafHashes(merkle, frontier, hashes));
  await writeGroup(tx, tenantId, rows, head);
  return events;
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
  if ((head.newest ?? -1) !== head.size - 1)
    throw auditBroken('The audit log does not end where its head says.');
  return { size: head.size, root: head.root };
}

async function lockHead(tx: Tx, tenantId: string): Promise<StoredHead> {
  const head = await tx
    .selectFrom('audit_heads')
    .select(['size', 'frontier', 'root', 'mac'])
    .where('tenant_id', '=', tenantId)
    .forUpdate()
    .executeTakeFirst();
  if (head === undefined) throw auditBroken('The audit log has no head.');
  return head;
}

/**
 * The newest row is looked at here and not beside the lock: a statement that waited for the lock
 * sees the newest head but, under READ COMMITTED, the other tables as they were before it waited.
 */
async function writeGroup(
  tx: Tx,
  tenantId: string,
  rows: readonly EventRow[],
  head: StoredHead,
): Promise<void> {
  const first = rows[0]?.index ?? 0;
  const closedIds = rows.flatMap((row) => (row.intent_id === null ? [] : [row.intent_id]));
  const closing = [...new Set(closedIds)];
  if (closing.length !== closedIds.length) throw notOpen();
  const { rows: verdicts } = await sql<{ newest: number | null; closable: number }>`
    WITH events (tenant_id, index, id, leaf, leaf_hash, occurred_at, actor_id, phase,
      intent_id, action, outcome, integration_id, operation) AS (
      VALUES ${sql.join(rows.map(valuesOf))}
    ), state AS (
      SELECT (SELECT max(index) FROM audit_events WHERE tenant_id = ${tenantId}) AS newest,
        (SELECT count(*) FROM open_intents
          WHERE tenant_id = ${tenantId} AND intent_id = ANY(${closing}::text[])) AS closable
    ), go AS (
      SELECT 1 FROM state WHERE coalesce(newest, -1) = ${first - 1}::bigint AND closable = ${closing.length}::bigint
    ), written AS (
      INSERT INTO audit_events (tenant_id, index, id, leaf, leaf_hash, occurred_at, actor_id, phase,
        intent_id, action, outcome, integration_id, operation)
      SELECT events.* FROM events, go
    ), opened AS (
      INSERT INTO open_intents (intent_id, tenant_id, opened_at)
      SELECT id, tenant_id, occurred_at FROM events, go WHERE phase = 'INTENT'
    ), closed AS (
      DELETE FROM open_intents USING go WHERE tenant_id = ${tenantId} AND intent_id = ANY(${closing}::text[])
    ), moved AS (
      UPDATE audit_heads SET size = ${head.size}, frontier = ${head.frontier}, root = ${head.root},
        mac = ${head.mac}, updated_at = now()
      FROM go WHERE tenant_id = ${tenantId}
    )
    SELECT newest, closable FROM state`.execute(tx);
  const [verdict] = verdicts;
  if ((verdict?.newest ?? -1) !== first - 1)
    throw auditBroken('The audit log does not end where its head says.');
  if (verdict?.closable !== closing.length) throw notOpen();
}

/** The casts tell the database the types of all rows; it takes them from the VALUES list, not from the table. */
function valuesOf(row: EventRow) {
  return sql`(${row.tenant_id}::text, ${row.index}::bigint, ${row.id}::text, ${row.leaf}::bytea,
    ${row.leaf_hash}::bytea, ${row.occurred_at}::timestamptz, ${row.actor_id}::text, ${row.phase}::text,
    ${row.intent_id}::text, ${row.action}::text, ${row.outcome}::text, ${row.integration_id}::text,
    ${row.operation}::text)`;
}

function notOpen(): SealdeskError {
  return new SealdeskError('CONFLICT', 'The intent has its outcome already, or was never opened.');
}

function assertTenantId(tenantId: string): void {
  if (!isId('tenant', tenantId)) throw new TypeError('"tenantId" must be a tenant id');
}
