/**
 * One subscription's way through the log: every event after its place in order, read from the log itself, and
 * then what is appended. It holds a place and a page of events at most, and reads on when it is asked: the log is
 * being read then, or there is nothing yet and a hint wakes it.
 */
import { SealdeskError } from '../../base/index.ts';
import { PulledIterator } from '../pulled-iterator.ts';
import type { AuditTailEvent } from './audit-tail-event.ts';

export interface AuditTailStart {
  /** Events with a greater index are handed on. */
  readonly place: number;
  /** The events after an index, as many as are held at a time; none where there are none. */
  readonly read: (after: number) => Promise<readonly AuditTailEvent[]>;
}

export class AuditTailIterator extends PulledIterator<AuditTailEvent> {
  readonly #read: AuditTailStart['read'];
  #place: number;
  /** What is to be handed on, the next one last: what was handed on is not held. */
  #held: AuditTailEvent[] = [];
  #isReading = false;
  /** Whether something may have been appended since the reading under way began. */
  #isStale = false;

  constructor({ place, read }: AuditTailStart) {
    super();
    this.#place = place;
    this.#read = read;
  }

  /** There may be something for it. */
  wake(): void {
    this.#isStale = true;
    if (this.isAsked && !this.#isReading) void this.#readOn();
  }

  protected take(): AuditTailEvent | undefined {
    const value = this.#held.pop();
    if (value !== undefined) this.#place = value.event.index;
    return value;
  }

  protected look(): void {
    this.wake();
  }

  protected letGo(): void {
    this.#held = [];
  }

  async #readOn(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#isStale && this.#held.length === 0 && !this.isOver) {
        this.#isStale = false;
        this.#hold(await this.#read(this.#place));
      }
    } catch (error) {
      this.end(failureOf(error));
    } finally {
      this.#isReading = false;
    }
    this.answer();
  }

  #hold(events: readonly AuditTailEvent[]): void {
    if (this.isOver) return;
    const [first] = events;
    if (first !== undefined && first.event.index !== this.#place + 1) {
      throw new SealdeskError('AUDIT_UNAVAILABLE', `The audit log has no event at index ${this.#place + 1}.`);
    }
    this.#held = events.toReversed();
  }
}

function failureOf(error: unknown): SealdeskError {
  if (error instanceof SealdeskError) return error;
  return new SealdeskError('INTERNAL', 'The audit log could not be read.', { cause: error });
}
