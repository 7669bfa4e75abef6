import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consistencyNodes, createConsistencyProof, verifyConsistency } from '../../src/tlog/index.ts';
import {
  asText,
  changedBits,
  changedLists,
  distinctTree,
  hasher,
  NaiveTree,
  wrongLengths,
} from './naive-tree.ts';

const tree = distinctTree(256);

function claimOf(of: NaiveTree, from: number, to: number) {
  const proof = createConsistencyProof(hasher, { from, to }, of.read);
  return { from, to, fromRoot: of.root(from), toRoot: of.root(to), proof };
}

describe('A consistency proof', () => {
  test('is that of RFC 9162 and is accepted, between all trees of up to 256 leaves', () => {
    for (let to = 0; to <= 256; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const claim = claimOf(tree, from, to);
        if (asText(claim.proof) !== asText(tree.proof(from, to)))
          expect.fail(`another proof: ${from} to ${to}`);
        if (!verifyConsistency(hasher, claim)) expect.fail(`refused: ${from} to ${to}`);
      }
    }
  });

  test('is made of the perfect nodes that are listed beforehand', () => {
    for (let to = 0; to <= 100; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const read: unknown[] = [];
        createConsistencyProof(hasher, { from, to }, (address) => {
          read.push(address);
          return tree.read(address);
        });
        const isListed = JSON.stringify(read) === JSON.stringify(consistencyNodes(from, to));
        if (!isListed) expect.fail(`${from} to ${to}`);
      }
    }
  });

  test('is refused with any single bit of roots and hashes changed, but for the empty tree, which begins any', () => {
    for (const to of [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 15, 16]) {
      for (let from = 0; from <= to; from += 1) {
        const claim = claimOf(tree, from, to);
        for (const fromRoot of changedBits(claim.fromRoot)) {
          if (verifyConsistency(hasher, { ...claim, fromRoot })) expect.fail(`${from} to ${to}: other root`);
        }
        for (const toRoot of changedBits(claim.toRoot)) {
          const isAccepted = verifyConsistency(hasher, { ...claim, toRoot });
          if (isAccepted !== (from === 0 && to > 0)) expect.fail(`${from} to ${to}: other newer root`);
        }
        for (const proof of changedLists(claim.proof)) {
          if (verifyConsistency(hasher, { ...claim, proof })) expect.fail(`${from} to ${to}: other hash`);
        }
      }
    }
  });

  test('is refused with a wrong number of hashes, or one of another length', () => {
    for (let to = 0; to <= 40; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const claim = claimOf(tree, from, to);
        for (const proof of wrongLengths(claim.proof)) {
          if (verifyConsistency(hasher, { ...claim, proof })) expect.fail(`accepted: ${from} to ${to}`);
        }
      }
    }
  });

  test('is refused for any smaller tree that is not the beginning of the larger one', () => {
    const rewritten = new NaiveTree(
      new Map(Array.from({ length: 64 }, (_, index) => [index, tree.leafHash(index === 5 ? 99 : index)])),
    );
    for (let to = 6; to <= 64; to += 1) {
      for (let from = 6; from <= to; from += 1) {
        const claim = claimOf(rewritten, from, to);
        expect(verifyConsistency(hasher, claim)).toBe(true);
        expect(verifyConsistency(hasher, { ...claim, fromRoot: tree.root(from) })).toBe(false);
      }
    }
  });

  test('is refused for a smaller tree of another size', () => {
    for (let to = 1; to <= 24; to += 1) {
      for (let from = 1; from <= to; from += 1) {
        const claim = claimOf(tree, from, to);
        for (let other = 0; other <= 25; other += 1) {
          if (other !== from) expect(verifyConsistency(hasher, { ...claim, from: other })).toBe(false);
        }
      }
    }
  });

  test('is refused for numbers that count no leaves, or in the wrong order', () => {
    const claim = claimOf(tree, 3, 7);
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(verifyConsistency(hasher, { ...claim, from: wrong })).toBe(false);
      expect(verifyConsistency(hasher, { ...claim, to: wrong })).toBe(false);
      expect(() => consistencyNodes(wrong, 7)).toThrow(RangeError);
      expect(() => consistencyNodes(3, wrong)).toThrow(RangeError);
    }
    expect(() => consistencyNodes(8, 7)).toThrow(RangeError);
    expect(verifyConsistency(hasher, { ...claim, from: 7, to: 3 })).toBe(false);
  });

  test.each([
    ['2^20', 2 ** 20],
    ['2^53 - 1', Number.MAX_SAFE_INTEGER],
  ])('holds between random trees of up to %s leaves', (_, maxSize) => {
    const sizes = fc
      .tuple(fc.integer({ min: 0, max: maxSize }), fc.integer({ min: 0, max: maxSize }))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    const marks = fc.uniqueArray(fc.integer({ min: 0, max: maxSize - 1 }), { maxLength: 6 });
    fc.assert(
      fc.property(sizes, marks, ([from, to], indexes) => {
        const random = new NaiveTree(
          new Map(indexes.map((index) => [index, hasher.hashLeaf(Uint8Array.of(index % 256))])),
        );
        const claim = claimOf(random, from, to);
        expect(claim.proof).toEqual(random.proof(from, to));
        expect(verifyConsistency(hasher, claim)).toBe(true);
        if (from > 0) {
          const fromRoot = hasher.hashLeaf(claim.fromRoot);
          expect(verifyConsistency(hasher, { ...claim, fromRoot })).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });
});
