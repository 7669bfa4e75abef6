/** The lines of a bundle before its history: what was signed, by which keys, and what completes the events. */
import type { Bytes } from '../../base/index.ts';
import { parseOrigin } from '../origin.ts';
import type { TreeNode } from '../perfect-nodes.ts';
import { isComplement } from '../range.ts';
import { type NoteSuite, openCheckpoint, type SignedCheckpoint } from '../signed-checkpoint.ts';
import { type NoteVerifier, parseVerifierKey } from '../verifier-key.ts';
import { BUNDLE_LIMITS, type BundleHeader } from './bundle-line.ts';
import { BundleRefusal } from './bundle-verdict.ts';
import type { LineSource } from './line-source.ts';

/** A checkpoint whose signatures hold, with the epoch of its log. */
export interface EpochCheckpoint extends SignedCheckpoint {
  readonly tenantId: string;
  readonly epoch: number;
}

export interface BundleHead {
  readonly signed: EpochCheckpoint;
  /** The checkpoint of the size that the reader holds, where the log has one. */
  readonly earlier: EpochCheckpoint | null;
  /** From the size that the reader holds; `null` where none was named. */
  readonly consistency: readonly Bytes[] | null;
  /** What completes the events, as `rangeNodes` lists it. */
  readonly nodes: readonly TreeNode[];
}

export async function takeHeader(source: LineSource): Promise<BundleHeader> {
  return (await source.take('bundle')).header;
}

/** Reads and verifies what follows the header. Throws BundleRefusal where anything does not hold. */
export async function takeHead(
  suite: NoteSuite,
  source: LineSource,
  header: BundleHeader,
): Promise<BundleHead> {
  const keys = await takeKeys(suite, source, header);
  const signed = await takeCheckpoint(suite, source, keys, header.tenantId);
  if (signed.checkpoint.origin !== header.origin || signed.checkpoint.size !== header.size) {
    throw new BundleRefusal('OTHER_CHECKPOINT', { line: source.count });
  }
  const earlier = await takeEarlier(suite, source, keys, header, signed.epoch);
  const consistency = await takeConsistency(source, header);
  const { nodes } = await source.take('nodes');
  if (!isComplement(header, nodes)) throw new BundleRefusal('WRONG_NODES', { line: source.count });
  return { signed, earlier, consistency, nodes };
}

async function takeKeys(
  suite: NoteSuite,
  source: LineSource,
  { tenantId }: BundleHeader,
): Promise<readonly NoteVerifier[]> {
  const keys: NoteVerifier[] = [];
  let line = await source.take('log_key').then(({ verifierKey }) => verifierKey);
  for (;;) {
    const key = parseVerifierKey(suite.sha256, line);
    if (key === null || parseOrigin(key.name)?.tenantId !== tenantId) {
      throw new BundleRefusal('KEY_MALFORMED', { line: source.count });
    }
    keys.push(key);
    const next = keys.length < BUNDLE_LIMITS.maxKeys ? await source.takeIf('log_key') : null;
    if (next === null) return keys;
    line = next.verifierKey;
  }
}

async function takeCheckpoint(
  suite: NoteSuite,
  source: LineSource,
  keys: readonly NoteVerifier[],
  tenantId: string,
): Promise<EpochCheckpoint> {
  const { note } = await source.take('checkpoint');
  const signed = await openCheckpoint(suite, note, keys);
  if (signed === null) throw new BundleRefusal('NOT_SIGNED', { line: source.count });
  const name = parseOrigin(signed.checkpoint.origin);
  if (name?.tenantId !== tenantId) throw new BundleRefusal('OTHER_CHECKPOINT', { line: source.count });
  return { ...signed, ...name };
}

async function takeEarlier(
  suite: NoteSuite,
  source: LineSource,
  keys: readonly NoteVerifier[],
  { tenantId, previousSize }: BundleHeader,
  epoch: number,
): Promise<EpochCheckpoint | null> {
  if (previousSize === null || (await source.peek())?.type !== 'checkpoint') return null;
  const earlier = await takeCheckpoint(suite, source, keys, tenantId);
  if (earlier.checkpoint.size !== previousSize || earlier.epoch > epoch) {
    throw new BundleRefusal('OTHER_CHECKPOINT', { line: source.count });
  }
  return earlier;
}

async function takeConsistency(
  source: LineSource,
  { previousSize, size }: BundleHeader,
): Promise<readonly Bytes[] | null> {
  if (previousSize === null) return null;
  const { from, to, hashes } = await source.take('consistency');
  if (from !== previousSize || to !== size) throw new BundleRefusal('MALFORMED', { line: source.count });
  return hashes;
}
