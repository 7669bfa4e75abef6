import {
  insertCheckpoint,
  listAlarms,
  readCheckpoint,
  readLogState,
  type StoredCheckpoint,
} from '../../audit/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { signCheckpoint } from './checkpoint-note.ts';
import { alteredLog, guardLog } from './guard-log.ts';

/**
 * Signs the log as it is now and stores the checkpoint, unless the newest one covers it; answers the newest
 * one, `null` for an empty log. Safe from any number of processes at once: the tree is read, signed outside
 * of transactions, and stored under the lock of the head, if nobody has stored one as large meanwhile.
 *
 * Rejects with KMS_UNAVAILABLE, and with AUDIT_UNAVAILABLE where the log does not extend its newest checkpoint
 * or an alarm stands.
 */
export async function sealCheckpoint(
  deps: Pick<ServiceDeps, 'store' | 'keyring' | 'log'>,
  tenantId: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<StoredCheckpoint | null> {
  const { store, keyring } = deps;
  const keys = await keyring.keysOf(tenantId, options);
  const headKey = keys.auditHeadKey();
  const stored = await guardLog(deps, tenantId, async () => {
    const { state, newest } = await store.withTenant(tenantId, async (tx) => {
      const [alarm] = await listAlarms(tx, 1);
      if (alarm !== undefined) throw alteredLog(alarm.kind);
      return {
        state: await readLogState(tx, { tenantId, headKey }),
        newest: await readCheckpoint(tx, tenantId),
      };
    });
    if (state.size === 0) return { checkpoint: null };
    if (newest !== null && newest.epoch === state.epoch && newest.size >= state.size) {
      return { checkpoint: newest };
    }
    const note = await signCheckpoint(keys.checkpointSigner(), tenantId, state);
    const { epoch, size, root } = state;
    const checkpoint = await store.withTenant(tenantId, (tx) =>
      insertCheckpoint(tx, tenantId, { epoch, size, root, note }),
    );
    return checkpoint === null ? null : { checkpoint };
  }).finally(() => headKey.fill(0));
  // A restore was accepted in between: what was signed is of an epoch that is over.
  return stored === null ? sealCheckpoint(deps, tenantId, options) : stored.checkpoint;
}
