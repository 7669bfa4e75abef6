/**
 * The newest entries of one stream as one key reads them, in memory once for all its subscribers in this process.
 * A tail holds a contiguous run of entries up to the newest that was read, bounded in number and size, and wakes
 * who waits for more. What lies before the run is read from the log. Nothing is queued for anybody: a subscriber
 * is a place, and asks for what comes after it.
 */
import { encodeFeedCursor, streamName } from '../../base/index.ts';
import type { HybridCryptoEnvelope } from '../../envelope/index.ts';
import { type Entry, readerName } from '../../feed/index.ts';
import type { PositionTarget, SealedPosition } from './position-sealer.ts';
import type { TicketFeedEvent } from './ticket-feed-event.ts';

/** Entries and characters of envelopes that a tail keeps. */
export const TAIL_LIMITS = Object.freeze({ entries: 256, characters: 4 * 2 ** 20 });
/** The same of what one subscriber is given at a time, and so of what a slow one holds; one entry always fits. */
export const HELD_LIMITS = Object.freeze({ entries: 64, characters: 2 ** 19 });

/** Told that there may be something for it. */
export interface TailReader {
  wake(): void;
}

export type ChangeEvent = Extract<TicketFeedEvent, { readonly type: 'CHANGE' }>;
export type PositionEvent = Extract<TicketFeedEvent, { readonly type: 'POSITION' }>;

/** A position, and when it was signed, in milliseconds since 1970. */
export interface AnnouncedPosition {
  readonly event: PositionEvent;
  readonly issuedAt: number;
}

interface KeptEntry {
  readonly event: ChangeEvent;
  readonly characters: number;
}

export class StreamTail {
  readonly target: PositionTarget;
  /** Within its feed. */
  readonly name: string;
  readonly stream: string;
  readonly #readers = new Set<TailReader>();
  /** Those that have nothing to hand on and wait to be woken. */
  #waiting = new Set<TailReader>();
  #run: KeptEntry[] = [];
  #characters = 0;
  /** Of the newest entry that was read. */
  #newest: number;
  #position: AnnouncedPosition | null = null;
  /** What was last told to who began. */
  #greeting: AnnouncedPosition | null = null;
  /** Milliseconds since 1970. */
  #lastEventAt: number;

  /** `place`: entries after it will be read. */
  constructor(target: PositionTarget, place: number, now: number) {
    this.target = target;
    this.name = readerName(target.lineageId, target.recipientKeyId);
    this.stream = streamName(target.integrationId, target.lineageId);
    this.#newest = place;
    this.#lastEventAt = now;
  }

  get newest(): number {
    return this.#newest;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** When the stream last had something new to tell. */
  get lastEventAt(): number {
    return this.#lastEventAt;
  }

  /** Whether anybody waits for the stream to go on. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  attach(reader: TailReader): void {
    this.#readers.add(reader);
  }

  detach(reader: TailReader): void {
    this.#readers.delete(reader);
    this.#waiting.delete(reader);
  }

  /** Wakes `reader` when there is something new. */
  await(reader: TailReader): void {
    this.#waiting.add(reader);
  }

  /** The first of `entries` as events, as many as one subscriber is given at a time. */
  eventsOf(entries: readonly Entry[]): readonly ChangeEvent[] {
    let characters = 0;
    const end = entries.findIndex(({ envelope }, index) => {
      characters += envelope.length;
      return index > 0 && (index >= HELD_LIMITS.entries || characters > HELD_LIMITS.characters);
    });
    return (end < 0 ? entries : entries.slice(0, end)).map((entry) => this.#eventOf(entry));
  }

  #eventOf({ sequence, occurredAt, envelope }: Entry): ChangeEvent {
    const parsed: HybridCryptoEnvelope = JSON.parse(envelope);
    return Object.freeze<ChangeEvent>({
      type: 'CHANGE',
      cursor: encodeFeedCursor({ stream: this.stream, sequence }),
      sequence,
      occurredAt,
      envelope: parsed,
    });
  }

  /**
   * Takes entries that were read after {@link newest}, in order, and wakes who waits. Keeps at most `characters` of
   * envelopes, and no more than {@link TAIL_LIMITS}.
   */
  push(entries: readonly Entry[], now: number, characters: number = TAIL_LIMITS.characters): void {
    let isNew = false;
    for (const entry of entries) {
      // Two readings may bring the same.
      if (entry.sequence <= this.#newest) continue;
      // What was deleted before it could be read leaves a hole that the log is asked about.
      if (entry.sequence !== this.#newest + 1) this.#forgetRun();
      this.#run.push({ event: this.#eventOf(entry), characters: entry.envelope.length });
      this.#characters += entry.envelope.length;
      this.#newest = entry.sequence;
      isNew = true;
    }
    const most = Math.min(characters, TAIL_LIMITS.characters);
    while (this.#run.length > TAIL_LIMITS.entries || this.#characters > most) {
      this.#characters -= this.#run.shift()?.characters ?? 0;
    }
    if (!isNew) return;
    this.#lastEventAt = now;
    this.#wakeAll();
  }

  /** Something is being made for the stream: it need not be made again meanwhile. */
  noteActivity(now: number): void {
    this.#lastEventAt = now;
  }

  /** A signed position to hand to those who have everything up to it. */
  announce({ sequence, issuedAt, envelope }: SealedPosition, now: number): void {
    const last = this.#position;
    // Of two that were sealed at the same time the older may come last.
    if (last !== null && (last.event.sequence > sequence || last.issuedAt > issuedAt)) return;
    this.#position = { event: positionEvent(this.stream, { sequence, envelope }, sequence), issuedAt };
    this.#lastEventAt = now;
    this.#wakeAll();
  }

  /** A position as who begins at `place` is told it: one and the same for all who begin there with it. */
  greeting({ sequence, issuedAt, envelope }: SealedPosition, place: number): AnnouncedPosition {
    const last = this.#greeting;
    const event = positionEvent(this.stream, { sequence, envelope }, place);
    const isSame =
      last?.issuedAt === issuedAt && last.event.sequence === sequence && last.event.cursor === event.cursor;
    if (isSame) return last;
    this.#greeting = { event, issuedAt };
    return this.#greeting;
  }

  /** Some of what comes after `place`, from memory; `null` where the log has to be asked. */
  after(place: number): readonly ChangeEvent[] | null {
    if (place >= this.#newest) return [];
    const first = this.#run[0]?.event.sequence ?? Number.POSITIVE_INFINITY;
    if (place + 1 < first) return null;
    const events: ChangeEvent[] = [];
    let left: number = HELD_LIMITS.characters;
    for (let index = place + 1 - first; index < this.#run.length; index += 1) {
      const { event, characters } = this.#run[index] as KeptEntry;
      left -= characters;
      if (events.length > 0 && (left < 0 || events.length >= HELD_LIMITS.entries)) break;
      events.push(event);
    }
    return events;
  }

  /** The position last announced. */
  get position(): AnnouncedPosition | null {
    return this.#position;
  }

  #forgetRun(): void {
    this.#run = [];
    this.#characters = 0;
  }

  #wakeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const reader of waiting) reader.wake();
  }
}

/** A position as a subscriber at `place` gets it. */
function positionEvent(
  stream: string,
  { sequence, envelope }: Pick<SealedPosition, 'sequence' | 'envelope'>,
  place: number,
): PositionEvent {
  return Object.freeze<PositionEvent>({
    type: 'POSITION',
    cursor: encodeFeedCursor({ stream, sequence: place }),
    sequence,
    envelope,
  });
}
