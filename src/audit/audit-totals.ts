import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import { FIRST_EPOCH } from './epochs.ts';

/** How the logs of all tenants stand together. */
export interface AuditTotals {
  /** Events that no checkpoint covers yet. */
  readonly unsignedEvents: number;
  /** Age of the oldest of them in seconds, 0 where there is none. */
  readonly unsignedAge: number;
  /** Logs whose newest checkpoints could not be written to the anchor. */
  readonly anchorFailing: number;
}

/** For the system's transactions. */
export async function readAuditTotals(tx: Tx): Promise<AuditTotals> {
  const { rows } = await sql<AuditTotals>`
    SELECT coalesce(sum(h.size - coalesce(c.size, 0)), 0)::float8 AS "unsignedEvents",
      greatest(coalesce(max(extract(epoch FROM clock_timestamp() - a.occurred_at)), 0), 0)::float8 AS "unsignedAge",
      count(w.anchor_failed_at)::float8 AS "anchorFailing"
    FROM audit_heads h
    LEFT JOIN audit_watches w ON w.tenant_id = h.tenant_id
    LEFT JOIN LATERAL (
      SELECT max(k.size) AS size FROM audit_checkpoints k
      WHERE k.tenant_id = h.tenant_id AND k.epoch = coalesce(
        (SELECT max(o.epoch) FROM audit_epochs o WHERE o.tenant_id = h.tenant_id), ${FIRST_EPOCH}::integer)
    ) c ON true
    LEFT JOIN audit_events a ON a.tenant_id = h.tenant_id AND a.index = coalesce(c.size, 0)`.execute(tx);
  return rows[0] ?? { unsignedEvents: 0, unsignedAge: 0, anchorFailing: 0 };
}
