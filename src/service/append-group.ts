import { appendAuditEvents, listOpenIntents, type NewAuditEvent } from '../audit/index.ts';
import { isSealdeskError } from '../base/index.ts';
import type { Store, Tx } from '../store/index.ts';
import type { TenantKeys } from '../vault/index.ts';
import { auditUnavailable } from './record-event.ts';

/** How often a group is written anew because an intent of it was closed meanwhile. */
const MAX_ATTEMPTS = 3;

/**
 * Appends `events` in one transaction, all or none, if `condition` holds in it. They may still be in the
 * making when it begins: it reaches the log only with them, and is given up if they fail. An outcome whose intent
 * the sweeper has closed meanwhile is written as a SINGLE event whose parent is the intent: that one was
 * closed as UNKNOWN stays, and what became of it after all is in the log.
 *
 * Rejects with AUDIT_UNAVAILABLE, with what the condition throws, or as `events` does; nothing is
 * written then.
 */
export async function appendGroup(
  store: Store,
  keys: TenantKeys,
  events: Promise<readonly NewAuditEvent[]>,
  condition: (tx: Tx) => Promise<void> = async () => undefined,
): Promise<void> {
  const { tenantId } = keys;
  for (let attempt = 1; ; attempt += 1) {
    let headKey: Uint8Array | undefined;
    let refusal: unknown;
    try {
      const key = keys.auditHeadKey();
      headKey = key;
      return await store.withTenant(tenantId, async (tx) => {
        await condition(tx).catch((error: unknown) => {
          if (isSealdeskError(error)) refusal = error;
          throw error;
        });
        const made = await events;
        const group = attempt === 1 ? made : await withoutClosedIntents(tx, tenantId, made);
        await appendAuditEvents(tx, { tenantId, headKey: key, events: group });
      });
    } catch (error) {
      if (refusal !== undefined && error === refusal) throw error;
      await events;
      if (isSealdeskError(error, 'CONFLICT') && attempt < MAX_ATTEMPTS) continue;
      throw isSealdeskError(error, 'AUDIT_UNAVAILABLE') ? error : auditUnavailable(error);
    } finally {
      headKey?.fill(0);
    }
  }
}

async function withoutClosedIntents(
  tx: Tx,
  tenantId: string,
  events: readonly NewAuditEvent[],
): Promise<readonly NewAuditEvent[]> {
  const intentIds = events.flatMap((event) => (event.phase === 'OUTCOME' ? [event.intentId] : []));
  const open = await listOpenIntents(tx, tenantId, intentIds);
  return events.map((event) => {
    if (event.phase !== 'OUTCOME' || open.has(event.intentId)) return event;
    const { intentId, ...members } = event;
    return { ...members, phase: 'SINGLE', parentId: intentId };
  });
}
