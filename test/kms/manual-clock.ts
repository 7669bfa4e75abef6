/** A clock that stands still until it is moved; whoever waits on it is woken in order of time. */
import type { Clock } from '../../src/base/index.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export class ManualClock implements Clock {
  #now = Date.UTC(2026, 9, 1);
  #sleepers: Sleeper[] = [];
  /** Milliseconds: whoever waits less is woken at once, and time moves on by as much. */
  readonly #patience: number;
  /** The waits that were cut short so. */
  readonly pauses: number[] = [];

  constructor(patience = 0) {
    this.#patience = patience;
  }

  now(): number {
    return this.#now;
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#sleepers.length;
  }

  async wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (milliseconds < this.#patience) {
      this.pauses.push(milliseconds);
      this.#now += milliseconds;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { at: this.#now + milliseconds, wake: resolve };
    this.#sleepers.push(sleeper);
    signal?.addEventListener('abort', () => {
      this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      reject(signal.reason);
    });
    await promise;
  }

  /** Moves time on, waking at their own time all that wait, also those that begin to wait meanwhile. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      await settle();
      const next = this.#sleepers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      next.wake();
    }
    this.#now = Math.max(this.#now, end);
    await settle();
  }
}

/** Lets promises that are ready run. */
async function settle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  await promise;
}
