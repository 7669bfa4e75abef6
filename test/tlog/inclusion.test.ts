import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/base/index.ts';
import { createInclusionProof, inclusionNodes, verifyInclusion } from '../../src/tlog/index.ts';
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

function claimOf(from: NaiveTree, index: number, size: number) {
  const proof = createInclusionProof(hasher, { index, size }, from.read);
  return { index, size, leafHash: from.leafHash(index), proof, root: from.root(size) };
}

/** Where the leaf stands: its way from the root, left or right at each node. */
function wayTo(index: number, size: number): string {
  let [from, to, way] = [0, size, ''];
  while (to - from > 1) {
    const middle = from + 2 ** (Math.ceil(Math.log2(to - from)) - 1);
    way += index < middle ? 'L' : 'R';
    if (index < middle) to = middle;
    else from = middle;
  }
  return way;
}

describe('An inclusion proof', () => {
  test('is that of RFC 9162 and is accepted, for every leaf of every tree of up to 256 leaves', () => {
    for (let size = 1; size <= 256; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const claim = claimOf(tree, index, size);
        if (asText(claim.proof) !== asText(tree.path(index, 0, size)))
          expect.fail(`another proof: leaf ${index} of ${size}`);
        if (!verifyInclusion(hasher, claim)) expect.fail(`refused: leaf ${index} of ${size}`);
      }
    }
  });

  test('is made of the perfect nodes that are listed beforehand, at most two for each bit of the size', () => {
    for (let size = 1; size <= 256; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const read: unknown[] = [];
        createInclusionProof(hasher, { index, size }, (address) => {
          read.push(address);
          return tree.read(address);
        });
        const isListed = JSON.stringify(read) === JSON.stringify(inclusionNodes(index, size));
        if (!isListed || read.length > 2 * Math.ceil(Math.log2(size)))
          expect.fail(`leaf ${index} of ${size}`);
      }
    }
  });

  test('is refused with any single bit of leaf, root and hashes changed', () => {
    for (const size of [1, 2, 3, 4, 5, 6, 7, 8, 11, 16]) {
      for (let index = 0; index < size; index += 1) {
        const claim = claimOf(tree, index, size);
        for (const leafHash of changedBits(claim.leafHash)) {
          if (verifyInclusion(hasher, { ...claim, leafHash })) expect.fail('another leaf was accepted');
        }
        for (const root of changedBits(claim.root)) {
          if (verifyInclusion(hasher, { ...claim, root })) expect.fail('another root was accepted');
        }
        for (const proof of changedLists(claim.proof)) {
          if (verifyInclusion(hasher, { ...claim, proof })) expect.fail('another hash was accepted');
        }
      }
    }
  });

  test('is refused at every other index, and at another size unless the leaf stands on the same way there', () => {
    let sameWays = 0;
    for (let size = 1; size <= 24; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const claim = claimOf(tree, index, size);
        for (let other = 0; other <= 25; other += 1) {
          if (other !== index) expect(verifyInclusion(hasher, { ...claim, index: other })).toBe(false);
          const isSameWay = other > index && wayTo(index, other) === wayTo(index, size);
          expect(verifyInclusion(hasher, { ...claim, size: other })).toBe(isSameWay);
          if (isSameWay && other !== size) sameWays += 1;
        }
      }
    }
    // So a proof does not bind the size: size and root are believed together, as they were signed.
    expect(sameWays).toBeGreaterThan(0);
  });

  test('is refused with a wrong number of hashes, or one of another length', () => {
    for (let size = 1; size <= 40; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const claim = claimOf(tree, index, size);
        for (const proof of wrongLengths(claim.proof)) {
          if (verifyInclusion(hasher, { ...claim, proof })) expect.fail(`accepted: ${index} of ${size}`);
        }
      }
    }
    const claim = claimOf(tree, 3, 7);
    expect(verifyInclusion(hasher, { ...claim, leafHash: claim.leafHash.slice(1) })).toBe(false);
    expect(verifyInclusion(hasher, { ...claim, root: new Uint8Array(33) })).toBe(false);
  });

  test('is refused for numbers that count no leaves', () => {
    const claim = claimOf(tree, 3, 7);
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(verifyInclusion(hasher, { ...claim, index: wrong })).toBe(false);
      expect(verifyInclusion(hasher, { ...claim, size: wrong })).toBe(false);
      expect(() => inclusionNodes(wrong, 7)).toThrow(RangeError);
      expect(() => inclusionNodes(3, wrong)).toThrow(RangeError);
    }
    expect(() => inclusionNodes(7, 7)).toThrow(RangeError);
    expect(() => inclusionNodes(0, 0)).toThrow(RangeError);
  });

  test.each([
    ['2^20', 2 ** 20],
    ['2^53 - 1', Number.MAX_SAFE_INTEGER],
  ])('holds in random trees of up to %s leaves', (_, maxSize) => {
    const size = fc.integer({ min: 1, max: maxSize });
    const places = size.chain((leaves) =>
      fc.tuple(
        fc.constant(leaves),
        fc.uniqueArray(fc.integer({ min: 0, max: leaves - 1 }), { minLength: 1, maxLength: 6 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
      ),
    );
    fc.assert(
      fc.property(places, ([leaves, indexes, seed]) => {
        const special = new Map(indexes.map((index) => [index, hasher.hashLeaf(seed.with(0, index % 256))]));
        const random = new NaiveTree(special);
        for (const index of [...indexes, 0, leaves - 1]) {
          const claim = claimOf(random, index, leaves);
          expect(claim.proof).toEqual(random.path(index, 0, leaves));
          expect(verifyInclusion(hasher, claim)).toBe(true);
          const other: Bytes = hasher.hashLeaf(Uint8Array.of(1, 2, 3));
          expect(verifyInclusion(hasher, { ...claim, leafHash: other })).toBe(false);
        }
      }),
      { numRuns: 40 },
    );
  });
});
