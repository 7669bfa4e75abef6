import { appendAuditEvents, type NewAuditEvent, recordAuditEvents } from '../audit/index.ts';
import { isSealdeskError, SealdeskError } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import type { ServiceDeps } from './service-deps.ts';

/** Appends one event in a transaction of its own. Rejects with KMS_UNAVAILABLE or AUDIT_UNAVAILABLE, nothing else. */
export async function recordEvent(
  { store, keyring }: Pick<ServiceDeps, 'store' | 'keyring'>,
  tenantId: string,
  event: NewAuditEvent,
): Promise<void> {
  const keys = await keyring.keysOf(tenantId);
  const headKey = keys.auditHeadKey();
  try {
    await recordAuditEvents(store, { tenantId, headKey, events: [event] });
  } catch (error) {
    throw isSealdeskError(error) ? error : auditUnavailable(error);
  } finally {
    headKey.fill(0);
  }
}

/** Appends events in `tx`, in order. Whatever keeps the log from being written is AUDIT_UNAVAILABLE to the caller. */
export async function appendEvents(
  tx: Tx,
  tenantId: string,
  headKey: Uint8Array,
  events: readonly NewAuditEvent[],
): Promise<void> {
  try {
    await appendAuditEvents(tx, { tenantId, headKey, events });
  } catch (error) {
    throw isSealdeskError(error) ? error : auditUnavailable(error);
  }
}

/** AUDIT_UNAVAILABLE because of `cause`. */
export function auditUnavailable(cause: unknown): SealdeskError {
  return new SealdeskError(
    'AUDIT_UNAVAILABLE',
    'The audit log could not be written, so there is no answer.',
    { cause },
  );
}
