/** Consistency proofs: that a tree begins with all leaves of a smaller one, in their order. RFC 9162 §2.1.4. */
import { type Bytes, equalBytes } from '../base/index.ts';
import { HASH_SIZE, type MerkleHasher } from './hasher.ts';
import {
  assertOrdered,
  hashRange,
  isSize,
  type LeafRange,
  type NodeAddress,
  type NodeReader,
  perfectNodes,
  splitOf,
} from './perfect-nodes.ts';

export interface TreeSizes {
  /** Leaves of the smaller tree. */
  readonly from: number;
  /** Leaves of the larger tree. */
  readonly to: number;
}

export interface ConsistencyClaim extends TreeSizes {
  readonly fromRoot: Uint8Array;
  readonly toRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** The nodes of PROOF in RFC 9162 §2.1.4.1, unrolled; none where one tree is empty or both are one. */
function steps({ from, to }: TreeSizes): readonly LeafRange[] {
  assertOrdered({ from, to });
  if (from === 0) return [];
  const found: LeafRange[] = [];
  let [begin, end] = [0, to];
  while (end !== from) {
    const middle = begin + splitOf(end - begin);
    if (from <= middle) {
      found.push({ from: middle, to: end });
      end = middle;
    } else {
      found.push({ from: begin, to: middle });
      begin = middle;
    }
  }
  // The smaller tree as a whole is known to the verifier; a part of it is not.
  if (begin > 0) found.push({ from: begin, to: end });
  return found.reverse();
}

/** The perfect nodes that the proof is made of. RangeError unless from <= to. */
export function consistencyNodes(from: number, to: number): readonly NodeAddress[] {
  return steps({ from, to }).flatMap(perfectNodes);
}

/** The proof; empty where `from` is 0 or equals `to`. RangeError unless from <= to. */
export function createConsistencyProof(
  hasher: MerkleHasher,
  sizes: TreeSizes,
  read: NodeReader,
): readonly Bytes[] {
  return steps(sizes).map((range) => hashRange(hasher, range, read));
}

/**
 * RFC 9162 §2.1.4.2, for a claim from outside: false for whatever does not fit, sizes of hashes included.
 * Two cases the RFC leaves out: trees of one size need equal roots and an empty proof; the empty tree is
 * the beginning of every other, so that nothing is said then of `toRoot`.
 */
export function verifyConsistency(hasher: MerkleHasher, claim: ConsistencyClaim): boolean {
  const { from, to, fromRoot, toRoot, proof } = claim;
  if (!isSize(from) || !isSize(to) || from > to) return false;
  if ([fromRoot, toRoot, ...proof].some((hash) => hash.length !== HASH_SIZE)) return false;
  if (from === 0 && !equalBytes(fromRoot, hasher.hashEmpty())) return false;
  if (from === to) return proof.length === 0 && equalBytes(fromRoot, toRoot);
  if (from === 0) return proof.length === 0;
  return verifySteps(hasher, claim);
}

function verifySteps(hasher: MerkleHasher, { from, to, fromRoot, toRoot, proof }: ConsistencyClaim): boolean {
  const [first, ...rest] = isPowerOfTwo(from) && proof.length > 0 ? [fromRoot, ...proof] : proof;
  if (first === undefined) return false;
  let [fn, sn] = [from - 1, to - 1];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  let [smaller, larger] = [first, first];
  for (const step of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      smaller = hasher.hashNode(step, smaller);
      larger = hasher.hashNode(step, larger);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else {
      larger = hasher.hashNode(larger, step);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equalBytes(smaller, fromRoot) && equalBytes(larger, toRoot);
}

function isPowerOfTwo(size: number): boolean {
  let rest = size;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}
