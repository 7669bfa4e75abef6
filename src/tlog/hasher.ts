import { type Bytes, concatBytes } from '../base/index.ts';

/** The size of every hash of a tree, in bytes. */
export const HASH_SIZE = 32;

/**
 * SHA-256 (FIPS 180-4), synchronous; given by the caller, so that this room needs no platform. It keeps no reference
 * to `data`, which is overwritten after the call.
 */
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

const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;
/** Longer leaves are copied into a buffer of their own. */
const USUAL_LEAF_SIZE = 2_048;

export function createMerkleHasher(sha256: Sha256): MerkleHasher {
  // Filled anew for each hash, which is made before anybody else can fill them: a buffer costs as much as a hash.
  const node = new Uint8Array(1 + 2 * HASH_SIZE);
  node[0] = NODE_PREFIX;
  const usualLeaf = new Uint8Array(1 + USUAL_LEAF_SIZE);
  usualLeaf[0] = LEAF_PREFIX;
  return Object.freeze({
    hashLeaf(leaf: Uint8Array) {
      if (leaf.length > USUAL_LEAF_SIZE) return sha256(concatBytes(Uint8Array.of(LEAF_PREFIX), leaf));
      usualLeaf.set(leaf, 1);
      return sha256(usualLeaf.subarray(0, 1 + leaf.length));
    },
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
