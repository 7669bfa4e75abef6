/**
 * The proof that one answer was logged, without a bundle: the leaf of its event, the leaf's inclusion
 * proof and the checkpoint that it leads to.
 */
import { createMerkleHasher } from './hasher.ts';
import { verifyInclusion } from './inclusion.ts';
import { type TrustedKey, trustOf } from './key-trust.ts';
import { type Leaf, type LoggedAnswer, listsEnvelope, parseLeaf } from './leaf.ts';
import { parseOrigin } from './origin.ts';
import { type NoteSuite, openCheckpoint, type SignedCheckpoint } from './signed-checkpoint.ts';
import type { NoteVerifier } from './verifier-key.ts';

export interface Receipt {
  /** The exact bytes of the leaf. */
  readonly leaf: Uint8Array;
  /** From the leaf's sibling upward. */
  readonly inclusionProof: readonly Uint8Array[];
  /** The checkpoint as signed note. */
  readonly checkpoint: string;
  /** The keys that the log says are its own. */
  readonly keys: readonly NoteVerifier[];
}

export interface ReceiptExpectations {
  readonly answer: LoggedAnswer;
  /** Keys named by the verifier; those of other tenants do not count. */
  readonly pins: readonly NoteVerifier[];
}

export type ReceiptFailure =
  | 'NOT_SIGNED' // the checkpoint is not signed by both keys
  | 'OTHER_LOG' // it is of another tenant than the answer, or the pins are
  | 'KEY_NOT_PINNED'
  | 'LEAF_NOT_CANONICAL'
  | 'NOT_INCLUDED' // the leaf is not in the tree that was signed
  | 'OTHER_EVENT' // the leaf is another event's than the answer names
  | 'NOT_LISTED'; // the event does not list the answer

export type ReceiptVerdict =
  | {
      readonly kind: 'LOGGED';
      readonly leaf: Leaf;
      readonly checkpoint: SignedCheckpoint['checkpoint'];
      readonly keys: readonly TrustedKey[];
    }
  | { readonly kind: 'REFUSED'; readonly failure: ReceiptFailure };

/** Whether the answer was logged, as far as the keys of the log are believed. Never throws for what the receipt holds. */
export async function verifyReceipt(
  suite: NoteSuite,
  receipt: Receipt,
  { answer, pins }: ReceiptExpectations,
): Promise<ReceiptVerdict> {
  const refused = (failure: ReceiptFailure): ReceiptVerdict => ({ kind: 'REFUSED', failure });
  const isOwn = ({ name }: NoteVerifier): boolean => parseOrigin(name)?.tenantId === answer.tenantId;
  const ownPins = pins.filter(isOwn);
  const signed = await openCheckpoint(suite, receipt.checkpoint, receipt.keys);
  if (signed === null) return refused('NOT_SIGNED');
  if (!signed.signers.every(isOwn) || (ownPins.length === 0 && pins.length > 0)) return refused('OTHER_LOG');
  const keys = signed.signers.flatMap((key) => {
    const trust = trustOf(key, { pins: ownPins, previous: [] });
    return trust === null ? [] : [{ key, trust }];
  });
  if (keys.length < signed.signers.length) return refused('KEY_NOT_PINNED');
  const leaf = parseLeaf(receipt.leaf);
  if (leaf === null) return refused('LEAF_NOT_CANONICAL');
  const hasher = createMerkleHasher(suite.sha256);
  const isIncluded = verifyInclusion(hasher, {
    index: leaf.index,
    size: signed.checkpoint.size,
    leafHash: hasher.hashLeaf(receipt.leaf),
    proof: receipt.inclusionProof,
    root: signed.checkpoint.root,
  });
  if (!isIncluded) return refused('NOT_INCLUDED');
  if (leaf.id !== answer.auditEventId || leaf.tenantId !== answer.tenantId) return refused('OTHER_EVENT');
  if (!listsEnvelope(leaf, answer.transcriptSha256)) return refused('NOT_LISTED');
  return { kind: 'LOGGED', leaf, checkpoint: signed.checkpoint, keys };
}
