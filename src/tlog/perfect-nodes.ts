/**
 * The nodes of a tree that are perfect: roots of 2^level leaves whose first is a multiple of 2^level.
 * Such a node never changes when the tree grows, so it is all that has to be kept; every other node is
 * made of these. Numbers go to 2^53 - 1, beyond the reach of bitwise operators.
 *
 * Source: RFC 9162 §2.1.1; the addresses are those of tiled logs (C2SP tlog-tiles) without the tiles.
 */
import type { Bytes } from '../base/index.ts';
import type { MerkleHasher } from './hasher.ts';

/** The perfect subtree over the leaves [index·2^level, (index+1)·2^level); level 0 is a leaf. */
export interface NodeAddress {
  readonly level: number;
  readonly index: number;
}

export interface TreeNode extends NodeAddress {
  /** 32 bytes. */
  readonly hash: Bytes;
}

/** The hash of a perfect node; throws what the caller throws where it has none. */
export type NodeReader = (address: NodeAddress) => Bytes;

/** The leaves [from, to), a node of some tree: `from` is a multiple of every power of two within it. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** The largest power of two smaller than `size`, at least 2: where RFC 9162 §2.1.1 splits a tree. */
export function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** The fewest perfect nodes that cover the leaves [from, to), left to right. */
export function perfectNodes({ from, to }: LeafRange): readonly NodeAddress[] {
  const nodes: NodeAddress[] = [];
  let begin = from;
  while (begin < to) {
    let level = 0;
    let width = 1;
    while (begin % (width * 2) === 0 && begin + width * 2 <= to) {
      width *= 2;
      level += 1;
    }
    nodes.push({ level, index: begin / width });
    begin += width;
  }
  return nodes;
}

/** The hash of the node over `range`, which is of a tree: its perfect nodes joined from the right. */
export function hashRange(hasher: MerkleHasher, range: LeafRange, read: NodeReader): Bytes {
  const hashes = perfectNodes(range).map(read);
  return hashes.reduceRight((right, left) => hasher.hashNode(left, right));
}

/** Whether `value` can count leaves. */
export function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Throws RangeError unless the numbers of `ordered` are sizes, none larger than the next. */
export function assertOrdered(ordered: Readonly<Record<string, number>>): void {
  let least = 0;
  for (const [name, value] of Object.entries(ordered)) {
    if (!isSize(value) || value < least) {
      throw new RangeError(`"${name}" must be an integer from ${least} to 2^53 - 1, got ${value}`);
    }
    least = value;
  }
}
