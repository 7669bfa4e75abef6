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
import type { TreeNode } from './perfect-nodes.ts';

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
  const growing = new GrowingTree(hasher, frontier);
  for (const leafHash of leafHashes) growing.append(0, leafHash);
  return growing.frontier();
}

/** The frontier after some leaves, and the inner nodes (level >= 1) that they completed, in the order of completion. */
export interface AppendedLeaves {
  readonly frontier: Frontier;
  readonly nodes: readonly TreeNode[];
}

/** {@link appendLeafHashes}, telling also the perfect nodes that were completed: what a log keeps to prove from. */
export function appendLeaves(
  hasher: MerkleHasher,
  frontier: Frontier,
  leafHashes: readonly Bytes[],
): AppendedLeaves {
  const nodes: TreeNode[] = [];
  const growing = new GrowingTree(hasher, frontier);
  for (const leafHash of leafHashes) growing.append(0, leafHash, (node) => nodes.push(node));
  return Object.freeze({ frontier: growing.frontier(), nodes: Object.freeze(nodes) });
}

/** A tree that grows at its right edge by leaves and by whole perfect nodes. */
export class GrowingTree {
  readonly #hasher: MerkleHasher;
  readonly #roots: Bytes[];
  #size: number;

  constructor(hasher: MerkleHasher, frontier: Frontier = EMPTY_FRONTIER) {
    this.#hasher = hasher;
    this.#roots = [...frontier.roots];
    this.#size = frontier.size;
  }

  /** Leaves so far. */
  get size(): number {
    return this.#size;
  }

  /**
   * Appends the perfect node of `level` (0 is a leaf) with `hash`. Throws RangeError where no such node
   * begins at the size of the tree, and beyond 2^53 - 1 leaves.
   */
  append(level: number, hash: Bytes, onCompleted?: (node: TreeNode) => void): void {
    assertHash('hash', hash);
    const width = 2 ** level;
    if (this.#size % width !== 0) throw new RangeError(`"level" ${level} begins no node at ${this.#size}`);
    if (!Number.isSafeInteger(this.#size + width)) {
      throw new RangeError('"hash" would take the tree beyond 2^53 - 1 leaves');
    }
    let node = { level, index: this.#size / width, hash };
    // Each trailing 1 of the size is a subtree as large as the one in hand: the two become one.
    while (node.index % 2 === 1) {
      const joined = this.#hasher.hashNode(popRoot(this.#roots), node.hash);
      node = { level: node.level + 1, index: (node.index - 1) / 2, hash: joined };
      onCompleted?.(node);
    }
    this.#roots.push(node.hash);
    this.#size += width;
  }

  frontier(): Frontier {
    return Object.freeze({ size: this.#size, roots: Object.freeze([...this.#roots]) });
  }

  root(): Bytes {
    return rootOfFrontier(this.#hasher, this.frontier());
  }
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
