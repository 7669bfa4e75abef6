import { SealdeskError } from '../../base/index.ts';
import { PulledIterator } from '../pulled-iterator.ts';
import type { AccessSyncRunView } from './sync-view.ts';

/** A run as it stands, and again whenever it stands otherwise; over with the run. What is passed over is not missed: counts add up. */
export class SyncProgressIterator extends PulledIterator<AccessSyncRunView> {
  readonly #read: () => Promise<AccessSyncRunView>;
  #held: AccessSyncRunView | undefined;
  /** As it was last handed on. */
  #told = '';
  #isLastTold = false;
  #isReading = false;
  /** Whether something may have changed since the reading under way began. */
  #isStale = false;

  constructor(read: () => Promise<AccessSyncRunView>) {
    super();
    this.#read = read;
  }

  /** There may be news. */
  wake(): void {
    this.#isStale = true;
    if (this.isAsked && !this.#isReading) void this.#readOn();
  }

  protected take(): AccessSyncRunView | undefined {
    const value = this.#held;
    this.#held = undefined;
    if (value === undefined) return undefined;
    this.#told = JSON.stringify(value);
    this.#isLastTold = value.finishedAt !== null;
    return value;
  }

  protected look(): void {
    if (this.#isLastTold) this.end();
    else this.wake();
  }

  protected letGo(): void {
    this.#held = undefined;
  }

  async #readOn(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#isStale && this.#held === undefined && !this.isOver) {
        this.#isStale = false;
        const run = await this.#read();
        if (!this.isOver && JSON.stringify(run) !== this.#told) this.#held = run;
      }
    } catch (error) {
      this.end(failureOf(error));
    } finally {
      this.#isReading = false;
    }
    this.answer();
  }
}

function failureOf(error: unknown): SealdeskError {
  if (error instanceof SealdeskError) return error;
  return new SealdeskError('INTERNAL', 'The access sync could not be read.', { cause: error });
}
