/**
 * The verification of a bundle, with nothing but the bundle and what the verifier knows beforehand: keys
 * that were pinned, a bundle that was verified before, an answer that has to be in the log. It reads the
 * lines once and keeps a few hashes, whatever the number of events. It trusts the hash function and the
 * signatures; it believes nothing of the file that no signature covers.
 */
import { type Bytes, equalBytes } from '../../base/index.ts';
import { verifyConsistency } from '../consistency.ts';
import { createMerkleHasher, type MerkleHasher } from '../hasher.ts';
import { isSameKey, trustOf, verifierFingerprint } from '../key-trust.ts';
import type { LoggedAnswer } from '../leaf.ts';
import { parseOrigin } from '../origin.ts';
import type { LeafRange } from '../perfect-nodes.ts';
import type { NoteSuite, SignedCheckpoint } from '../signed-checkpoint.ts';
import { encodeVerifierKey, type NoteVerifier } from '../verifier-key.ts';
import { type EventsRead, takeEnd, takeEvents, takeHistory } from './bundle-events.ts';
import { type BundleHead, type EpochCheckpoint, takeHead, takeHeader } from './bundle-head.ts';
import type { BundleHeader } from './bundle-line.ts';
import {
  type BundleFact,
  type BundleFailure,
  BundleRefusal,
  type BundleVerdict,
  type UnprovenParts,
} from './bundle-verdict.ts';
import { LineSource } from './line-source.ts';

/** What the verifier knows beforehand. */
export interface BundleExpectations {
  /** Keys named by the verifier; those of other tenants do not count. */
  readonly pins?: readonly NoteVerifier[];
  /** Of {@link readHeldCheckpoint}. */
  readonly held?: EpochCheckpoint;
  /** What has to be in the log. */
  readonly answer?: LoggedAnswer;
}

/** The checkpoint of a bundle that the verifier holds, or why it has none. */
export type HeldVerdict =
  | { readonly kind: 'HELD'; readonly held: EpochCheckpoint }
  | { readonly kind: 'REFUSED'; readonly failure: BundleFailure };

/** The checkpoint of a bundle that was verified before: its signatures are verified again, its events are not read. */
export async function readHeldCheckpoint(
  suite: NoteSuite,
  lines: AsyncIterable<string>,
): Promise<HeldVerdict> {
  const source = new LineSource(lines);
  try {
    const { signed } = await takeHead(suite, source, await takeHeader(source));
    return { kind: 'HELD', held: signed };
  } catch (error) {
    if (error instanceof BundleRefusal) return { kind: 'REFUSED', failure: error.failure };
    throw error;
  } finally {
    await source.close();
  }
}

/** Verifies the bundle in `lines` (each without its line end) up to the first failure. Never throws for what the bundle holds. */
export async function verifyBundle(
  suite: NoteSuite,
  lines: AsyncIterable<string>,
  expectations: BundleExpectations = {},
): Promise<BundleVerdict> {
  const source = new LineSource(lines);
  const facts: BundleFact[] = [];
  let header: BundleHeader | null = null;
  try {
    header = await takeHeader(source);
    const unproven = await prove(suite, source, header, expectations, facts);
    return { kind: 'PROVEN', header, facts, unproven };
  } catch (error) {
    if (error instanceof BundleRefusal) return { kind: 'REFUSED', header, facts, failure: error.failure };
    throw error;
  } finally {
    await source.close();
  }
}

/** An earlier tree that this one has to begin with. */
interface EarlierTree extends EpochCheckpoint {
  readonly heldBy: 'VERIFIER' | 'BUNDLE';
}

