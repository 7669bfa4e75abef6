import {
  type Condition,
  listOpenIntents,
  type NewAuditEvent,
  recordAuditEvents,
  rememberRefusal,
} from '../audit/index.ts';
import { isSealdeskError } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import type { TenantKeys } from '../vault/index.ts';
import { auditUnavailable } from './record-event.ts';

/** How often a group is written anew because an intent of it was closed meanwhile. */
const MAX_ATTEMPTS = 3;

/**
 * Appends `events`, all or none, if `condition` holds in the transaction that does. They may still be in the making:
 * the condition is asked when they are made, and where they fail. An outcome whose intent the sweeper has closed
 * meanwhile is written as a SINGLE event whose parent is the intent: that one was closed as UNKNOWN stays, and what
 * became of it after all is in the log.
 *
 * Rejects with AUDIT_UNAVAILABLE, with what the condition throws, or as `events` does; nothing is
 * written then.
 */
export async function appendGroup(
  store: Store,
  keys: TenantKeys,
  events: Promise<readonly NewAuditEvent[]>,
  condition?: Condition,
): Promise<void> {
  const { tenantId } = keys;
  const remembered = rememberRefusal(condition);
  const made = await events.catch(async (failure: unknown) => {
    const { ask } = remembered;
    if (ask !== undefined) await store.withTenant(tenantId, ask).catch(() => undefined);
    throw remembered.refusal ?? failure;
  });
  for (let attempt = 1; ; attempt += 1) {
    let headKey: Uint8Array | undefined;
    try {
      headKey = keys.auditHeadKey();
      const group = attempt === 1 ? made : await withoutClosedIntents(store, tenantId, made);
      await recordAuditEvents(store, { tenantId, headKey, events: group, condition: remembered.ask });
      return;
    } catch (error) {
      if (remembered.isRefusal(error)) throw error;
      if (isSealdeskError(error, 'CONFLICT') && attempt < MAX_ATTEMPTS) continue;
      throw isSealdeskError(error, 'AUDIT_UNAVAILABLE') ? error : auditUnavailable(error);
    } finally {
      headKey?.fill(0);
    }
  }
}

async function withoutClosedIntents(
  store: Store,
  tenantId: string,
  events: readonly NewAuditEvent[],
): Promise<readonly NewAuditEvent[]> {
  const intentIds = events.flatMap((event) => (event.phase === 'OUTCOME' ? [event.intentId] : []));
  const open = await store.withTenant(tenantId, (tx) => listOpenIntents(tx, tenantId, intentIds));
  return events.map((event) => {
    if (event.phase !== 'OUTCOME' || open.has(event.intentId)) return event;
    const { intentId, ...members } = event;
    return { ...members, phase: 'SINGLE', parentId: intentId };
  });
}
