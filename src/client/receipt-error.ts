import type { ReceiptFailure } from '../tlog/index.ts';

const TEXTS: Readonly<Record<ReceiptErrorCode, string>> = Object.freeze({
  MALFORMED: 'it is not a receipt of a gateway',
  NOT_SIGNED: 'its checkpoint is not signed by both keys of the log',
  OTHER_LOG: 'it is of the log of another tenant',
  KEY_NOT_PINNED: 'its checkpoint is signed by another key than the one that was named',
  LEAF_NOT_CANONICAL: 'its leaf is not the canonical JSON of an event',
  NOT_INCLUDED: 'its event is not in the log that was signed',
  OTHER_EVENT: 'its event is not the one that the envelope names',
  NOT_LISTED: 'its event does not list this envelope',
});

export type ReceiptErrorCode = ReceiptFailure | 'MALFORMED';

/** A receipt that does not prove that the answer was logged. */
export class ReceiptError extends Error {
  override readonly name = 'ReceiptError';
  readonly code: ReceiptErrorCode;

  constructor(code: ReceiptErrorCode) {
    super(`The receipt does not prove that the answer was logged: ${TEXTS[code]}.`);
    this.code = code;
  }
}
