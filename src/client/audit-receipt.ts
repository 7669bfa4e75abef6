/** Receipts of the audit log as programs see them. */

/** A receipt as the gateway gives it; everything binary in base64. */
export interface AuditReceipt {
  /** The exact bytes of the event. */
  readonly leaf: string;
  /** Hashes from the leaf's sibling upward. */
  readonly inclusionProof: readonly string[];
  /** The checkpoint as signed note. */
  readonly checkpoint: string;
  /** What the gateway says are the log's keys. */
  readonly verifierKeys: readonly string[];
}

export interface VerifyReceiptInput {
  /** The answer, as it came. */
  readonly envelope: unknown;
  readonly receipt: AuditReceipt;
  /** Verifier keys of the log that you know; where there are none, those of the receipt are believed. */
  readonly keys?: readonly string[];
}

/** Why a key is believed: you named it, or only the receipt says so. */
export interface ReceiptKey {
  readonly verifierKey: string;
  readonly trust: 'PINNED' | 'FIRST_USE';
}

export interface VerifiedReceipt {
  /** Index of the event in the log. */
  readonly index: number;
  /** The event as it was logged. */
  readonly event: Readonly<Record<string, unknown>>;
  readonly checkpoint: {
    readonly origin: string;
    readonly size: number;
    /** Base64, 32 bytes. */
    readonly root: string;
  };
  /** The two keys that signed the checkpoint. */
  readonly keys: readonly ReceiptKey[];
}
