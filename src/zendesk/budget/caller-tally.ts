/** What the callers of one process wanted and got since the ledger was last told. */
import { createHash } from 'node:crypto';
import { type CallerReport, DEMAND_MS } from './fair-use.ts';

interface Tally {
  used: number;
  wanted: number;
  at: number;
}

const MAX_CALLERS = 256;
const MAX_REPORTED = 16;
const DIGEST_CHARACTERS = 12;

export class CallerTally {
  readonly #callers = new Map<string, Tally>();

  /** A call came in, whatever becomes of it. */
  want(caller: string, now: number): void {
    this.#add({ caller, used: 0, wanted: 1 }, now);
  }

  /** A call was let through. */
  use(caller: string, now: number): void {
    this.#add({ caller, used: 1, wanted: 0 }, now);
  }

  /** What is to be reported, of the most active callers, taken out; {@link restore} undoes it. */
  take(now: number): readonly CallerReport[] {
    const reports = [...this.#callers]
      .map(([caller, tally]) => ({ caller, used: tally.used, wanted: wantedAt(tally, now) }))
      .toSorted((a, b) => b.used + b.wanted - (a.used + a.wanted))
      .slice(0, MAX_REPORTED);
    for (const { caller } of reports) this.#callers.delete(caller);
    return reports;
  }

  restore(reports: readonly CallerReport[], now: number): void {
    for (const report of reports) this.#add(report, now);
  }

  #add({ caller, used, wanted }: CallerReport, now: number): void {
    const tally = this.#callers.get(caller) ?? { used: 0, wanted: 0, at: now };
    if (!this.#callers.has(caller) && this.#callers.size >= MAX_CALLERS) return;
    this.#callers.set(caller, { used: tally.used + used, wanted: wantedAt(tally, now) + wanted, at: now });
  }
}

/** Names a caller in the ledger without telling who it is; calls without a caller are one. */
export function digestOf(caller: string | undefined): string {
  if (caller === undefined) return '';
  return createHash('sha256').update(caller).digest('base64url').slice(0, DIGEST_CHARACTERS);
}

function wantedAt({ wanted, at }: Tally, now: number): number {
  return wanted * Math.exp(-Math.max(0, now - at) / DEMAND_MS);
}
