/** The clocks of a feed, in milliseconds. */
export interface FeedTimes {
  /** How long a lease holds unless it is renewed: how long a dead holder stands in the way. */
  readonly lease: number;
  readonly renew: number;
  /** Between two looks for feeds that nobody attends to. */
  readonly scan: number;
  /** Between two looks for marks without a hint. */
  readonly poll: number;
  /** Between a hint and the load it leads to: one change of a ticket is several webhooks, which all tell a part of it. */
  readonly gather: number;
  /** Between two loads of a feed under load, so that what comes at once is loaded at once. */
  readonly spacing: number;
  /** Before a ticket that Zendesk does not show yet is asked for again; doubled with every try. */
  readonly retry: number;
  /** Between two readings of the export at its end. */
  readonly export: number;
  /** The time before the present of which Zendesk's export holds nothing yet (zendesk-api §8). */
  readonly exportLag: number;
  /** Before the export is tried again that the credential may not read. */
  readonly forbidden: number;
  readonly purge: number;
  /** After failures. */
  readonly backOff: { readonly least: number; readonly most: number };
}

export const DEFAULT_FEED_TIMES: FeedTimes = Object.freeze({
  lease: 10_000,
  renew: 3_000,
  scan: 2_000,
  poll: 1_000,
  gather: 100,
  spacing: 250,
  retry: 1_000,
  export: 60_000,
  exportLag: 60_000,
  forbidden: 600_000,
  purge: 60_000,
  backOff: Object.freeze({ least: 1_000, most: 60_000 }),
});
