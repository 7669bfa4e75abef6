/** What became of a change: read from its INTENT and OUTCOME events, never from `open_intents` alone. */
import type { Tx } from '../store/index.ts';
import type { AuditEvent, AuditOutcome } from './audit-event.ts';
import { parseEventRow } from './event-row.ts';

/** After this an intent without an outcome is stale: its process died or lost the database. */
export const STALE_INTENT_AGE_MS = 300_000;
const MAX_STALE_INTENTS = 1_000;

/** PENDING: no outcome yet. FAILED: nothing was changed, whether refused or rejected. */
export type OperationState = 'PENDING' | 'APPLIED' | 'FAILED' | 'UNKNOWN';

export interface OperationStatus {
  readonly intentId: string;
  readonly state: OperationState;
  readonly intent: AuditEvent;
  /** The event that closed the intent, `null` while it is PENDING. */
  readonly outcome: Extract<AuditEvent, { phase: 'OUTCOME' }> | null;
}

export interface StaleIntent {
  readonly tenantId: string;
  readonly intentId: string;
  readonly openedAt: Date;
}

/** What became of the change that `intentId` announced, or `null` where the tenant has no such intent. */
export async function readOperationStatus(
  tx: Tx,
  tenantId: string,
  intentId: string,
): Promise<OperationStatus | null> {
  const rows = await tx
    .selectFrom('audit_events')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where((row) => row.or([row('id', '=', intentId), row('intent_id', '=', intentId)]))
    .orderBy('index')
    .execute();
  const events = rows.map(parseEventRow);
  const intent = events.find((event) => event.id === intentId && event.phase === 'INTENT');
  if (intent === undefined) return null;
  const outcome = events.find((event) => event.phase === 'OUTCOME') ?? null;
  return { intentId, state: outcome === null ? 'PENDING' : stateOf(outcome.outcome), intent, outcome };
}

/** Intents of every tenant opened before `now` − `ageMs` and still open, oldest first, for the sweeper to close as UNKNOWN. */
export async function listStaleIntents(
  tx: Tx,
  options: { readonly now: number; readonly ageMs?: number; readonly limit?: number },
): Promise<readonly StaleIntent[]> {
  const { now, ageMs = STALE_INTENT_AGE_MS, limit = MAX_STALE_INTENTS } = options;
  const rows = await tx
    .selectFrom('open_intents')
    .selectAll()
    .where('opened_at', '<', new Date(now - ageMs))
    .orderBy('opened_at')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ tenantId: row.tenant_id, intentId: row.intent_id, openedAt: row.opened_at }));
}

/** Of `intentIds` of a tenant, those that no outcome has closed. */
export async function listOpenIntents(
  tx: Tx,
  tenantId: string,
  intentIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (intentIds.length === 0) return new Set();
  const rows = await tx
    .selectFrom('open_intents')
    .select('intent_id')
    .where('tenant_id', '=', tenantId)
    .where('intent_id', 'in', intentIds)
    .execute();
  return new Set(rows.map((row) => row.intent_id));
}

function stateOf(outcome: AuditOutcome): OperationState {
  switch (outcome) {
    case 'SUCCEEDED':
    case 'APPLIED':
      return 'APPLIED';
    case 'DENIED':
    case 'FAILED':
      return 'FAILED';
    case 'UNKNOWN':
      return 'UNKNOWN';
    default:
      return outcome satisfies never;
  }
}
