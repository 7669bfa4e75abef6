/**
 * The right edge of an append-only Merkle tree: the roots of the perfect subtrees that the leaves
 * form, largest first, one for each 1 in the binary form of the size. It is all that appending and
 * the root need, at most 53 hashes, whatever the tree holds.
 *
 * Source: the tree of RFC 9162 §2.1.1; there the split is defined from the top, here the same tree
 * grows from the leaves.
 */
import { type Bytes, concatBytes } from '../base/index.ts';
import { assertHash, HASH_SIZE, type MerkleHasher } from './hasher.ts';

export interface Frontier {
  /** The number of leaves. */
  readonly size: number;
  /** The roots of the perfect subtrees, largest first. */
  readonly roots: readonly Bytes[];
}

export const EMPTY_FRONTIER: Frontier = Object.freeze({ size: 0, roots: Object.freeze([]) });

/** The frontier after the leaves with `leafHashes` were appended in their order; the given one is not changed. */
export function appendLeafHashes(
  hasher: MerkleHasher,
  frontier: Frontier,
  leafHashes: readonly Bytes[],
): Frontier {
  if (!Number.isSafeInteger(frontier.size + leafHashes.length)) {
    throw new RangeError('"leafHashes" would take the tree beyond 2^53 - 1 leaves');
  }
  const roots = [...frontier.roots];
  let { size } = frontier;
  for (const leafHash of leafHashes) {
    assertHash('leafHashes', leafHash);
    let node = leafHash;
    // Each trailing 1 of the size is a subtree as large as the one in hand: the two become one.
    for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      node = hasher.hashNode(popRoot(roots), node);
    }
    roots.push(node);
    size += 1;
  }
  return Object.freeze({ size, roots: Object.freeze(roots) });
}

/** The Merkle tree hash of all leaves (RFC 9162 §2.1.1), 32 bytes. */
export function rootOfFrontier(hasher: MerkleHasher, frontier: Frontier): Bytes {
  const roots = [...frontier.roots];
  if (roots.length === 0) return hasher.hashEmpty();
  let node = popRoot(roots);
  while (roots.length > 0) node = hasher.hashNode(popRoot(roots), node);
  return node;
}

/** The roots one after the other, 32 bytes each; the size is kept beside them. */
export function encodeFrontier(frontier: Frontier): Bytes {
  return concatBytes(...frontier.roots);
}

/** The frontier of a tree of `size` leaves, or `null` where `bytes` cannot be one. */
export function parseFrontier(size: number, bytes: Uint8Array): Frontier | null {
  if (!Number.isSafeInteger(size) || size < 0) return null;
  if (bytes.length !== countPerfectSubtrees(size) * HASH_SIZE) return null;
  const roots: Bytes[] = [];
  for (let offset = 0; offset < bytes.length; offset += HASH_SIZE) {
    roots.push(Uint8Array.from(bytes.subarray(offset, offset + HASH_SIZE)));
  }
  return Object.freeze({ size, roots: Object.freeze(roots) });
}

/** The number of ones in the binary form of `size`. */
function countPerfectSubtrees(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

function popRoot(roots: Bytes[]): Bytes {
  const root = roots.pop();
  if (root === undefined) throw new RangeError('"frontier" has fewer roots than its size needs');
  return root;
}
