import type { SealdeskError } from '../../base/index.ts';
import type { AuthenticatedCall, Call } from '../../proxy/index.ts';
import type { AccessSyncRunView } from '../access-sync/sync-view.ts';
import type { AuditTailEvent } from '../audit/audit-tail-event.ts';
import type { TicketFeedEvent } from './ticket-feed-event.ts';

/** What is subscribed to, and from where. */
export interface TicketSubscription {
  readonly integrationId: string;
  /** The cursor to go on from; `null` begins at the present. */
  readonly after: string | null;
}

/** One connection of one caller, for as long as it may have what it subscribed to: changes of tickets, the audit log, or how a sync comes on. */
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
  /**
   * The events of the audit log after the cursor `after`, as they are appended, or from now on where it is `null`.
   * Pulled. Rejects, and the iteration ends, with FORBIDDEN, VALIDATION_FAILED for the cursor, TOO_MANY_REQUESTS,
   * UNAUTHENTICATED, KMS_UNAVAILABLE and AUDIT_UNAVAILABLE; it returns when `signal` is aborted.
   */
  followAudit(after: string | null, signal: AbortSignal): Promise<AsyncIterableIterator<AuditTailEvent>>;
  /**
   * An access sync as it stands, and again whenever it comes further, until it is over. Pulled. Rejects, and the
   * iteration ends, with FORBIDDEN, NOT_FOUND, OPERATION_NOT_ALLOWED, TOO_MANY_REQUESTS, UNAUTHENTICATED,
   * KMS_UNAVAILABLE and AUDIT_UNAVAILABLE; it returns when `signal` is aborted.
   */
  followSync(runId: string, signal: AbortSignal): Promise<AsyncIterableIterator<AccessSyncRunView>>;
}

export interface SessionOptions {
  /** Called once, when a key of the caller has ended; the session is over then. */
  readonly onEnd: (failure: SealdeskError) => void;
  /** Called once, when a signed login is as old as one may become; the session is over then, and a new login goes on. */
  readonly onExpired: () => void;
  /** Records a failure, unless it names its event already. */
  readonly recordFailure: (call: Call, failure: SealdeskError) => Promise<SealdeskError>;
}
