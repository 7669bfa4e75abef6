import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, encodeHex, encodeUtf8 } from '../../src/base/index.ts';
import {
  appendLeafHashes,
  createMerkleHasher,
  EMPTY_FRONTIER,
  encodeFrontier,
  type Frontier,
  parseFrontier,
  rootOfFrontier,
} from '../../src/tlog/index.ts';

const sha256 = (data: Uint8Array): Bytes => Uint8Array.from(createHash('sha256').update(data).digest());
const hasher = createMerkleHasher(sha256);

/** MTH of RFC 9162 §2.1.1, word for word: the largest power of two smaller than n splits the leaves. */
function naiveRoot(leaves: readonly Uint8Array[]): Bytes {
  if (leaves.length === 0) return sha256(new Uint8Array(0));
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return sha256(Uint8Array.from([0, ...only]));
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(
    Uint8Array.from([1, ...naiveRoot(leaves.slice(0, split)), ...naiveRoot(leaves.slice(split))]),
  );
}

function append(leaves: readonly Uint8Array[], to: Frontier = EMPTY_FRONTIER): Frontier {
  return appendLeafHashes(hasher, to, leaves.map(hasher.hashLeaf));
}

describe('The hash of a leaf', () => {
  test('is that of the prefix and the leaf, whatever the sizes of it and of the one before', () => {
    const sizes = [0, 1, 2_047, 2_048, 2_049, 5_000, 3, 2_048, 0];
    for (const size of sizes) {
      const leaf = new Uint8Array(size).fill(size % 251);
      expect(hasher.hashLeaf(leaf), `${size} bytes`).toEqual(sha256(Uint8Array.from([0, ...leaf])));
    }
  });
});

describe('A frontier', () => {
  test('has the roots that RFC 6962 test data gives for the trees of 0 to 8 leaves', () => {
    const leaves = [
      [],
      [0x00],
      [0x10],
      [0x20, 0x21],
      [0x30, 0x31],
      [0x40, 0x41, 0x42, 0x43],
      [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
      Array.from({ length: 16 }, (_, index) => 0x60 + index),
    ].map((bytes) => Uint8Array.from(bytes));
    const roots = [
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ];
    roots.forEach((root, size) => {
      expect(encodeHex(rootOfFrontier(hasher, append(leaves.slice(0, size))))).toBe(root);
    });
  });

  test('has the root of the naive tree at every size up to 256, and survives its encoding at each', () => {
    const leaves = Array.from({ length: 256 }, (_, index) => encodeUtf8(`leaf ${index}`));
    let frontier = EMPTY_FRONTIER;
    for (let size = 0; size <= leaves.length; size += 1) {
      expect(rootOfFrontier(hasher, frontier)).toEqual(naiveRoot(leaves.slice(0, size)));
      expect(parseFrontier(size, encodeFrontier(frontier))).toEqual(frontier);
      frontier = append(leaves.slice(size, size + 1), frontier);
    }
  });

  test('does not depend on how the leaves were grouped', () => {
    const leaf = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.array(fc.array(leaf, { maxLength: 9 }), { maxLength: 9 }), (groups) => {
        const grouped = groups.reduce((frontier, group) => append(group, frontier), EMPTY_FRONTIER);
        expect(grouped).toEqual(append(groups.flat()));
        expect(rootOfFrontier(hasher, grouped)).toEqual(naiveRoot(groups.flat()));
      }),
    );
  });

  test('has another root when any leaf changes', () => {
    const leaves = fc.array(fc.uint8Array({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(leaves, fc.nat(), (before, pick) => {
        const at = pick % before.length;
        const after = before.map((leaf, index) => (index === at ? leaf.map((byte) => byte ^ 1) : leaf));
        expect(rootOfFrontier(hasher, append(after))).not.toEqual(rootOfFrontier(hasher, append(before)));
      }),
    );
  });

  test('is not changed by appending to it', () => {
    const before = append([encodeUtf8('a')]);
    const copy = encodeHex(encodeFrontier(before));
    append([encodeUtf8('b')], before);
    expect(before.size).toBe(1);
    expect(encodeHex(encodeFrontier(before))).toBe(copy);
  });

  test('is refused by the parser when its length does not fit the size', () => {
    const bytes = encodeFrontier(append([1, 2, 3].map((byte) => Uint8Array.of(byte))));
    expect(parseFrontier(3, bytes)).not.toBeNull();
    for (const size of [-1, 0, 1, 2, 4, 7, 1.5, 2 ** 53]) expect(parseFrontier(size, bytes)).toBeNull();
    expect(parseFrontier(3, bytes.subarray(1))).toBeNull();
  });

  test('counts subtrees beyond 32 bits', () => {
    const size = 2 ** 40 + 2 ** 33 + 1;
    const frontier = parseFrontier(size, new Uint8Array(3 * 32));
    if (frontier === null) throw new Error('The frontier of three subtrees was refused');
    expect(append([encodeUtf8('x')], frontier)).toMatchObject({ size: size + 1 });
    expect(append([encodeUtf8('x')], frontier).roots).toHaveLength(3);
  });
});

describe('A hasher', () => {
  test('never gives a leaf the hash of a node', () => {
    const left = hasher.hashLeaf(encodeUtf8('l'));
    const right = hasher.hashLeaf(encodeUtf8('r'));
    expect(hasher.hashLeaf(Uint8Array.from([...left, ...right]))).not.toEqual(hasher.hashNode(left, right));
  });

  test('refuses hashes of another length', () => {
    const hash = new Uint8Array(32);
    expect(() => hasher.hashNode(hash.subarray(1), hash)).toThrow(RangeError);
    expect(() => hasher.hashNode(hash, new Uint8Array(33))).toThrow(RangeError);
    expect(() => appendLeafHashes(hasher, EMPTY_FRONTIER, [new Uint8Array(31)])).toThrow(RangeError);
    expect(() => appendLeafHashes(hasher, { size: 1, roots: [] }, [hash])).toThrow(RangeError);
  });
});
