/** Between the stored checkpoints and the anchor: writing them there in order, and asking it what it remembers. */
import {
  AnchorError,
  type AuditAnchor,
  AuditFault,
  type CheckpointPlace,
  listCheckpointsAfter,
  type TreeHead,
} from '../../audit/index.ts';
import { equalBytes } from '../../base/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { openCheckpoint } from './checkpoint-note.ts';

/** Written to the anchor in one visit at most; the rest waits in the database. */
const MAX_WRITTEN = 32;

interface Anchoring {
  readonly store: ServiceDeps['store'];
  readonly anchor: AuditAnchor;
  readonly keys: TenantKeys;
  readonly signal: AbortSignal;
}

export interface AnchoredNews {
  /** `null` where the anchor has none. */
  readonly newest: TreeHead | null;
  /** Things that claimed to be newer, or stood in such a place, and are no checkpoints that this log signed. */
  readonly passedOver: number;
}

/**
 * The newest checkpoint that the anchor has at `from` or after it, its signatures verified. Rejects with
 * {@link AnchorError} where the anchor cannot be read.
 */
export async function readAnchored(
  { anchor, keys, signal }: Omit<Anchoring, 'store'>,
  from: CheckpointPlace,
): Promise<AnchoredNews> {
  const signer = keys.checkpointSigner();
  let passedOver = 0;
  for await (const note of anchor.listNewest(keys.tenantId, from, { signal })) {
    const newest = note === null ? null : await openCheckpoint(signer, keys.tenantId, note);
    if (newest !== null) return { newest, passedOver };
    passedOver += 1;
  }
  return { newest: null, passedOver };
}

/**
 * Writes the stored checkpoints after `from` to the anchor, in order, telling each that is there. Where the anchor
 * keeps something else in the place of one, that one is passed over for those after it: `isThere` is false for it
 * then. Rejects with {@link AnchorError} in the end where one was passed over, at once where one cannot be written,
 * and with {@link AuditFault} where the anchor has another tree of the same epoch and size, signed.
 */
export async function writeAnchored(
  { store, anchor, keys, signal }: Anchoring,
  from: CheckpointPlace,
  onReached: (checkpoint: TreeHead, isThere: boolean) => void,
): Promise<void> {
  const { tenantId } = keys;
  const waiting = await store.withTenant(tenantId, (tx) =>
    listCheckpointsAfter(tx, tenantId, from, MAX_WRITTEN),
  );
  let passedOver = 0;
  for (const [at, checkpoint] of waiting.entries()) {
    const kept = await anchor.write(tenantId, checkpoint, { signal });
    const isThere = kept === null || (await vouchesFor(keys, kept, checkpoint));
    if (!isThere) passedOver += 1;
    // The newest is tried again until there is one after it.
    if (isThere || at + 1 < waiting.length || waiting.length === MAX_WRITTEN) onReached(checkpoint, isThere);
  }
  if (passedOver > 0) throw foreignNotes(passedOver);
}

/** Whether `note` is a signed one of `checkpoint`. Throws {@link AuditFault} where it is of another tree of its size. */
async function vouchesFor(keys: TenantKeys, note: string, checkpoint: TreeHead): Promise<boolean> {
  const opened = await openCheckpoint(keys.checkpointSigner(), keys.tenantId, note);
  if (opened?.epoch !== checkpoint.epoch || opened.size !== checkpoint.size) return false;
  if (!equalBytes(opened.root, checkpoint.root)) {
    throw new AuditFault('CHECKPOINT_CONTRADICTED', checkpoint.size);
  }
  return true;
}

/** What to tell where the anchor holds what this log did not put there. */
export function foreignNotes(count: number): AnchorError {
  return new AnchorError(
    `Of what the anchor holds for this log, ${count} cannot be read, do not bear the signatures of this log or stand in the place of another checkpoint.`,
  );
}
