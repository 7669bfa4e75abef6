import type { Clock } from '../../base/index.ts';

/** A wait that somebody may end early. A call that comes while nobody waits ends the next wait at once. */
export class WakeUp {
  #isCalled = false;
  #waiting: AbortController | null = null;

  wake(): void {
    this.#isCalled = true;
    this.#waiting?.abort();
  }

  /** Resolves after `milliseconds`, when woken, or when `signal` is aborted. */
  async wait(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#isCalled && !signal.aborted) {
      const waiting = new AbortController();
      this.#waiting = waiting;
      await clock.wait(milliseconds, AbortSignal.any([signal, waiting.signal])).catch(() => undefined);
      this.#waiting = null;
    }
    this.#isCalled = false;
  }
}
