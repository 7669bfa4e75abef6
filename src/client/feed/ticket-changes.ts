/** What following the changes of tickets gives a program. */
import type { TicketChangeContent } from '../../base/index.ts';

/** One version of a ticket: verified, opened, and exactly the next one of the stream. */
export interface TicketChange {
  /** What the envelope held; `schema/ticket-change.schema.json` describes it. */
  readonly content: Exclude<TicketChangeContent, { readonly kind: 'GAP' }>;
  /** The place after this change: keep it once the change is dealt with, and follow from it the next time. */
  readonly cursor: string;
  readonly sequence: number;
  /** When the gateway took the change into the stream. Not signed itself; within minutes of what is. */
  readonly occurredAt: Date;
  /** `aud_…`: the entry of the audit log that tells of it. */
  readonly auditEventId: string;
  /** SHA-256 of the transcript, base64url: the receipt to hold against the audit log. */
  readonly transcriptSha256: string;
}

/** How far the stream has come, as the gateway signed it. */
export interface SignedPosition {
  /** Of the last change. */
  readonly sequence: number;
  readonly issuedAt: Date;
  /**
   * Every ticket whose last change at Zendesk was before this time is in the stream as it then was, up to
   * `sequence`; `null` where nothing tells.
   */
  readonly completeUntil: Date | null;
}

/** What a connection is doing, for people to see. */
export type FeedState =
  | { readonly kind: 'CONNECTING' }
  /** A signed position came: the first one of a connection, or a later one while nothing changes. */
  | { readonly kind: 'FOLLOWING'; readonly position: SignedPosition }
  /** The connection was closed, since nobody took what it brought; the next call opens another. */
  | { readonly kind: 'PAUSED' }
  /** It failed with `error` and is tried again after so many milliseconds. */
  | { readonly kind: 'WAITING'; readonly error: Error; readonly milliseconds: number };

/**
 * Changes in the order of the stream, none missing and none twice. Take them by `for await`; leaving the loop, or
 * `await using`, ends the subscription.
 */
export interface TicketChanges extends AsyncIterableIterator<TicketChange, undefined>, AsyncDisposable {
  /**
   * The last place reached, beyond entries that the filter left out, too; `null` before the first position. While a
   * change is being dealt with, it is the place after that change.
   */
  readonly cursor: string | null;
  /** The newest signed position, `null` before the first. */
  readonly position: SignedPosition | null;
  /**
   * Connects, and resolves with the cursor once the signed position is there: take a snapshot then, and iterate
   * afterwards, and nothing between the two is missed. Rejects as `next` does.
   */
  ready(): Promise<string>;
  /**
   * The next change. Rejects, and has ended then, with SealdeskError where the gateway refuses for a reason that does
   * not pass; FeedIntegrityError; FeedGapError; GatewayAnswerError for an entry that only a newer client
   * understands; the reason of an aborted `signal`; what the functions that were passed in throw. Whatever passes is
   * tried again for as long as it takes.
   */
  next(): Promise<IteratorResult<TicketChange, undefined>>;
  return(): Promise<IteratorResult<TicketChange, undefined>>;
}
