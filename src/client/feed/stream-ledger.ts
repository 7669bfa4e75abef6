/**
 * What has been received of one stream, and what must come next. It decides by what envelopes sign; fields
 * beside them must say the same. Nothing is taken that is not exactly the next, so that a change that was
 * dropped, repeated, put in another order or replayed is found by the first one that is not in its place.
 *
 * What is withheld at the end has no later one to tell of it: positions do. Each signs how far the stream had
 * come. Whatever one of them announces must have come by the next.
 *
 * Across connections a position may be somewhat older than the last, since another process may have sealed it;
 * within one it may not.
 */
import { encodeFeedCursor, type FeedPlace, parseFeedCursor } from '../../base/index.ts';
import type { ProtectedHeader } from '../../envelope/index.ts';
import type { FeedEvent } from './feed-event.ts';
import { FeedIntegrityError, type FeedViolation } from './feed-integrity-error.ts';

export const LEDGER_LIMITS = Object.freeze({
  /** Milliseconds that an honest position may have waited: sealed once for an interval of 30 s. */
  maxPositionAge: 60_000,
  /** Milliseconds between the time of an entry and that of its envelope. */
  maxTimeDifference: 300_000,
});

export interface LedgerOptions {
  readonly integrationId: string;
  readonly after: FeedPlace | null;
  /** Milliseconds by which the clocks may differ. */
  readonly maxClockSkew: number;
}

export class StreamLedger {
  readonly #integrationId: string;
  readonly #maxClockSkew: number;
  /** `int_…/key_…`, once it is known: the same for the ledger's life. */
  #stream: string | null;
  #received: number | null;
  /** The greatest sequence that a position signed. */
  #announced = 0;
  /** Unix seconds of the last position of this connection; `null` before its first. */
  #issuedAt: number | null = null;

  constructor({ integrationId, after, maxClockSkew }: LedgerOptions) {
    this.#integrationId = integrationId;
    this.#maxClockSkew = maxClockSkew;
    this.#stream = after?.stream ?? null;
    this.#received = after?.sequence ?? null;
  }

  /** The place after the last entry, or where the first position put it. */
  get cursor(): string | null {
    if (this.#stream === null || this.#received === null) return null;
    return encodeFeedCursor({ stream: this.#stream, sequence: this.#received });
  }

  /** Whether this connection has told its position. */
  get isPinned(): boolean {
    return this.#issuedAt !== null;
  }

  /** Whether entries must come that a position of this connection announced. */
  get isOwed(): boolean {
    return this.isPinned && this.#received !== null && this.#received < this.#announced;
  }

  beginConnection(): void {
    this.#issuedAt = null;
  }

  /** The next position tells where to begin: what was announced before is given up. */
  restart(): void {
    this.#received = null;
    this.#announced = 0;
  }

  /** Takes a position that came at `at` (milliseconds since 1970). Throws FeedIntegrityError, and then nothing is changed. */
  takePosition(header: ProtectedHeader, event: FeedEvent, at: number): void {
    const { stream, sequence } = this.#signedPlace(header, event);
    const received = this.#received ?? sequence;
    this.#comparePlace(event.cursor, { stream, sequence: received });
    const age = at - header.issued_at * 1000;
    if (age < -this.#maxClockSkew || age > this.#maxClockSkew + LEDGER_LIMITS.maxPositionAge) {
      throw this.violation('STALE');
    }
    const isOlder = this.#issuedAt !== null && header.issued_at < this.#issuedAt;
    if (isOlder || sequence < received) throw this.violation('REPLAYED');
    if (this.isOwed) throw this.violation('WITHHELD');
    this.#stream = stream;
    this.#received = received;
    this.#announced = Math.max(this.#announced, sequence);
    this.#issuedAt = header.issued_at;
  }

  /** Takes a change. Throws FeedIntegrityError, and then nothing is changed. */
  takeChange(header: ProtectedHeader, event: Extract<FeedEvent, { kind: 'CHANGE' }>): void {
    if (!this.isPinned || this.#received === null) throw this.violation('NO_POSITION');
    const place = this.#signedPlace(header, event);
    this.#comparePlace(event.cursor, place);
    const difference = Math.abs(event.occurredAt.getTime() - header.issued_at * 1000);
    if (!(difference <= LEDGER_LIMITS.maxTimeDifference)) throw this.violation('ALTERED');
    if (place.sequence <= this.#received) throw this.violation('REPEATED');
    if (place.sequence > this.#received + 1) throw this.violation('DROPPED');
    this.#received = place.sequence;
  }

  violation(violation: FeedViolation, cause?: unknown): FeedIntegrityError {
    return new FeedIntegrityError(violation, this.cursor, cause === undefined ? undefined : { cause });
  }

  /** Stream and sequence as they are signed, which must be of this stream and what `event` says. */
  #signedPlace({ stream = '', sequence = -1 }: ProtectedHeader, event: FeedEvent): FeedPlace {
    const isOurs = stream === (this.#stream ?? stream) && stream.startsWith(`${this.#integrationId}/`);
    if (!isOurs) throw this.violation('FORGED');
    if (event.sequence !== sequence) throw this.violation('ALTERED');
    return { stream, sequence };
  }

  #comparePlace(cursor: string, { stream, sequence }: FeedPlace): void {
    const place = parseFeedCursor(cursor);
    if (place?.stream !== stream || place.sequence !== sequence) throw this.violation('ALTERED');
  }
}
