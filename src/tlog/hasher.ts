import { type Bytes, concatBytes } from '../base/index.ts';

/** The size of every hash of a tree, in bytes. */
export const HASH_SIZE = 32;

/** SHA-256 (FIPS 180-4), synchronous; given by the caller, so that this room needs no platform. */
export type Sha256 = (data: Uint8Array) => Bytes;

/** The hashes of RFC 9162 §2.1.1 (the same as RFC 6962 §2.1): prefixed, so that no leaf can pass for a node. */
export interface MerkleHasher {
  /** SHA-256(0x00 ‖ leaf). */
  hashLeaf(leaf: Uint8Array): Bytes;
  /** SHA-256(0x01 ‖ left ‖ right), for two hashes of 32 bytes. */
  hashNode(left: Uint8Array, right: Uint8Array): Bytes;
  /** SHA-256 of nothing: the root of the empty tree. */
  hashEmpty(): Bytes;
}

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = 1;

export function createMerkleHasher(sha256: Sha256): MerkleHasher {
  // Filled anew for each node: the hash is made before anybody else can fill it.
  const node = new Uint8Array(1 + 2 * HASH_SIZE);
  node[0] = NODE_PREFIX;
  return Object.freeze({
    hashLeaf: (leaf: Uint8Array) => sha256(concatBytes(LEAF_PREFIX, leaf)),
    hashNode(left: Uint8Array, right: Uint8Array) {
      assertHash('left', left);
      assertHash('right', right);
      node.set(left, 1);
      node.set(right, 1 + HASH_SIZE);
      return sha256(node);
    },
    hashEmpty: () => sha256(new Uint8Array(0)),
  });
}

/** Throws RangeError unless `hash` is 32 bytes long. */
export function assertHash(name: string, hash: Uint8Array): void {
  if (hash.length !== HASH_SIZE)
    throw new RangeError(`"${name}" must be ${HASH_SIZE} bytes, got ${hash.length}`);
}
