/**
 * A clock for following: pauses before attempts pass at once, and time moves on by as much; who waits for silence waits
 * until the test moves the clock. So a test knows when all that was sent has been dealt with.
 */
import type { Clock } from '../../../src/base/index.ts';
import { NOW } from '../fake-gateway.ts';

/** Milliseconds: for the first event of a connection, and for the ones after it. */
const SILENCES: readonly number[] = [30_000, 75_000];

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export class FeedClock implements Clock {
  #now = NOW;
  readonly #sleepers = new Set<Sleeper>();
  #watchers: (() => void)[] = [];
  /** The pauses that passed, in milliseconds. */
  readonly pauses: number[] = [];
  /** Whether who pauses waits, too. */
  holdsPauses = false;

  now(): number {
    return this.#now;
  }

  async wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (!SILENCES.includes(milliseconds) && !this.holdsPauses) {
      this.pauses.push(milliseconds);
      this.#now += milliseconds;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    const sleeper: Sleeper = { at: this.#now + milliseconds, wake: resolve };
    this.#sleepers.add(sleeper);
    for (const watcher of this.#watchers.splice(0)) watcher();
    try {
      await promise;
    } finally {
      this.#sleepers.delete(sleeper);
    }
  }

  /** Resolves when the follower begins to wait for an event, the next time that it does. */
  untilListening(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#watchers.push(resolve);
    return promise;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    for (const sleeper of this.#sleepers) if (sleeper.at <= this.#now) sleeper.wake();
  }
}
