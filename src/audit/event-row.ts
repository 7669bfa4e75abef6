import { type Bytes, equalBytes } from '../base/index.ts';
import { type AuditEvent, encodeLeaf, parseLeaf } from './audit-event.ts';
import { auditBroken, merkle } from './audit-head.ts';

/** A row of `audit_events`: the leaf, its hash, and the columns that filters need. */
export interface EventRow {
  readonly tenant_id: string;
  readonly index: number;
  readonly id: string;
  readonly leaf: Uint8Array;
  readonly leaf_hash: Uint8Array;
  readonly occurred_at: Date;
  readonly actor_id: string;
  readonly phase: AuditEvent['phase'];
  readonly intent_id: string | null;
  readonly action: string;
  readonly outcome: string | null;
  readonly integration_id: string | null;
  readonly operation: string | null;
}

/** The row of an event. `leaf_hash` is bytes of its own, fit for the tree. */
export function encodeEventRow(event: AuditEvent): EventRow & { readonly leaf_hash: Bytes } {
  const leaf = encodeLeaf(event);
  return { ...columnsOf(event), leaf, leaf_hash: merkle.hashLeaf(leaf) };
}

/**
 * The event of a stored row. Throws AUDIT_UNAVAILABLE where the hash is not the leaf's, the leaf is
 * not an event, or a column says something else than the leaf.
 */
export function parseEventRow(row: EventRow): AuditEvent {
  const event = equalBytes(merkle.hashLeaf(row.leaf), row.leaf_hash) ? parseLeaf(row.leaf) : null;
  if (event === null || !agrees(row, columnsOf(event))) {
    throw auditBroken(`The audit event at index ${row.index} is not as it was written.`);
  }
  return event;
}

type Columns = Omit<EventRow, 'leaf' | 'leaf_hash'>;

function columnsOf(event: AuditEvent): Columns {
  return {
    tenant_id: event.tenantId,
    index: event.index,
    id: event.id,
    occurred_at: new Date(event.occurredAt),
    actor_id: event.actor.id,
    phase: event.phase,
    intent_id: event.phase === 'OUTCOME' ? event.intentId : null,
    action: event.action,
    outcome: event.phase === 'INTENT' ? null : event.outcome,
    integration_id: event.integrationId ?? null,
    operation: event.operation ?? null,
  };
}

function agrees(row: EventRow, columns: Columns): boolean {
  return (Object.keys(columns) as (keyof Columns)[]).every((name) =>
    name === 'occurred_at' ? row[name].getTime() === columns[name].getTime() : row[name] === columns[name],
  );
}
