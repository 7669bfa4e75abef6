/** What can be wrong with a stream, and the error that says so once it is wrong again and again. */

/** Each way in which a stream can be found to differ from what the gateway signed. */
const VIOLATIONS = {
  FORGED:
    'an envelope was not accepted: altered, signed by an unknown key, or meant for another key or stream',
  ALTERED: 'a cursor, number or time beside an envelope differs from what the envelope signs',
  NO_POSITION: 'a change came before the signed position with which every connection begins',
  DROPPED: 'a change is missing before the one that came',
  REPEATED: 'a change came that had come before',
  REPLAYED: 'the signed position is older than what had come before',
  WITHHELD: 'changes up to the signed position did not come',
  STALE: 'the signed position is not of the present; if nobody alters it, the clock here or there is wrong',
} as const;

export type FeedViolation = keyof typeof VIOLATIONS;

/**
 * The stream is not what the gateway signed, found three times without any progress between. Nothing of what was
 * wrong was handed over. Going on from `cursor` is safe; look for what alters the connection first.
 */
export class FeedIntegrityError extends Error {
  override readonly name = 'FeedIntegrityError';
  readonly code = 'FEED_INTEGRITY';
  readonly violation: FeedViolation;
  /** The last place up to which everything was in order; `null` before the first position. */
  readonly cursor: string | null;

  constructor(violation: FeedViolation, cursor: string | null, options?: ErrorOptions) {
    super(`The change feed cannot be trusted: ${VIOLATIONS[violation]} (${violation}).`, options);
    this.violation = violation;
    this.cursor = cursor;
  }
}
