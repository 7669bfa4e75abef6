/**
 * Follows one stream of ticket changes over as many connections as it takes.
 *
 * - *Between connections*: the next `next` or `ready` opens one, after a pause where the last one failed.
 * - *Connected*: the connection was begun at the place that was reached; nothing but its signed position is
 *   taken. Left when that came, or with a failure.
 * - *Following*: each change is taken if it is exactly the next one. Left with a failure, with nothing heard for
 *   too long, or because nobody asked for more.
 * - *Turning*: nothing is sealed to the key in use any more, and there is another: the next connection is for that one,
 *   at the same place. Left for good where that one is refused too, without progress between.
 * - *Ended*: by `return`, an aborted signal, a failure that does not pass, the stream found wrong three times
 *   without progress, or an error of the program's own functions. Nothing follows.
 *
 * Everything happens inside `next` and `ready`, one call after the other; between them nothing runs here but
 * what the connection does by itself.
 */
import { type Clock, SealdeskError, type TicketChangeContent } from '../../base/index.ts';
import { EnvelopeOpenError, type OpenedEnvelope } from '../../envelope/index.ts';
import { GATEWAY_LIMITS } from '../gateway-transport.ts';
import { type KeyOpener, tellsOfRefusedKey } from '../key-opener.ts';
import { PIN_LIMITS } from '../pinned-opener.ts';
import { backOff } from './back-off.ts';
import { parseChangeContent, parsePositionContent } from './change-content.ts';
import type { FeedConnection, ReceivedResult } from './feed-connection.ts';
import { type FeedEvent, parseFeedEvent } from './feed-event.ts';
import { ConnectionLostError, ConnectionPaused, isCursorExpired, isPassing } from './feed-failure.ts';
import { type FeedGap, FeedGapError } from './feed-gap.ts';
import { FeedIntegrityError } from './feed-integrity-error.ts';
import type { StreamLedger } from './stream-ledger.ts';
import type { FeedState, SignedPosition, TicketChange, TicketChanges } from './ticket-changes.ts';

export const FOLLOWER_LIMITS = Object.freeze({
  /** Milliseconds without any event, after which a connection counts as dead; the gateway sends one each 30 s. */
  silence: 75_000,
  /** How often the stream may be found wrong without progress between. */
  violations: 3,
});

export interface FollowerInput {
  readonly integrationId: string;
  readonly ledger: StreamLedger;
  readonly opener: KeyOpener;
  /** A new connection that begins after the cursor; at the newest place for `null`. */
  readonly connect: (after: string | null) => FeedConnection;
  readonly clock: Clock;
  readonly random: () => number;
  readonly filter: ((content: TicketChange['content']) => boolean) | undefined;
  readonly onGap: ((gap: FeedGap) => unknown) | undefined;
  readonly onState: ((state: FeedState) => unknown) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** An event that was verified. */
interface Taken {
  readonly event: FeedEvent;
  readonly opened: OpenedEnvelope;
}

const DONE = Object.freeze({ done: true, value: undefined } as const);

export class TicketFollower implements TicketChanges {
  readonly #input: FollowerInput;
  readonly #ledger: StreamLedger;
  readonly #ending = new AbortController();
  #connection: FeedConnection | null = null;
  /** The last call of `next` or `ready`: the one after it begins when it has settled. */
  #turn: Promise<unknown> = Promise.resolve();
  #isEnded = false;
  #cursor: string | null;
  #position: SignedPosition | null = null;
  /** Whether what comes after the next position may lack changes before it. */
  #hasExpired = false;
  /** Attempts, and violations, since the last progress. */
  #failures = 0;
  #violations = 0;
  /** The key that the connection is for. */
  #usedKeyId = '';
  /** Whether the other key was turned to since the last progress. */
  #hasTurned = false;

