/** What a clock whose waits are over at once is for those whose waits must take their time. */
import { type Clock, systemClock } from '../../src/base/index.ts';

/** Longest wait between two talks with the ledger while calls are under way, in milliseconds. */
const UNHURRIED_MS = 2_000;

/**
 * `clock` for limiters beside a real server: where waits of the clock are over at once, the short ones
 * of a limiter would make time run away from the calls under way, so they take their time.
 */
export function createPatientClock(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    wait: (milliseconds, signal) =>
      (milliseconds <= UNHURRIED_MS ? systemClock : clock).wait(milliseconds, signal),
  };
}

/** `clock` for what only tidies up: where waits of the clock are over at once, each of its would make time run on. */
export function createSteadyClock(clock: Clock): Clock {
  return { now: () => clock.now(), wait: systemClock.wait };
}
