import { type Clock, systemClock } from '../../src/base/index.ts';
import type { BudgetLedger, BudgetRows } from '../../src/zendesk/index.ts';

/** A ledger in memory, for what runs on a clock of its own: its time is that clock's. */
export function createMemoryLedger(clock: Clock): BudgetLedger {
  const stored = new Map<string, Record<string, unknown>>();
  return {
    async update({ tenantId, origin }, names, compute) {
      const key = `${tenantId} ${origin}`;
      const rows = stored.get(key) ?? {};
      const asked: BudgetRows = Object.fromEntries(names.map((name) => [name, rows[name] ?? null]));
      const update = compute(asked, clock.now());
      // As the database keeps it: JSON.
      stored.set(key, { ...rows, ...JSON.parse(JSON.stringify(update.rows)) });
      return update.answer;
    },
  };
}

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
