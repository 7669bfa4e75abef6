/**
 * One subscription's way through a stream: the position first, then every entry after its place in order, from the
 * tail where it is near the end and from the log where it is not, and positions while nothing happens. It holds a
 * place and some entries at most, and asks for more when it is asked.
 *
 * IDLE: nobody asks. ASKED: somebody does; the log is being read, or the tail wakes it. OVER: by its end, a
 * failure, or because nobody wants more; final.
 */
import { encodeFeedCursor, SealdeskError } from '../../base/index.ts';
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

type Step = IteratorResult<TicketFeedEvent, undefined>;

/** So many are left of what the log brought when more is asked of it. */
const AHEAD = 24;

export class FeedIterator implements AsyncIterableIterator<TicketFeedEvent, undefined>, TailReader {
  readonly #tails: StreamTails;
  readonly #tail: StreamTail;
  #onOver: (() => void)[] = [];
  #place: number;
  /** What is to be handed on, the next one last: what was handed on is not held, nor with it its text. */
  #held: TicketFeedEvent[];
  /** When the last position that was handed on was signed, in milliseconds since 1970. */
  #toldAt: number;
  /** The last of the tail's own that was handed on. */
  #told: AnnouncedPosition | null = null;
  #asked: PromiseWithResolvers<Step> | null = null;
  #isReading = false;
  /** What the log brings after what is held, where it was asked already. */
  #ahead: Promise<readonly ChangeEvent[]> | null = null;
  #isOver = false;
  #failure: SealdeskError | null = null;

  constructor({ tails, tail, place, position }: FeedIteratorStart) {
    this.#tails = tails;
    this.#tail = tail;
    this.#place = place;
    this.#held = [position.event];
    this.#toldAt = position.issuedAt;
    tail.attach(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    if (this.#asked !== null) throw new TypeError('"next" was called before the last one was answered');
    const step = this.#step();
    if (step !== null) return step;
    this.#asked = Promise.withResolvers();
    const { promise } = this.#asked;
    this.#look();
    return promise;
  }

  async return(): Promise<Step> {
    this.end();
    return { done: true, value: undefined };
  }

  /** Ends it: for who asks now or next with `failure`, where there is one. */
  end(failure: SealdeskError | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#held = [];
    this.#ahead = null;
    this.#tail.detach(this);
    this.#tails.release(this.#tail);
    for (const told of this.#onOver.splice(0)) told();
    this.#answer();
  }

  /** Calls `told` when it is over, at once where it is. */
  onceOver(told: () => void): void {
    if (this.#isOver) told();
    else this.#onOver.push(told);
  }

  wake(): void {
    if (this.#asked !== null && !this.#isReading) this.#look();
  }

  /** What can be answered at once, `null` where nothing can. */
  #step(): Promise<Step> | null {
    if (this.#isOver) {
      const failure = this.#failure;
      this.#failure = null;
      return failure === null ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(failure);
    }
    const event = this.#held.pop();
    if (event === undefined) return null;
    if (event.type === 'CHANGE') this.#place = event.sequence;
    if (this.#held.length === AHEAD) this.#readAhead();
    return Promise.resolve({ done: false, value: event });
  }

  #answer(): void {
    const asked = this.#asked;
    const step = asked === null ? null : this.#step();
    if (asked === null || step === null) return;
    this.#asked = null;
    asked.resolve(step);
  }

  /** Looks for more, in memory first. */
  #look(): void {
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
    this.#answer();
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
    return this.#tails.readLog(this.#tail, place, () => !this.#isOver);
  }

  async #readLog(): Promise<void> {
    try {
      const reading = this.#ahead ?? this.#ask(this.#place);
      this.#ahead = null;
      const events = await reading;
      this.#isReading = false;
      if (this.#isOver) return;
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