async function prove(
  suite: NoteSuite,
  source: LineSource,
  header: BundleHeader,
  { pins = [], held, answer }: BundleExpectations,
  facts: BundleFact[],
): Promise<UnprovenParts> {
  const hasher = createMerkleHasher(suite.sha256);
  const ownPins = pinsOf(header, pins);
  if (held !== undefined && held.tenantId !== header.tenantId) throw new BundleRefusal('OTHER_LOG');
  if (answer !== undefined && answer.tenantId !== header.tenantId) throw new BundleRefusal('OTHER_LOG');
  const head = await takeHead(suite, source, header);
  facts.push(judgeSigners(suite, head.signed, ownPins, held));
  assertEarlierSigners(head, [...ownPins, ...(held?.signers ?? [])]);
  if (held !== undefined && held.epoch > head.signed.epoch) throw new BundleRefusal('OLDER_EPOCH');
  const historyLines = await takeHistory(source);
  const earlier = earlierTrees(head, held);
  const events = await takeEvents(hasher, source, {
    header,
    nodes: head.nodes,
    sizes: [header.previousSize ?? 0, ...earlier.map(({ checkpoint }) => checkpoint.size)],
    answer: answer ?? null,
  });
  judgeRoot(header, head, earlier, events);
  await takeEnd(source);
  if (header.from < header.to) facts.push({ fact: 'COMPLETE', range: { from: header.from, to: header.to } });
  facts.push(...judgeEpoch(head.signed.epoch, knownEpoch(ownPins, held), held, events));
  const proof = proofOf(hasher, header, head, events);
  for (const tree of earlier) facts.push(judgeEarlier(hasher, head, tree, events, proof));
  if (answer !== undefined) facts.push(judgeAnswer(answer, events));
  const isUsed = proof === null || earlier.some(({ checkpoint }) => checkpoint.size === proof.from);
  return { historyLines, hasUnusedProof: !isUsed };
}

/** The pins of this log. Throws OTHER_LOG where there are pins and none is. */
function pinsOf({ tenantId }: BundleHeader, pins: readonly NoteVerifier[]): readonly NoteVerifier[] {
  const own = pins.filter(({ name }) => parseOrigin(name)?.tenantId === tenantId);
  if (own.length === 0 && pins.length > 0) throw new BundleRefusal('OTHER_LOG');
  return own;
}

function judgeSigners(
  suite: NoteSuite,
  { signers }: SignedCheckpoint,
  pins: readonly NoteVerifier[],
  held: EpochCheckpoint | undefined,
): BundleFact {
  return {
    fact: 'SIGNED',
    signers: signers.map((key) => {
      const trust = trustOf(key, { pins, previous: held?.signers ?? [] });
      if (trust === null) {
        const isPinned = pins.some(({ type }) => type === key.type);
        throw new BundleRefusal(isPinned ? 'KEY_NOT_PINNED' : 'KEY_CHANGED');
      }
      const fingerprint = verifierFingerprint(suite.sha256, key);
      return { type: key.type, verifierKey: encodeVerifierKey(key), fingerprint, trust };
    }),
  };
}

/** A checkpoint by a stranger's key, put into the bundle, must not look like one of the log. */
function assertEarlierSigners({ signed, earlier }: BundleHead, known: readonly NoteVerifier[]): void {
  const isKnown = (key: NoteVerifier): boolean =>
    [...signed.signers, ...known].some((one) => isSameKey(one, key));
  if (earlier !== null && !earlier.signers.every(isKnown)) throw new BundleRefusal('EARLIER_KEY');
}

function earlierTrees({ earlier }: BundleHead, held: EpochCheckpoint | undefined): readonly EarlierTree[] {
  return [
    ...(held === undefined ? [] : [{ ...held, heldBy: 'VERIFIER' as const }]),
    ...(earlier === null ? [] : [{ ...earlier, heldBy: 'BUNDLE' as const }]),
  ];
}

/** Earlier trees of the same epoch, where the tree passed them, tell more closely where a fault lies. */
function judgeRoot(
  { from, to }: BundleHeader,
  { signed }: BundleHead,
  earlier: readonly EarlierTree[],
  { root, roots }: EventsRead,
): void {
  if (equalBytes(root, signed.checkpoint.root)) return;
  let range: LeafRange = { from, to };
  for (const { checkpoint, epoch } of earlier) {
    const passed = roots.get(checkpoint.size);
    if (passed === undefined || epoch !== signed.epoch) continue;
    const holds = equalBytes(passed, checkpoint.root);
    if (holds) range = { ...range, from: Math.max(range.from, checkpoint.size) };
    else range = { ...range, to: Math.min(range.to, checkpoint.size) };
  }
  const width = range.to - range.from;
  throw new BundleRefusal('ROOT_MISMATCH', {
    brokenIndex: width === 1 ? range.from : null,
    range: width > 0 ? range : null,
  });
}

