/** What is kept of one bucket between two exchanges: plain JSON, times in milliseconds of the ledger's clock. */

export interface BucketState {
  /** Calls a window as Zendesk told it last; `null` before the first answer that does. */
  limit: number | null;
  /** `[bin, calls]`: calls that finished in each quarter second of the last window, oldest first. */
  log: [bin: number, calls: number][];
  /** Calls that have left the log since ever. */
  freed: number;
  /** Tokens granted and not settled, by process. */
  holders: Record<string, { out: number; seenAt: number }>;
  /** When a token was granted last. */
  grantedAt: number;
  /** Calls without a reading, settled at `at` or before, that no reading is known to include. */
  blind: { calls: number; at: number };
  reading: ReadingState | null;
  others: OthersState;
}

/** What answers told lately. */
export interface ReadingState {
  /** When the newest was settled. */
  at: number;
  /** Since when answers have come without a long break. */
  metAt: number;
  /** The latest grant of a call whose reading is known. */
  newestGrant: number;
  /** The least that was told remaining in each batch that no later reading is known to supersede. */
  batches: { at: number; least: number }[];
  /** When more is promised; `null` where answers do not tell. */
  resetsAt: number | null;
  /** Whether windows were seen to end at once, or to slide. */
  window: 'UNKNOWN' | 'FIXED' | 'SLIDING';
  /** Our calls that were freed, or about to be, when the newest reading was settled. */
  freed: number;
}

/** What other consumers of the account were seen to use. */
export interface OthersState {
  /** Calls a second, measured at `measuredAt`. */
  rate: number;
  measuredAt: number;
  /** Calls that the last window held beyond ours, by the newest reading. */
  level: number;
  /** Readings since room was last seen to grow: each value told belongs to one call, ours or another's. */
  span: { greatest: number; least: number; ours: number; sampledAt: number; unexplained: number } | null;
}

export function emptyBucket(): BucketState {
  return {
    limit: null,
    log: [],
    freed: 0,
    holders: {},
    grantedAt: 0,
    blind: { calls: 0, at: 0 },
    reading: null,
    others: { rate: 0, measuredAt: 0, level: 0, span: null },
  };
}
