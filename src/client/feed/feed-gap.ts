/** Places of a stream where changes may be missing, and what a program is asked to do about them. */

/**
 * Why changes may be missing. NO_ACTIVE_KEY: for a time there was no active key to seal to. SOURCE_RESTARTED: Zendesk's
 * export had to begin anew. Both are signed. CURSOR_EXPIRED: the gateway keeps nothing any more of what comes
 * after the cursor; nobody signs that, and whoever breaks TLS can cause it.
 */
export type FeedGapReason = 'NO_ACTIVE_KEY' | 'SOURCE_RESTARTED' | 'CURSOR_EXPIRED';

export interface FeedGap {
  readonly reason: FeedGapReason;
  /** The place after the gap: what a snapshot that is taken now is to be kept with. */
  readonly cursor: string;
}

/** There is a gap, and no `onGap` to take a new snapshot: take one and follow from `cursor`. */
export class FeedGapError extends Error {
  override readonly name = 'FeedGapError';
  readonly code = 'FEED_GAP';
  readonly reason: FeedGapReason;
  readonly cursor: string;

  constructor({ reason, cursor }: FeedGap) {
    super(`Changes may be missing from the feed (${reason}): take a new snapshot, then go on from "cursor".`);
    this.reason = reason;
    this.cursor = cursor;
  }
}
