/**
 * Proofs about the log for auditors: checkpoints, that an event is in it, that it only grew. Whoever has them
 * needs no gateway to verify them (docs/audit.md).
 */
import { z } from 'zod';
import { assertRole } from '../../access/index.ts';
import {
  type AuditEvent,
  encodeLeaf,
  readCheckpoint,
  readConsistencyProof,
  readInclusionProof,
  readLogSize,
  type StoredCheckpoint,
} from '../../audit/index.ts';
import { type Bytes, SealdeskError } from '../../base/index.ts';
import { assertAuthenticated, type Call } from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { notFound } from '../audited.ts';
import { invalidInput, parseInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { sealCheckpoint } from './seal-checkpoint.ts';

export type AuditCheckpointView = StoredCheckpoint;

export interface InclusionProofView {
  readonly index: number;
  readonly size: number;
  readonly hashes: readonly Bytes[];
  /** That of `size`, `null` where none was signed. */
  readonly checkpoint: AuditCheckpointView | null;
}

export interface ConsistencyProofView {
  readonly from: number;
  readonly to: number;
  readonly hashes: readonly Bytes[];
  /** That of `to`, `null` where none was signed. */
  readonly checkpoint: AuditCheckpointView | null;
}

/** What the tree of a log is asked for. */
export interface ConsistencyRequest {
  readonly from: number;
  /** The size of a checkpoint made now where left out. */
  readonly to?: number | null | undefined;
}

const sizeField = z.int().min(0, 'must not be negative');
const ConsistencyInput = z.object({ from: sizeField, to: sizeField.nullish() });

/** The checkpoint of `size`, or one of the log as it is now. For AUDITOR. Rejects with NOT_FOUND. */
export async function getAuditCheckpoint(
  deps: ServiceDeps,
  call: Call,
  size: number | null,
): Promise<AuditCheckpointView> {
  const tenantId = tenantOfAuditor(call);
  if (size === null) return checkpointNow(deps, tenantId);
  const wanted = parseInput(sizeField, size);
  const found = await deps.store.withTenant(tenantId, (tx) => readCheckpoint(tx, tenantId, { size: wanted }));
  if (found !== null) return found;
  throw new SealdeskError(
    'NOT_FOUND',
    'There is no checkpoint of this size. Leave size out to have the log signed as it is now.',
  );
}

/**
 * That the event at `index` is in the tree of `size`; of a checkpoint that covers it, made now where there is
 * none, where `size` is `null`. For AUDITOR.
 */
export async function proveInclusion(
  deps: ServiceDeps,
  call: Call,
  { index, size }: { readonly index: number; readonly size: number | null },
): Promise<InclusionProofView> {
  return inclusionOf(deps, tenantOfAuditor(call), index, size);
}

/** {@link proveInclusion} for who may have it. */
export async function inclusionOf(
  deps: ServiceDeps,
  tenantId: string,
  index: number,
  size: number | null,
): Promise<InclusionProofView> {
  const covering = size === null ? await checkpointOver(deps, tenantId, index) : null;
  const wanted = covering?.size ?? parseInput(sizeField, size);
  return deps.store.withTenant(tenantId, async (tx) => {
    await assertWithinLog(tx, tenantId, { path: 'size', value: wanted });
    if (wanted <= index) {
      throw invalidInput([{ path: 'size', message: `must be above ${index}, the index of the event` }]);
    }
    return {
      index,
      size: wanted,
      hashes: await readInclusionProof(tx, tenantId, { index, size: wanted }),
      checkpoint: covering ?? (await readCheckpoint(tx, tenantId, { size: wanted })),
    };
  });
}

/** That the log of `from` events is the beginning of that of `to`. For AUDITOR. */
export async function proveConsistency(
  deps: ServiceDeps,
  call: Call,
  request: ConsistencyRequest,
): Promise<ConsistencyProofView> {
  const tenantId = tenantOfAuditor(call);
  const { from, to } = parseInput(ConsistencyInput, request);
  const present = to == null ? await checkpointNow(deps, tenantId) : null;
  const end = present?.size ?? to ?? 0;
  return deps.store.withTenant(tenantId, async (tx) => {
    await assertWithinLog(tx, tenantId, { path: to == null ? 'from' : 'to', value: Math.max(from, end) });
    if (from > end) throw invalidInput([{ path: 'from', message: 'must not be above to' }]);
    return {
      from,
      to: end,
      hashes: await readConsistencyProof(tx, tenantId, { from, to: end }),
      checkpoint: present ?? (await readCheckpoint(tx, tenantId, { size: end })),
    };
  });
}

/** The bytes of an event that are hashed and proven. */
export function auditLeaf(event: AuditEvent): Bytes {
  return encodeLeaf(event);
}

/** A checkpoint of the log as it is now. */
export async function checkpointNow(deps: ServiceDeps, tenantId: string): Promise<StoredCheckpoint> {
  const made = await sealCheckpoint(deps, tenantId);
  if (made !== null) return made;
  throw notFound('checkpoint: the log has no event yet');
}

/** The newest checkpoint, or a newer one where that does not cover the event at `index`. */
async function checkpointOver(deps: ServiceDeps, tenantId: string, index: number): Promise<StoredCheckpoint> {
  const newest = await deps.store.withTenant(tenantId, (tx) =>
    readCheckpoint(tx, tenantId, { atLeast: index + 1 }),
  );
  return newest ?? checkpointNow(deps, tenantId);
}

/** Throws VALIDATION_FAILED for a tree that is larger than the log. */
export async function assertWithinLog(
  tx: Tx,
  tenantId: string,
  { path, value }: { readonly path: string; readonly value: number },
): Promise<void> {
  const size = await readLogSize(tx, tenantId);
  if (value <= size) return;
  throw invalidInput([{ path, message: `is beyond the log, which has ${size} events` }]);
}

function tenantOfAuditor(call: Call): string {
  assertAuthenticated(call);
  assertRole(call.caller, 'AUDITOR');
  return call.caller.tenantId;
}
