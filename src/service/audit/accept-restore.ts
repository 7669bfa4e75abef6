import { z } from 'zod';
import {
  type AuditAnchor,
  AuditFault,
  FIRST_EPOCH,
  forgetAuditHead,
  isMarkedStopped,
  listAlarms,
  listNewestCheckpoints,
  type RestoredLog,
  restoreLog,
  type StoredCheckpoint,
  type TreeHead,
} from '../../audit/index.ts';
import { SealdeskError } from '../../base/index.ts';
import type { Store } from '../../store/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import { idField, parseInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { readAnchored } from './anchoring.ts';
import { openCheckpoint } from './checkpoint-note.ts';
import { inspectLog } from './inspect-log.ts';

const RestoreInput = z.strictObject({
  tenantId: idField('tenant'),
  reason: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be a short token such as backup-restored'),
});
/** Stored checkpoints that are read at once. */
const CHECKPOINTS_AT_ONCE = 64;
const ACTOR = { type: 'COMMAND_LINE', id: 'audit-accept-restore' } as const;

type RestoreDeps = Pick<ServiceDeps, 'store' | 'keyring' | 'clock'>;

/**
 * Goes on with a log that was found altered, or would be: opens an epoch over what is there, whose first event
 * names the epoch before. For whoever may run commands beside the database. The whole log is looked at first.
 *
 * Rejects with VALIDATION_FAILED for a reason that is no token, NOT_FOUND for an unknown tenant, CONFLICT where
 * the log holds and no alarm stands, KMS_UNAVAILABLE, and with `AnchorError` where the anchor cannot be read.
 */
export async function acceptRestore(
  deps: RestoreDeps,
  anchor: AuditAnchor,
  input: unknown,
): Promise<RestoredLog> {
  const { tenantId, reason } = parseInput(RestoreInput, input);
  const { store, keyring, clock } = deps;
  const keys = await keyring.keysOf(tenantId);
  const known = await newestVouched(deps, anchor, keys);
  if (!(await isStopped(deps, keys, known))) {
    throw new SealdeskError('CONFLICT', 'This audit log holds and has no alarm; there is nothing to accept.');
  }
  const headKey = (await keyring.keysOf(tenantId)).auditHeadKey();
  try {
    const restored = await store.withSystem('audit-restore', (tx) =>
      restoreLog(tx, { tenantId, headKey, known, reason, actor: ACTOR, now: new Date(clock.now()) }),
    );
    forgetAuditHead(store, tenantId);
    return restored;
  } finally {
    headKey.fill(0);
  }
}

/** Whether an alarm stands, stood and left its mark, or would be raised. */
async function isStopped(deps: RestoreDeps, keys: TenantKeys, known: TreeHead | null): Promise<boolean> {
  const isMarked = await deps.store.withTenant(
    keys.tenantId,
    async (tx) => (await listAlarms(tx, 1)).length > 0 || (await isMarkedStopped(tx, keys.tenantId)),
  );
  if (isMarked) return true;
  try {
    for (let from: number | null = 0; from !== null; ) {
      const live = await deps.keyring.keysOf(keys.tenantId);
      const { next } = await inspectLog(deps, live, { known, from, maxRuns: 64 });
      from = next === 0 ? null : next;
    }
    return false;
  } catch (error) {
    if (error instanceof AuditFault) return true;
    throw error;
  }
}

/**
 * The newest tree that the stored checkpoints or the anchor vouch for by the signatures of the log. Of what epoch the
 * log is now is not asked for that: whoever can write the database can open one.
 */
async function newestVouched(
  { store }: RestoreDeps,
  anchor: AuditAnchor,
  keys: TenantKeys,
): Promise<TreeHead | null> {
  const told = await newestSigned(store, keys);
  const { signal } = new AbortController();
  const { newest: anchored } = await readAnchored(
    { anchor, keys, signal },
    told ?? { epoch: FIRST_EPOCH, size: 0 },
  );
  return anchored ?? told;
}

/** The newest stored checkpoint that bears the signatures, in the row of its own epoch and size. */
async function newestSigned(store: Store, keys: TenantKeys): Promise<TreeHead | null> {
  const { tenantId } = keys;
  const signer = keys.checkpointSigner();
  for (let before: StoredCheckpoint | null = null; ; ) {
    const place = before;
    const stored: readonly StoredCheckpoint[] = await store.withTenant(tenantId, (tx) =>
      listNewestCheckpoints(tx, tenantId, { before: place, limit: CHECKPOINTS_AT_ONCE }),
    );
    for (const { note, epoch, size } of stored) {
      const told = await openCheckpoint(signer, tenantId, note);
      if (told?.epoch === epoch && told.size === size) return told;
    }
    before = stored.at(-1) ?? null;
    if (before === null) return null;
  }
}
