import { listStaleIntents, recordAuditEvents } from '../audit/index.ts';
import { createId, isSealdeskError } from '../base/index.ts';
import type { ServiceDeps } from './service-deps.ts';

/**
 * Closes, as UNKNOWN, the intents whose process died before their outcome. Resolves to how many. Safe
 * from any number of processes: an intent has one outcome, and who comes second is told so.
 */
export async function sweepIntents({ store, keyring, clock, log }: ServiceDeps): Promise<number> {
  const stale = await store.withSystem('intent-sweep', (tx) => listStaleIntents(tx, { now: clock.now() }));
  let closed = 0;
  for (const { tenantId, intentId } of stale) {
    try {
      const keys = await keyring.keysOf(tenantId);
      await recordAuditEvents(store, {
        tenantId,
        headKey: keys.auditHeadKey(),
        events: [
          {
            id: createId('auditEvent', clock.now()),
            occurredAt: new Date(clock.now()).toISOString(),
            actor: { type: 'SYSTEM', id: 'intent-sweeper' },
            phase: 'OUTCOME',
            intentId,
            outcome: 'UNKNOWN',
            action: 'zendesk.call',
          },
        ],
      });
      closed += 1;
    } catch (error) {
      if (isSealdeskError(error, 'CONFLICT')) continue;
      log.warn('A stale intent could not be closed', {
        tenantId,
        intentId,
        error: error instanceof Error ? error : undefined,
      });
    }
  }
  return closed;
}
