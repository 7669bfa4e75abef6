import { z } from 'zod';
import { equalBytes, parseUtf8 } from '../base/index.ts';
import { AUDIT_PHASES, type AuditEvent, parseLeaf } from './audit-event.ts';
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
  readonly resource: string | null;
  readonly request_id: string | null;
  readonly denial_reason: string | null;
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

/** What of an event its columns repeat. */
const ToldEvent = z.object({
  id: z.string(),
  index: z.int(),
  tenantId: z.string(),
  occurredAt: z.string(),
  actor: z.object({ id: z.string() }),
  phase: z.enum(AUDIT_PHASES),
  intentId: z.string().optional(),
  action: z.string(),
  outcome: z.string().optional(),
  integrationId: z.string().optional(),
  operation: z.string().optional(),
  resource: z.string().optional(),
  requestId: z.string().optional(),
  denialReason: z.string().optional(),
});
type ToldEvent = z.infer<typeof ToldEvent>;

/**
 * Whether a row is as it was written: `MISPLACED` where its leaf tells of another index. Other than
 * {@link parseEventRow} it takes members that only a newer version of this program knows: beside that one, this
 * one must not take the log for altered.
 */
export function judgeEventRow(row: EventRow): 'HOLDS' | 'ALTERED' | 'MISPLACED' {
  const told = parseToldEvent(row.leaf);
  if (told === null) return 'ALTERED';
  const holds = equalBytes(merkle.hashLeaf(row.leaf), row.leaf_hash) && agrees(row, columnsOf(told));
  if (holds) return 'HOLDS';
  return told.index === row.index ? 'ALTERED' : 'MISPLACED';
}

function parseToldEvent(leaf: Uint8Array): ToldEvent | null {
  const text = parseUtf8(leaf);
  if (text === null) return null;
  try {
    return ToldEvent.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

type Columns = Omit<EventRow, 'leaf' | 'leaf_hash'>;

function columnsOf(event: ToldEvent): Columns {
  return {
    tenant_id: event.tenantId,
    index: event.index,
    id: event.id,
    occurred_at: new Date(event.occurredAt),
    actor_id: event.actor.id,
    phase: event.phase,
    intent_id: event.intentId ?? null,
    action: event.action,
    outcome: event.outcome ?? null,
    integration_id: event.integrationId ?? null,
    operation: event.operation ?? null,
    resource: event.resource ?? null,
    request_id: event.requestId ?? null,
    denial_reason: event.denialReason ?? null,
  };
}

function agrees(row: EventRow, columns: Columns): boolean {
  return (Object.keys(columns) as (keyof Columns)[]).every((name) =>
    name === 'occurred_at' ? row[name].getTime() === columns[name].getTime() : row[name] === columns[name],
  );
}
