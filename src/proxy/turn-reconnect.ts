/** Turning integrations NEEDS_RECONNECT, together with the event of the audit log that tells of it. */
import { appendAuditEvents, type NewAuditEvent } from '../audit/index.ts';
import { type Clock, createId, type Log, type SealdeskError } from '../base/index.ts';
import type { Store, Tx } from '../store/index.ts';
import type { Keyring } from '../vault/index.ts';
import { needsReconnect } from './needs-reconnect.ts';
import { markReconnect, type Refusal, readReconnect } from './reconnect.ts';

export interface TurnReconnectDeps {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Turns the integrations of a refused credential, if what was refused is what would be sent again, and records each
 * that was ACTIVE once. Returns what its callers get; `null` where there is something newer to try. `also` is done in
 * the same transaction. Rejects with KMS_UNAVAILABLE or AUDIT_UNAVAILABLE, and nothing is turned then.
 */
export async function turnReconnect(
  { store, keyring, clock, log }: TurnReconnectDeps,
  refusal: Omit<Refusal, 'now'>,
  also?: (tx: Tx) => Promise<unknown>,
): Promise<SealdeskError | null> {
  const { tenantId, credentialId, reason } = refusal;
  const headKey = (await keyring.keysOf(tenantId)).auditHeadKey();
  try {
    const now = clock.now();
    const { turned, found } = await store.withTenant(tenantId, async (tx) => {
      const ids = await markReconnect(tx, { ...refusal, now: new Date(now) });
      await also?.(tx);
      if (ids === null) return { turned: [], found: null };
      const events = ids.map((id) => eventOf(id, refusal, now));
      if (events.length > 0) await appendAuditEvents(tx, { tenantId, headKey, events });
      return { turned: ids, found: await readReconnect(tx, refusal) };
    });
    for (const integrationId of turned) {
      log.warn('Zendesk does not accept the credential of an integration any more', {
        tenantId,
        integrationId,
        credentialId,
        reason,
      });
    }
    return found === null ? null : needsReconnect(found.integrationId, found.reason);
  } finally {
    headKey.fill(0);
  }
}

function eventOf(
  integrationId: string,
  { credentialId, reason }: Pick<Refusal, 'credentialId' | 'reason'>,
  now: number,
): NewAuditEvent {
  return {
    id: createId('auditEvent', now),
    occurredAt: new Date(now).toISOString(),
    actor: { type: 'SYSTEM', id: 'zendesk-connection' },
    phase: 'SINGLE',
    outcome: 'FAILED',
    action: 'integration.lose-connection',
    denialReason: reason,
    integrationId,
    resource: credentialId,
  };
}