/** The epoch that the verifier knows of, or `null`. */
function knownEpoch(pins: readonly NoteVerifier[], held: EpochCheckpoint | undefined): number | null {
  if (held !== undefined) return held.epoch;
  const epochs = pins.map(({ name }) => parseOrigin(name)?.epoch ?? 1);
  return epochs.length === 0 ? null : Math.max(...epochs);
}

/**
 * An earlier epoch that the verifier knows has to be ended by an event, and that event must not
 * contradict the checkpoint that the verifier holds. Epochs between may have been too short to be signed.
 */
function judgeEpoch(
  epoch: number,
  known: number | null,
  held: EpochCheckpoint | undefined,
  { ends }: EventsRead,
): readonly BundleFact[] {
  const earlier = ends.filter((end) => end.epoch < epoch);
  if (known !== null && known < epoch && !earlier.some((end) => end.epoch === known)) {
    throw new BundleRefusal('EPOCH_NOT_EXPLAINED');
  }
  return earlier.map(({ index, epoch: ended, size, root }) => {
    const isHeld = held?.epoch === ended && held.checkpoint.size === size;
    if (isHeld && !equalBytes(held.checkpoint.root, root)) {
      throw new BundleRefusal('REWRITTEN', { range: { from: 0, to: size } });
    }
    return { fact: 'RESTORED', index, endedEpoch: ended, endedSize: size };
  });
}

/** A consistency proof of the bundle that nothing contradicts. */
interface BundleProof {
  readonly from: number;
  readonly hashes: readonly Bytes[];
}

/** Throws WRONG_PROOF where the events themselves give the root that the proof has to begin with, and it does not. */
function proofOf(
  hasher: MerkleHasher,
  { previousSize }: BundleHeader,
  { signed, consistency }: BundleHead,
  { roots }: EventsRead,
): BundleProof | null {
  if (consistency === null || previousSize === null) return null;
  const proof = { from: previousSize, hashes: consistency };
  const passed = roots.get(previousSize);
  if (passed !== undefined && !isProven(hasher, signed, proof, passed))
    throw new BundleRefusal('WRONG_PROOF');
  return proof;
}

function isProven(
  hasher: MerkleHasher,
  { checkpoint }: SignedCheckpoint,
  { from, hashes }: BundleProof,
  fromRoot: Bytes,
): boolean {
  return verifyConsistency(hasher, {
    ...{ from, to: checkpoint.size, fromRoot, toRoot: checkpoint.root },
    proof: hashes,
  });
}

/** By the root that events and nodes give at its size, where they pass it; else by the proof. */
function judgeEarlier(
  hasher: MerkleHasher,
  { signed }: BundleHead,
  tree: EarlierTree,
  { roots }: EventsRead,
  proof: BundleProof | null,
): BundleFact {
  const { size, root } = tree.checkpoint;
  const isSameEpoch = tree.epoch === signed.epoch;
  if (size > signed.checkpoint.size) {
    if (isSameEpoch) throw new BundleRefusal('SHRUNK');
    return { fact: 'LOST', size };
  }
  const passed = roots.get(size);
  if (passed === undefined && proof?.from !== size) throw new BundleRefusal('NOT_COMPARABLE');
  const isBeginning =
    passed === undefined ? proof !== null && isProven(hasher, signed, proof, root) : equalBytes(passed, root);
  if (isBeginning) return { fact: 'EXTENDS', size, heldBy: tree.heldBy };
  if (isSameEpoch) throw new BundleRefusal('REWRITTEN', { range: { from: 0, to: size } });
  return { fact: 'LOST', size };
}

function judgeAnswer({ auditEventId }: LoggedAnswer, { found }: EventsRead): BundleFact {
  if (found === null) throw new BundleRefusal('RECEIPT_NOT_FOUND');
  if (!found.isListed) throw new BundleRefusal('RECEIPT_NOT_LISTED', { brokenIndex: found.index });
  return { fact: 'LOGGED', auditEventId, index: found.index };
}
