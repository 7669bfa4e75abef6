/**
 * One subscription's way through a stream: the position first, then every entry after its place in order, from the
 * tail where it is near the end and from the log where it is not, and positions while nothing happens. It holds a
 * place and some entries at most, and asks for more when it is asked: the log is being read then, or the tail wakes
 * it.
 */
import { encodeFeedCursor, SealdeskError } from '../../base/index.ts';
import { PulledIterator } from '../pulled-iterator.ts';
import type { AnnouncedPosition, ChangeEvent, StreamTail, TailReader } from './stream-tail.ts';
import type { StreamTails } from './stream-tails.ts';
import type { TicketFeedEvent } from './ticket-feed-event.ts';

export interface FeedIteratorStart {
  readonly tails: StreamTails;
  readonly tail: StreamTail;
  /** Entries after it are handed on. */
  readonly place: number;
  /** Handed on first. */
  readonly position: AnnouncedPosition;
}

/** So many are left of what the log brought when more is asked of it. */
const AHEAD = 24;

export class FeedIterator extends PulledIterator<TicketFeedEvent> implements TailReader {
  readonly #tails: StreamTails;
  readonly #tail: StreamTail;
  #place: number;
  /** What is to be handed on, the next one last: what was handed on is not held, nor with it its text. */
  #held: TicketFeedEvent[];
  /** When the last position that was handed on was signed, in milliseconds since 1970. */
  #toldAt: number;
  /** The last of the tail's own that was handed on. */
  #told: AnnouncedPosition | null = null;
  #isReading = false;
  /** What the log brings after what is held, where it was asked already. */
  #ahead: Promise<readonly ChangeEvent[]> | null = null;

  constructor({ tails, tail, place, position }: FeedIteratorStart) {
    super();
    this.#tails = tails;
    this.#tail = tail;
    this.#place = place;
    this.#held = [position.event];
    this.#toldAt = position.issuedAt;
    tail.attach(this);
  }

  wake(): void {
    if (this.isAsked && !this.#isReading) this.look();
  }

  protected take(): TicketFeedEvent | undefined {
    const event = this.#held.pop();
    if (event === undefined) return undefined;
    if (event.type === 'CHANGE') this.#place = event.sequence;
    if (this.#held.length === AHEAD) this.#readAhead();
    return event;
  }

  protected letGo(): void {
    this.#held = [];
    this.#ahead = null;
    this.#tail.detach(this);
    this.#tails.release(this.#tail);
  }

  /** Looks for more, in memory first. */
  protected look(): void {
    const events = this.#tail.after(this.#place);
    if (events === null) {
      this.#isReading = true;
      void this.#readLog();
      return;
    }
    if (events.length > 0) {
      this.#handOn(events);
      return;
    }
    const { position } = this.#tail;
    if (position === null || !this.#isNews(position)) {
      this.#tail.await(this);
      return;
    }
    this.#told = position;
    this.#toldAt = position.issuedAt;
    this.#handOn([position.event]);
  }

  /** Whether a position says something to who stands here: it is of this place, and not older than what was told. */
  #isNews(position: AnnouncedPosition): boolean {
    const { event, issuedAt } = position;
    return position !== this.#told && event.sequence === this.#place && issuedAt >= this.#toldAt;
  }

  #handOn(events: readonly TicketFeedEvent[]): void {
    this.#held = events.toReversed();
    this.answer();
  }

  /** Asks the log while there is still something to hand on, where memory does not hold what comes next. */
  #readAhead(): void {
    const [last] = this.#held;
    if (last?.type !== 'CHANGE' || this.#tail.after(last.sequence) !== null) return;
    this.#ahead = this.#ask(last.sequence);
    // Its failure is met when it is needed.
    this.#ahead.catch(() => undefined);
  }

  #ask(place: number): Promise<readonly ChangeEvent[]> {
    return this.#tails.readLog(this.#tail, place, () => !this.isOver);
  }

  async #readLog(): Promise<void> {
    try {
      const reading = this.#ahead ?? this.#ask(this.#place);
      this.#ahead = null;
      const events = await reading;
      this.#isReading = false;
      if (this.isOver) return;
      if (events[0]?.sequence === this.#place + 1) this.#handOn(events);
      // What comes next was deleted while this subscriber was on its way to it, or is sealed to another key.
      else this.end(this.#expired(events[0]?.sequence ?? this.#tail.newest + 1));
    } catch (error) {
      this.#isReading = false;
      this.end(
        error instanceof SealdeskError
          ? error
          : new SealdeskError('INTERNAL', 'The change feed could not be read.', { cause: error }),
      );
    }
  }

  #expired(next: number): SealdeskError {
    return cursorExpired(encodeFeedCursor({ stream: this.#tail.stream, sequence: next - 1 }));
  }
}

/** CURSOR_EXPIRED, naming the oldest cursor that can be gone on from. */
export function cursorExpired(oldest: string): SealdeskError {
  return new SealdeskError(
    'CURSOR_EXPIRED',
    `The change feed does not hold what comes after this cursor. Take a new snapshot and subscribe without a cursor; the oldest one that can be used is ${oldest}.`,
    { subject: oldest },
  );
}
