/**
 * A run of leaves and what completes it: with the leaves [from, to) at hand, a few perfect nodes to
 * their left and right are enough to compute the root, so that a part of a log proves itself.
 */
import type { Bytes } from '../base/index.ts';
import { GrowingTree } from './frontier.ts';
import { HASH_SIZE, type MerkleHasher } from './hasher.ts';
import { assertOrdered, isSize, type NodeAddress, perfectNodes, type TreeNode } from './perfect-nodes.ts';

export interface RangeOfTree {
  /** Index of the first leaf. */
  readonly from: number;
  /** Index after the last leaf; `from` where there is none. */
  readonly to: number;
  /** Leaves of the tree. */
  readonly size: number;
}

export interface RangeClaim {
  readonly from: number;
  readonly size: number;
  /** Of the leaves [from, from + length), 32 bytes each. */
  readonly leafHashes: readonly Bytes[];
  /** Those of {@link rangeNodes}, in its order. */
  readonly nodes: readonly TreeNode[];
}

/**
 * The perfect nodes that, with the leaves [from, to), make up the tree of `size`: left to right, at most
 * three for each bit of `size`. RangeError unless from <= to <= size.
 */
export function rangeNodes({ from, to, size }: RangeOfTree): readonly NodeAddress[] {
  assertOrdered({ from, to, size });
  return [...perfectNodes({ from: 0, to: from }), ...perfectNodes({ from: to, to: size })];
}

/** Whether `nodes` are those of {@link rangeNodes}, in its order, with hashes of 32 bytes. */
export function isComplement(range: RangeOfTree, nodes: readonly TreeNode[]): boolean {
  const { from, to, size } = range;
  if (!isSize(from) || !isSize(to) || !isSize(size) || from > to || to > size) return false;
  const expected = rangeNodes(range);
  return (
    nodes.length === expected.length &&
    expected.every(({ level, index }, at) => {
      const node = nodes[at];
      return node?.level === level && node.index === index && node.hash.length === HASH_SIZE;
    })
  );
}

/**
 * The root of the tree of `size` from some of its leaves and the nodes beside them; `null` where nodes
 * are missing, too many or others than {@link rangeNodes}. The caller compares it with a root it trusts.
 */
export function rootOfRange(
  hasher: MerkleHasher,
  { from, size, leafHashes, nodes }: RangeClaim,
): Bytes | null {
  const to = from + leafHashes.length;
  if (!isComplement({ from, to, size }, nodes)) return null;
  if (leafHashes.some((hash) => hash.length !== HASH_SIZE)) return null;
  const tree = new GrowingTree(hasher);
  const [before, after] = splitComplement(from, nodes);
  for (const node of before) tree.append(node.level, node.hash);
  for (const leafHash of leafHashes) tree.append(0, leafHash);
  for (const node of after) tree.append(node.level, node.hash);
  return tree.root();
}

/** The nodes to the left of the leaf `from`, and those to its right. */
export function splitComplement(
  from: number,
  nodes: readonly TreeNode[],
): readonly [before: readonly TreeNode[], after: readonly TreeNode[]] {
  const isBefore = ({ level, index }: TreeNode): boolean => (index + 1) * 2 ** level <= from;
  return [nodes.filter(isBefore), nodes.filter((node) => !isBefore(node))];
}
