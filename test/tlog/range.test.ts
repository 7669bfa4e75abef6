import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  appendLeaves,
  EMPTY_FRONTIER,
  rangeNodes,
  rootOfRange,
  type TreeNode,
} from '../../src/tlog/index.ts';
import { changedBits, distinctTree, hasher, NaiveTree } from './naive-tree.ts';

const tree = distinctTree(256);
const leafHashes = Array.from({ length: 256 }, (_, index) => tree.leafHash(index));

function complement(of: NaiveTree, from: number, to: number, size: number): TreeNode[] {
  return rangeNodes({ from, to, size }).map((address) => ({ ...address, hash: of.read(address) }));
}

describe('A run of leaves', () => {
  test('gives the root with the nodes that complete it, for every run of every tree of up to 40 leaves', () => {
    for (let size = 0; size <= 40; size += 1) {
      for (let to = 0; to <= size; to += 1) {
        for (let from = 0; from <= to; from += 1) {
          const nodes = complement(tree, from, to, size);
          const claim = { from, size, leafHashes: leafHashes.slice(from, to), nodes };
          expect(rootOfRange(hasher, claim)).toEqual(tree.root(size));
        }
      }
    }
  });

  test('gives no root with nodes missing, too many, others or in another order', () => {
    const nodes = complement(tree, 5, 9, 21);
    const claim = { from: 5, size: 21, leafHashes: leafHashes.slice(5, 9), nodes };
    const [first] = nodes;
    if (first === undefined) throw new TypeError('The run must not be the whole tree');
    for (const wrong of [
      [],
      nodes.slice(1),
      nodes.slice(0, -1),
      [...nodes, first],
      nodes.toReversed(),
      nodes.with(0, { ...first, index: first.index + 1 }),
      nodes.with(0, { ...first, level: first.level + 1 }),
      nodes.with(0, { ...first, hash: first.hash.slice(1) }),
    ]) {
      expect(rootOfRange(hasher, { ...claim, nodes: wrong })).toBeNull();
    }
    for (const wrong of [{ size: 20 }, { from: 4 }, { from: -1 }, { size: 8 }, { size: 2 ** 53 }]) {
      expect(rootOfRange(hasher, { ...claim, ...wrong })).toBeNull();
    }
    const short = claim.leafHashes.with(0, new Uint8Array(31));
    expect(rootOfRange(hasher, { ...claim, leafHashes: short })).toBeNull();
  });

  test('gives another root with any single bit of a leaf or node changed', () => {
    const nodes = complement(tree, 5, 9, 21);
    const claim = { from: 5, size: 21, leafHashes: leafHashes.slice(5, 9), nodes };
    for (const [at, hash] of claim.leafHashes.entries()) {
      for (const changed of changedBits(hash)) {
        const root = rootOfRange(hasher, { ...claim, leafHashes: claim.leafHashes.with(at, changed) });
        expect(root).not.toEqual(tree.root(21));
      }
    }
    for (const [at, node] of nodes.entries()) {
      for (const hash of changedBits(node.hash)) {
        expect(rootOfRange(hasher, { ...claim, nodes: nodes.with(at, { ...node, hash }) })).not.toEqual(
          tree.root(21),
        );
      }
    }
  });

  test('is completed by few nodes in random trees of up to 2^53 - 1 leaves', () => {
    const sizes = fc
      .tuple(fc.nat(12), fc.maxSafeNat(), fc.maxSafeNat())
      .map(([count, a, b]) => [count, Math.min(a, b), Math.max(a, b)] as const)
      .filter(([count, from, size]) => from + count <= size);
    fc.assert(
      fc.property(sizes, ([count, from, size]) => {
        const random = new NaiveTree(new Map([[from, hasher.hashLeaf(Uint8Array.of(7))]]));
        const nodes = complement(random, from, from + count, size);
        const leaves = Array.from({ length: count }, (_, offset) => random.leafHash(from + offset));
        expect(nodes.length).toBeLessThanOrEqual(3 * 53);
        expect(rootOfRange(hasher, { from, size, leafHashes: leaves, nodes })).toEqual(random.root(size));
      }),
      { numRuns: 60 },
    );
  });

  test('is refused by the program for numbers in the wrong order', () => {
    expect(() => rangeNodes({ from: 3, to: 2, size: 5 })).toThrow(RangeError);
    expect(() => rangeNodes({ from: 0, to: 6, size: 5 })).toThrow(RangeError);
    expect(() => rangeNodes({ from: -1, to: 2, size: 5 })).toThrow(RangeError);
  });
});

describe('Appending leaves', () => {
  test('completes every perfect node above the leaves exactly once, whatever the groups', () => {
    const groups = fc.array(fc.nat(40), { maxLength: 12 });
    fc.assert(
      fc.property(groups, (lengths) => {
        let frontier = EMPTY_FRONTIER;
        const completed: TreeNode[] = [];
        for (const length of lengths) {
          const group = leafHashes.slice(frontier.size, frontier.size + length);
          const appended = appendLeaves(hasher, frontier, group);
          frontier = appended.frontier;
          completed.push(...appended.nodes);
        }
        const expected = new Set<string>();
        for (let level = 1; 2 ** level <= frontier.size; level += 1) {
          for (let index = 0; (index + 1) * 2 ** level <= frontier.size; index += 1) {
            expected.add(`${level}/${index}`);
          }
        }
        expect(new Set(completed.map(({ level, index }) => `${level}/${index}`))).toEqual(expected);
        expect(completed).toHaveLength(expected.size);
        for (const { hash, ...address } of completed) expect(hash).toEqual(tree.read(address));
      }),
      { numRuns: 50 },
    );
  });

  test('tells a node after the nodes below it', () => {
    const { nodes } = appendLeaves(hasher, EMPTY_FRONTIER, leafHashes.slice(0, 8));
    expect(nodes.map(({ level, index }) => `${level}/${index}`)).toEqual([
      '1/0',
      '1/1',
      '2/0',
      '1/2',
      '1/3',
      '2/1',
      '3/0',
    ]);
  });
});
