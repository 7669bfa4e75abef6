/** What came of verifying a bundle: facts that were proven, in the order of their proof, and the first failure. */
import type { KeyTrust } from '../key-trust.ts';
import type { LeafRange } from '../perfect-nodes.ts';
import type { NoteKeyType } from '../verifier-key.ts';
import type { BundleHeader } from './bundle-line.ts';

export interface SignerFact {
  readonly type: NoteKeyType;
  /** Its verifier key as text. */
  readonly verifierKey: string;
  /** SHA-256 of that text, hexadecimal. */
  readonly fingerprint: string;
  readonly trust: KeyTrust;
}

export type BundleFact =
  /** Both keys of the log signed its size and root. */
  | { readonly fact: 'SIGNED'; readonly signers: readonly SignerFact[] }
  /** The events [from, to) stand in the tree that was signed, each at its index. */
  | { readonly fact: 'COMPLETE'; readonly range: LeafRange }
  /** The tree of `size` that was signed before is the beginning of this one. */
  | { readonly fact: 'EXTENDS'; readonly size: number; readonly heldBy: 'VERIFIER' | 'BUNDLE' }
  /** An operator accepted a restored log; what stood in the epoch before may be missing. */
  | {
      readonly fact: 'RESTORED';
      readonly index: number;
      readonly endedEpoch: number;
      /** Events of that epoch, as far as the operator could vouch for them. */
      readonly endedSize: number;
    }
  /** The log was restored, and the tree of `size` of the epoch before is not its beginning. */
  | { readonly fact: 'LOST'; readonly size: number }
  /** The event lists the envelope. */
  | { readonly fact: 'LOGGED'; readonly auditEventId: string; readonly index: number };

export const BUNDLE_FAILURES = Object.freeze([
  'MALFORMED', // a line that is not canonical, or not the one that has to come
  'TRUNCATED', // the file ends before its end line, or counts other lines
  'KEY_MALFORMED',
  'KEY_NOT_PINNED', // signed by another key than the pinned one
  'KEY_CHANGED', // signed by another key than the bundle before
  'EARLIER_KEY', // the earlier checkpoint is signed by a key that is not known
  'NOT_SIGNED', // a signature is missing or wrong
  'OTHER_CHECKPOINT', // the checkpoint is of another log or size than the bundle
  'OTHER_LOG', // the bundle is of another tenant than what the verifier holds
  'OLDER_EPOCH',
  'EPOCH_NOT_EXPLAINED', // another epoch without the event that opens it
  'WRONG_PROOF', // the consistency proof does not begin with the root that the events give
  'WRONG_NODES', // not the nodes that complete the events
  'INDEX_GAP',
  'LEAF_NOT_CANONICAL',
  'LEAF_MISPLACED', // its own index is another
  'LEAF_FOREIGN', // its own tenant is another
  'LEAF_ALTERED', // it has not the hash that stands beside it
  'ROOT_MISMATCH', // events and nodes do not give the root that was signed
  'SHRUNK', // the log is smaller than what the verifier holds
  'REWRITTEN', // the log no longer begins with what was signed before
  'NOT_COMPARABLE', // nothing in the bundle leads to what the verifier holds
  'RECEIPT_NOT_FOUND', // no event has the envelope's id
  'RECEIPT_NOT_LISTED', // the event does not list the envelope
] as const);
export type BundleFailureCode = (typeof BUNDLE_FAILURES)[number];

export interface BundleFailure {
  readonly code: BundleFailureCode;
  /** Of the line at fault, from 1; `null` where it is none in particular. */
  readonly line: number | null;
  /** Of the first event that is not as it was logged; `null` where it cannot be told or it is no event. */
  readonly brokenIndex: number | null;
  /** The events among which it is, where it cannot be told more closely. */
  readonly range: LeafRange | null;
}

/** What the bundle says of itself and the tree does not prove. */
export interface UnprovenParts {
  readonly historyLines: number;
  /** Whether a consistency proof was left unused, since nothing says the root that it begins with. */
  readonly hasUnusedProof: boolean;
}

export type BundleVerdict =
  | {
      readonly kind: 'PROVEN';
      readonly header: BundleHeader;
      readonly facts: readonly BundleFact[];
      readonly unproven: UnprovenParts;
    }
  | {
      readonly kind: 'REFUSED';
      /** `null` where not even that could be read. */
      readonly header: BundleHeader | null;
      readonly facts: readonly BundleFact[];
      readonly failure: BundleFailure;
    };

/** Thrown within the room where a bundle fails; the verifier makes a verdict of it. */
export class BundleRefusal extends Error {
  override readonly name = 'BundleRefusal';
  readonly failure: BundleFailure;

  constructor(code: BundleFailureCode, where: Partial<Omit<BundleFailure, 'code'>> = {}) {
    super(code);
    this.failure = { code, line: null, brokenIndex: null, range: null, ...where };
  }
}