  constructor(input: FollowerInput) {
    this.#input = input;
    this.#ledger = input.ledger;
    this.#cursor = input.ledger.cursor;
    const { signal } = input;
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get cursor(): string | null {
    return this.#cursor;
  }

  get position(): SignedPosition | null {
    return this.#position;
  }

  ready(): Promise<string> {
    return this.#inTurn(async () => {
      while (this.#position === null || this.#cursor === null) {
        if (this.#isEnded) throw new TypeError('The subscription has ended before it began');
        await this.#advance();
      }
      return this.#cursor;
    });
  }

  next(): Promise<IteratorResult<TicketChange, undefined>> {
    return this.#inTurn(async () => {
      while (!this.#isEnded) {
        const change = await this.#advance();
        if (change !== null) return { done: false, value: change };
      }
      return DONE;
    });
  }

  async return(): Promise<IteratorResult<TicketChange, undefined>> {
    this.#end();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
  }

  readonly #onAbort = (): void => {
    this.#ending.abort(this.#input.signal?.reason);
    this.#disconnect();
  };

  /** What fails ends the iteration; what fails because it was ended by `return` is no failure. */
  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const guarded = async (): Promise<Result> => {
      try {
        return await act();
      } catch (error) {
        const wasEnded = this.#isEnded;
        this.#end();
        if (wasEnded) return await act();
        throw error;
      }
    };
    const settled = this.#turn.then(guarded);
    this.#turn = settled.catch(() => undefined);
    return settled;
  }

  #end(): void {
    this.#isEnded = true;
    this.#input.signal?.removeEventListener('abort', this.#onAbort);
    this.#ending.abort();
    this.#disconnect();
  }

  #disconnect(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  /** One step: a change to hand over, or `null` where there is none yet. */
  async #advance(): Promise<TicketChange | null> {
    this.#ending.signal.throwIfAborted();
    let taken: Taken;
    try {
      taken = await this.#take();
    } catch (error) {
      await this.#recover(error);
      return null;
    }
    return taken.event.kind === 'CHANGE'
      ? this.#handOver(taken.event, taken.opened)
      : this.#notePosition(taken.opened);
  }

  /** The next event of the connection, verified, with the ledger moved on. */
  async #take(): Promise<Taken> {
    this.#connection ??= this.#connect();
    const { result, at } = await this.#receive(this.#connection);
    const event = parseFeedEvent(result);
    const opened = await this.#open(event);
    const { header } = opened;
    if (event.kind === 'POSITION') {
      const isFirst = !this.#ledger.isPinned;
      this.#ledger.takePosition(header, event, at);
      if (!isFirst && !this.#ledger.isOwed) this.#noteProgress();
    } else {
      this.#ledger.takeChange(header, event);
      this.#noteProgress();
    }
    return { event, opened };
  }

  #connect(): FeedConnection {
    this.#tell({ kind: 'CONNECTING' });
    this.#ledger.beginConnection();
    this.#usedKeyId = this.#input.opener.key.keyId;
    return this.#input.connect(this.#ledger.cursor);
  }

  /** What the connection brings next. Silence ends it: as WITHHELD where it owes what its position announced. */
  async #receive(connection: FeedConnection): Promise<ReceivedResult> {
    const heard = new AbortController();
    const limit = this.#ledger.isPinned ? FOLLOWER_LIMITS.silence : GATEWAY_LIMITS.timeoutMilliseconds;
    const silence = this.#input.clock.wait(limit, heard.signal).then((): never => {
      if (this.#ledger.isOwed) throw this.#ledger.violation('WITHHELD');
      throw new ConnectionLostError(`Nothing was heard for ${limit / 1000} seconds.`);
    });
    try {
      return await Promise.race([connection.receive(), silence]);
    } finally {
      heard.abort();
    }
  }

  async #open(event: FeedEvent): Promise<OpenedEnvelope> {
    try {
      return await this.#input.opener.open(
        event.envelope,
        {
          purposes: [event.kind === 'CHANGE' ? 'ticket.change' : 'ticket.position'],
          integration_id: this.#input.integrationId,
          operation: 'subscribe_tickets',
        },
        this.#ending.signal,
      );
    } catch (error) {
      throw error instanceof EnvelopeOpenError ? this.#ledger.violation('FORGED', error) : error;
    }
  }

  #noteProgress(): void {
    this.#failures = 0;
    this.#violations = 0;
    this.#hasTurned = false;
  }

  async #notePosition({ header, plaintext }: OpenedEnvelope): Promise<null> {
    const { complete_until } = parsePositionContent(plaintext);
    const position = Object.freeze<SignedPosition>({
      sequence: header.sequence ?? 0,
      issuedAt: new Date(header.issued_at * 1000),
      completeUntil: complete_until === null ? null : new Date(complete_until),
    });
    this.#position = position;
    if (this.#hasExpired) await this.#passGap('CURSOR_EXPIRED');
    this.#cursor = this.#ledger.cursor;
    this.#tell({ kind: 'FOLLOWING', position });
    return null;
  }

  async #handOver(
    event: Extract<FeedEvent, { kind: 'CHANGE' }>,
    { header, plaintext, transcriptSha256 }: OpenedEnvelope,
  ): Promise<TicketChange | null> {
    const content: TicketChangeContent = parseChangeContent(plaintext);
    const { cursor, sequence, occurredAt } = event;
    if (content.kind === 'GAP') {
      await this.#passGap(content.reason);
      this.#cursor = cursor;
      return null;
    }
    const isWanted = this.#input.filter?.(content) ?? true;
    this.#cursor = cursor;
    if (!isWanted) return null;
    const auditEventId = header.audit_event_id;
    return Object.freeze({ content, cursor, sequence, occurredAt, auditEventId, transcriptSha256 });
  }

  async #passGap(reason: FeedGap['reason']): Promise<void> {
    const gap: FeedGap = Object.freeze({ reason, cursor: this.#ledger.cursor ?? '' });
    const { onGap } = this.#input;
    if (onGap === undefined) throw new FeedGapError(gap);
    await onGap(gap);
    if (reason === 'CURSOR_EXPIRED') this.#hasExpired = false;
  }

  /** Makes ready for another attempt, after a pause where one is due. Throws what does not pass. */
  async #recover(error: unknown): Promise<void> {
    this.#disconnect();
    this.#ending.signal.throwIfAborted();
    if (error instanceof ConnectionPaused) return this.#tell({ kind: 'PAUSED' });
    if (this.#mayTurn(error)) {
      this.#hasTurned = true;
      const { opener } = this.#input;
      // A question of the same client may have turned meanwhile.
      if (opener.key.keyId === this.#usedKeyId) opener.turn();
      return;
    }
    if (isCursorExpired(error) && this.#ledger.cursor !== null) {
      this.#hasExpired = true;
      this.#ledger.restart();
    } else if (error instanceof FeedIntegrityError) {
      this.#violations += 1;
      if (this.#violations >= FOLLOWER_LIMITS.violations) throw error;
    } else if (!isPassing(error)) {
      throw error;
    }
    this.#failures += 1;
    const milliseconds = this.#pauseAfter(error);
    this.#tell({ kind: 'WAITING', error, milliseconds });
    await this.#input.clock.wait(milliseconds, this.#ending.signal);
  }

  #mayTurn(error: unknown): boolean {
    const isRefused = error instanceof SealdeskError && tellsOfRefusedKey(error.code);
    return isRefused && this.#input.opener.other !== null && !this.#hasTurned;
  }

  #pauseAfter(error: Error): number {
    const asked = error instanceof SealdeskError ? error.details.retryAfter : undefined;
    const pause = backOff(this.#failures, this.#input.random(), asked);
    // Its signer may only be unknown because the published keys could not be read: the last attempt reads them again.
    const isLast = this.#violations === FOLLOWER_LIMITS.violations - 1;
    const isForged = error instanceof FeedIntegrityError && error.violation === 'FORGED';
    return isForged && isLast ? pause + PIN_LIMITS.refreshInterval : pause;
  }

  #tell(state: FeedState): void {
    this.#input.onState?.(Object.freeze(state));
  }
}
