/** Reading the log: events come from their stored leaves, each checked against its hash and columns. */
import { type SqlBool, sql } from 'kysely';
import { encodeUtf8 } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import type { AuditActorType, AuditEvent, AuditOutcome } from './audit-event.ts';
import { parseEventRow } from './event-row.ts';

/** The largest page; one more may be asked for, to see whether another page follows. */
export const MAX_AUDIT_PAGE = 100;

export interface AuditFilter {
  /** Inclusive. */
  readonly from?: Date | undefined;
  /** Exclusive. */
  readonly to?: Date | undefined;
  readonly actorId?: string | undefined;
  readonly operation?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  readonly action?: string | undefined;
  readonly integrationId?: string | undefined;
  readonly phase?: AuditEvent['phase'] | undefined;
  readonly resource?: string | undefined;
  readonly requestId?: string | undefined;
  readonly denialReason?: string | undefined;
  readonly actorType?: AuditActorType | undefined;
  /** A client key that an envelope of the event was sealed to. */
  readonly keyId?: string | undefined;
}

export interface AuditPage {
  readonly filter?: AuditFilter | undefined;
  /** Only events with a greater index. */
  readonly after?: number | null | undefined;
  /** Only events with a smaller index. */
  readonly before?: number | null | undefined;
  /** Newest first, taking the end of what is left by the bounds; otherwise oldest first from its start. */
  readonly backwards?: boolean | undefined;
  /** 1 to {@link MAX_AUDIT_PAGE} + 1. */
  readonly limit: number;
}

/** The columns that a filter compares for equality. */
const EQUALITY_FILTERS = [
  ['actorId', 'actor_id'],
  ['operation', 'operation'],
  ['outcome', 'outcome'],
  ['action', 'action'],
  ['integrationId', 'integration_id'],
  ['phase', 'phase'],
  ['resource', 'resource'],
  ['requestId', 'request_id'],
  ['denialReason', 'denial_reason'],
] as const;

/** What a leaf contains where it has such a member: only `actor` has a type, only an envelope a key. No index helps. */
const LEAF_FILTERS = [
  ['actorType', (type: string) => `"type":"${type}"`],
  ['keyId', (id: string) => `"keyId":"${id}"`],
] as const;

/** A page of the log of `tenantId`. Throws AUDIT_UNAVAILABLE where a stored event is not as it was written. */
export async function listAuditEvents(
  tx: Tx,
  tenantId: string,
  page: AuditPage,
): Promise<readonly AuditEvent[]> {
  const { filter = {}, after, before, backwards = false, limit } = page;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_AUDIT_PAGE + 1) {
    throw new RangeError(`"limit" must be 1 to ${MAX_AUDIT_PAGE + 1}, got ${limit}`);
  }
  let query = tx.selectFrom('audit_events').selectAll().where('tenant_id', '=', tenantId);
  if (after != null) query = query.where('index', '>', after);
  if (before != null) query = query.where('index', '<', before);
  if (filter.from !== undefined) query = query.where('occurred_at', '>=', filter.from);
  if (filter.to !== undefined) query = query.where('occurred_at', '<', filter.to);
  for (const [name, column] of EQUALITY_FILTERS) {
    const wanted = filter[name];
    if (wanted !== undefined) query = query.where(column, '=', wanted);
  }
  for (const [name, textOf] of LEAF_FILTERS) {
    const wanted = filter[name];
    if (wanted === undefined) continue;
    query = query.where(sql<SqlBool>`position(${encodeUtf8(textOf(wanted))}::bytea in leaf) > 0`);
  }
  const rows = await query
    .orderBy('index', backwards ? 'desc' : 'asc')
    .limit(limit)
    .execute();
  return rows.map(parseEventRow);
}

/** The event `id` of `tenantId`, or `null`. Throws as {@link listAuditEvents} does. */
export async function getAuditEvent(tx: Tx, tenantId: string, id: string): Promise<AuditEvent | null> {
  const row = await tx
    .selectFrom('audit_events')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : parseEventRow(row);
}

/** The events of `ids` that are in the log of `tenantId`, by id. Throws as {@link listAuditEvents} does. */
export async function getAuditEvents(
  tx: Tx,
  tenantId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, AuditEvent>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .selectFrom('audit_events')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, parseEventRow(row)]));
}

/** What mapped, rotated or ended one of `keyIds`, or names it as predecessor, in order. Throws as {@link listAuditEvents} does. */
export async function listClientKeyEvents(
  tx: Tx,
  tenantId: string,
  keyIds: readonly string[],
): Promise<readonly AuditEvent[]> {
  if (keyIds.length === 0) return [];
  const rows = await tx
    .selectFrom('audit_events')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    // As the partial index has it.
    .where(sql<SqlBool>`action IN ('client-key.map', 'client-key.rotate', 'client-key.revoke')`)
    .where((row) =>
      row.or(keyIds.map((id) => sql<SqlBool>`position(${encodeUtf8(`"${id}"`)}::bytea in leaf) > 0`)),
    )
    .orderBy('index')
    .execute();
  return rows.map(parseEventRow);
}
