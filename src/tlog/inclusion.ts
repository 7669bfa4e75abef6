/** Inclusion proofs: that a leaf stands at an index of the tree with a certain root. RFC 9162 §2.1.3. */
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

export interface LeafPlace {
  /** From 0, below `size`. */
  readonly index: number;
  /** Leaves of the tree. */
  readonly size: number;
}

export interface InclusionClaim extends LeafPlace {
  readonly leafHash: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** The siblings on the way from the leaf to the root, in this order: PATH of RFC 9162 §2.1.3.1, unrolled. */
function siblings({ index, size }: LeafPlace): readonly LeafRange[] {
  assertOrdered({ index, size });
  if (index === size) throw new RangeError(`"index" must be below "size", got ${index} of ${size}`);
  const found: LeafRange[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      found.push({ from: middle, to });
      to = middle;
    } else {
      found.push({ from, to: middle });
      from = middle;
    }
  }
  return found.reverse();
}

/** The perfect nodes that the proof is made of, at most two for each bit of `size`. RangeError unless index < size. */
export function inclusionNodes(index: number, size: number): readonly NodeAddress[] {
  return siblings({ index, size }).flatMap(perfectNodes);
}

/** The proof, from the leaf's sibling upward; empty in a tree of one leaf. RangeError unless index < size. */
export function createInclusionProof(
  hasher: MerkleHasher,
  place: LeafPlace,
  read: NodeReader,
): readonly Bytes[] {
  return siblings(place).map((range) => hashRange(hasher, range, read));
}

/** RFC 9162 §2.1.3.2, for a claim from outside: false for whatever does not fit, sizes of hashes included. */
export function verifyInclusion(hasher: MerkleHasher, claim: InclusionClaim): boolean {
  const { index, size, leafHash, proof, root } = claim;
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  if ([leafHash, root, ...proof].some((hash) => hash.length !== HASH_SIZE)) return false;
  let [fn, sn] = [index, size - 1];
  let hash = leafHash;
  for (const sibling of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = hasher.hashNode(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)];
    } else {
      hash = hasher.hashNode(hash, sibling);
    }
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && equalBytes(hash, root);
}
