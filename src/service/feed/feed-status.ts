/** How a feed stands, for those who run it and those who read it. */

export type FeedWebhookState = 'ACTIVE' | 'NONE' | 'FAULTY';
export type FeedExportState = 'CURRENT' | 'CATCHING_UP' | 'FAULTY' | 'NOT_YET';

export interface FeedStatusView {
  readonly integrationId: string;
  readonly status: 'ENABLED' | 'DISABLED';
  readonly enabledAt: Date;
  readonly webhook: {
    /** ACTIVE: Zendesk calls the gateway. NONE: it has not been asked to. FAULTY: it could not be asked to. */
    readonly state: FeedWebhookState;
    /** An upper-case token, such as NO_PUBLIC_ADDRESS or UPSTREAM_FORBIDDEN. */
    readonly fault: string | null;
    /** `null` where none came within the last hour. */
    readonly lastReceivedAt: Date | null;
  };
  readonly export: {
    /** NOT_YET: it was never asked. CATCHING_UP: there is more than was read. */
    readonly state: FeedExportState;
    readonly polledAt: Date | null;
    /** Every change before it has been seen. */
    readonly completeUntil: Date | null;
    /** The code of the failure. */
    readonly fault: string | null;
  };
  /** Seconds by which the feed is behind Zendesk: the age of the oldest change that waits; without a webhook, that of `completeUntil` where it is more. */
  readonly lagSeconds: number;
  /** Tickets that may have a version that is not in the feed yet. */
  readonly waiting: number;
  readonly lastAppendedAt: Date | null;
  /** The newest place of the caller's own stream; `null` where the call names no recipient, or nobody subscribed with its key yet. */
  readonly lastCursor: string | null;
  readonly lastSequence: number | null;
  /** The process that attends to the feed, an opaque name. */
  readonly leaseHolder: string | null;
  readonly leaseUntil: Date | null;
  /** Versions that were appended. */
  readonly appended: number;
  /** Those of them that no webhook told of. */
  readonly repaired: number;
  /** Streams that changes are sealed for. */
  readonly streams: number;
  /** Why tickets cannot be loaded, the code of the failure. */
  readonly loadFault: string | null;
}
