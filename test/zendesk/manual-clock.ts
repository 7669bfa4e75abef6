import type { Clock } from '../../src/base/index.ts';

interface Timer {
  readonly at: number;
  readonly resolve: () => void;
}

/** A clock that stands still until it is told to move. */
export interface ManualClock extends Clock {
  advance(milliseconds: number): void;
  /** Every wait asked for, in milliseconds. */
  readonly waits: readonly number[];
  /** Resolves when somebody waits for `milliseconds`. */
  waiting(milliseconds: number): Promise<void>;
  /** Timers that have neither ended nor been aborted. */
  readonly pending: number;
}

/** `hurry`: waits that are over at once, the clock moving along, so that back-offs cost no time. */
export function createManualClock(hurry: (milliseconds: number) => boolean = () => false): ManualClock {
  let now = Date.UTC(2026, 10, 21);
  let timers: Timer[] = [];
  const waits: number[] = [];
  let watchers: { readonly milliseconds: number; readonly resolve: () => void }[] = [];
  const advance = (milliseconds: number): void => {
    now += milliseconds;
    const due = timers.filter((timer) => timer.at <= now);
    timers = timers.filter((timer) => timer.at > now);
    for (const timer of due) timer.resolve();
  };
  return {
    now: () => now,
    advance,
    waits,
    get pending() {
      return timers.length;
    },
    waiting(milliseconds) {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (waits.includes(milliseconds)) resolve();
      else watchers.push({ milliseconds, resolve });
      return promise;
    },
    wait(milliseconds, signal) {
      waits.push(milliseconds);
      for (const watcher of watchers) if (watcher.milliseconds === milliseconds) watcher.resolve();
      watchers = watchers.filter((watcher) => watcher.milliseconds !== milliseconds);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      if (signal?.aborted) {
        reject(signal.reason);
        return promise;
      }
      const timer: Timer = { at: now + milliseconds, resolve };
      timers.push(timer);
      signal?.addEventListener('abort', () => {
        timers = timers.filter((other) => other !== timer);
        reject(signal.reason);
      });
      if (hurry(milliseconds)) advance(milliseconds);
      return promise;
    },
  };
}
