/**
 * The log of the audit events as a Merkle tree that outsiders can verify: hashes and proofs of RFC 9162
 * §2.1, checkpoints and signed notes of C2SP. Pure: no I/O, no clock, hash function and signatures are
 * given. Specified in `docs/audit.md`.
 */
export type { EpochCheckpoint } from './bundle/bundle-head.ts';
export {
  BUNDLE_LIMITS,
  type BundleHeader,
  type BundleLine,
  type EventLine,
  encodeBundleLine,
  HISTORY_TYPES,
  type HistoryLine,
  type HistoryType,
} from './bundle/bundle-line.ts';
export {
  BUNDLE_FAILURES,
  type BundleFact,
  type BundleFailure,
  type BundleFailureCode,
  type BundleVerdict,
  type SignerFact,
  type UnprovenParts,
} from './bundle/bundle-verdict.ts';
export { describeSigner, describeVerdict, type VerdictWords } from './bundle/describe-verdict.ts';
export { parseBundleLine } from './bundle/parse-bundle-line.ts';
export {
  type BundleExpectations,
  type HeldVerdict,
  readHeldCheckpoint,
  verifyBundle,
} from './bundle/verify-bundle.ts';
export { type Checkpoint, encodeCheckpoint, MAX_CHECKPOINT_TEXT, parseCheckpoint } from './checkpoint.ts';
export {
  type ConsistencyClaim,
  consistencyNodes,
  createConsistencyProof,
  type TreeSizes,
  verifyConsistency,
} from './consistency.ts';
export {
  type AppendedLeaves,
  appendLeafHashes,
  appendLeaves,
  EMPTY_FRONTIER,
  encodeFrontier,
  type Frontier,
  parseFrontier,
  rootOfFrontier,
} from './frontier.ts';
export { createMerkleHasher, HASH_SIZE, type MerkleHasher, type Sha256 } from './hasher.ts';
export {
  createInclusionProof,
  type InclusionClaim,
  inclusionNodes,
  type LeafPlace,
  verifyInclusion,
} from './inclusion.ts';
export { isKeyName, MAX_NAME_LENGTH } from './key-name.ts';
export { type KeyTrust, type TrustedKey, verifierFingerprint } from './key-trust.ts';
export type { Leaf, LoggedAnswer } from './leaf.ts';
export { encodeOrigin, type LogName, MAX_EPOCH, parseOrigin } from './origin.ts';
export type { NodeAddress, NodeReader, TreeNode } from './perfect-nodes.ts';
export { type RangeClaim, type RangeOfTree, rangeNodes, rootOfRange } from './range.ts';
export {
  type Receipt,
  type ReceiptExpectations,
  type ReceiptFailure,
  type ReceiptVerdict,
  verifyReceipt,
} from './receipt.ts';
export { type NoteSuite, openCheckpoint, type SignedCheckpoint } from './signed-checkpoint.ts';
export {
  encodeSignedNote,
  KEY_ID_SIZE,
  NOTE_LIMITS,
  type NoteSignature,
  parseSignedNote,
  type SignedNote,
} from './signed-note.ts';
export {
  CHECKPOINT_CONTEXT,
  createNoteVerifier,
  encodeVerifierKey,
  MAX_VERIFIER_KEY,
  NOTE_KEY_FORMATS,
  type NoteKeyFormat,
  type NoteKeyType,
  type NoteVerifier,
  noteKeyId,
  parseVerifierKey,
} from './verifier-key.ts';
