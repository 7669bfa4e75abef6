import type { Tx } from '../store/index.ts';
import { auditBroken, openHead, type StoredHead } from './audit-head.ts';
import type { OpenedHead } from './placed-group.ts';

/** Locks the head of a log until the transaction ends. Throws AUDIT_UNAVAILABLE where it is missing or does not hold. */
export async function lockHead(tx: Tx, tenantId: string, headKey: Uint8Array): Promise<OpenedHead> {
  const stored: StoredHead | undefined = await tx
    .selectFrom('audit_heads')
    .select(['size', 'frontier', 'root', 'mac'])
    .where('tenant_id', '=', tenantId)
    .forUpdate()
    .executeTakeFirst();
  if (stored === undefined) throw auditBroken('The audit log has no head.');
  return { stored, frontier: openHead(headKey, tenantId, stored) };
}
