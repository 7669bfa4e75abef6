import type { SealdeskError } from '../../base/index.ts';
import type { AuthenticatedCall, Call } from '../../proxy/index.ts';
import type { TicketFeedEvent } from './ticket-feed-event.ts';

/** What is subscribed to, and from where. */
export interface TicketSubscription {
  readonly integrationId: string;
  /** The cursor to go on from; `null` begins at the present. */
  readonly after: string | null;
}

/** One connection of one caller, for as long as it may have what it subscribed to. */
export interface TicketSession extends AsyncDisposable {
  readonly call: AuthenticatedCall;
  /**
   * The events after `after`, the position first. Pulled: nothing is kept for a subscriber that does not ask.
   * Rejects, and the iteration ends, with NOT_FOUND, FORBIDDEN, OPERATION_NOT_ALLOWED, CONFLICT where the feed
   * or the integration is off, VALIDATION_FAILED or CURSOR_EXPIRED for the cursor, TOO_MANY_REQUESTS, with the
   * failures of the recipient, KMS_UNAVAILABLE and AUDIT_UNAVAILABLE; it returns when `signal` is aborted.
   */
  subscribe(
    subscription: TicketSubscription,
    signal: AbortSignal,
  ): Promise<AsyncIterableIterator<TicketFeedEvent>>;
}

export interface SessionOptions {
  /** Called once, when a key of the caller has ended; the session is over then. */
  readonly onEnd: (failure: SealdeskError) => void;
  /** Records a failure, unless it names its event already. */
  readonly recordFailure: (call: Call, failure: SealdeskError) => Promise<SealdeskError>;
}
