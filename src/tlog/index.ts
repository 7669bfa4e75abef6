/** The Merkle tree of the audit log: hashes, frontier, root (RFC 9162 §2.1). Pure: no I/O, no clock, the hash function is given. */
export {
  appendLeafHashes,
  EMPTY_FRONTIER,
  encodeFrontier,
  type Frontier,
  parseFrontier,
  rootOfFrontier,
} from './frontier.ts';
export { createMerkleHasher, HASH_SIZE, type MerkleHasher, type Sha256 } from './hasher.ts';
