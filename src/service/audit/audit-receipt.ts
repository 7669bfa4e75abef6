/**
 * Receipts: that a certain answer is in the log, for who it was sealed to. What is told here is verified
 * without the gateway (docs/audit.md).
 */
import { findClientKey, ofLineage } from '../../access/index.ts';
import { type AuditEvent, getAuditEvent } from '../../audit/index.ts';
import { isId } from '../../base/index.ts';
import { type AuthenticatedCall, assertAuthenticated, type Call } from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { notFound } from '../audited.ts';
import type { ServiceDeps } from '../service-deps.ts';
import type { AuditEventView } from '../views.ts';
import { type InclusionProofView, inclusionOf } from './audit-proofs.ts';
import { verifierKeysOf } from './verifier-keys.ts';

export interface AuditReceiptView {
  /** Its leaf names the envelopes that left. */
  readonly event: AuditEventView;
  /** Always with a checkpoint. */
  readonly proof: InclusionProofView;
  /** What the signatures of the checkpoint are verified with, in the text form of notes. */
  readonly verifierKeys: readonly string[];
}

/**
 * The receipt of what an event records. For AUDITOR, and for the client key, or a successor of it, that an
 * envelope of the event was sealed to: that is the key that the API key is bound to, or that this answer is
 * sealed to; where that key is restricted, only if every envelope of the event was sealed to its lineage, since
 * the leaf names the other clients. Rejects with NOT_FOUND for all others.
 */
export async function getAuditReceipt(
  deps: ServiceDeps,
  call: Call,
  auditEventId: string,
): Promise<AuditReceiptView> {
  assertAuthenticated(call);
  const { tenantId } = call.caller;
  const event = await deps.store.withTenant(tenantId, async (tx) => {
    const found = isId('auditEvent', auditEventId) ? await getAuditEvent(tx, tenantId, auditEventId) : null;
    if (found === null || call.caller.roles.includes('AUDITOR')) return found;
    const ownKeyId = ownKeyOf(call);
    return ownKeyId !== null && (await isTold(tx, found, ownKeyId, deps.clock.now())) ? found : null;
  });
  if (event === null) throw notFound('audit event');
  const proof = await inclusionOf(deps, tenantId, event.index, null);
  const verifierKeys = await verifierKeysOf(deps, tenantId, proof.checkpoint?.epoch ?? 1);
  return { event, proof, verifierKeys };
}

/** Whether the event may be told of to the holder of the client key `ownKeyId`. */
async function isTold(tx: Tx, event: AuditEvent, ownKeyId: string, now: number): Promise<boolean> {
  const { tenantId, envelopes = [] } = event;
  const keyIds = envelopes.map(({ keyId }) => keyId);
  const own = await ofLineage(tx, tenantId, ownKeyId, keyIds);
  if (own.size === 0) return false;
  if (keyIds.every((id) => own.has(id))) return true;
  const key = await findClientKey(tx, tenantId, ownKeyId, now);
  return key !== null && key.restriction === null;
}

/** Whoever names a key proves nothing by that; but what is sealed to it nobody else can read. */
function ownKeyOf({
  caller,
  recipientKeyId,
  acceptsSealedErrors: isSealed,
}: AuthenticatedCall): string | null {
  return caller.clientKeyId ?? (isSealed ? recipientKeyId : null);
}
