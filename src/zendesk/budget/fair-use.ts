/**
 * Fair use of an account between callers over a whole window, and not only among those that wait at one
 * moment: who comes first, or most often, must not use up what the others will ask for a little later.
 *
 * Each caller active within the window has an equal share of the limit. Below it a caller takes what
 * there is. Above it it takes what is left beyond a reserve: that which the callers below theirs are
 * expected to want, by how often they asked lately, until each has its share. A caller that is alone
 * has no share to exceed, and where all are above theirs there is no reserve.
 *
 * Plain JSON, kept with the account's bucket: counts, by digests of the callers' names; times in
 * milliseconds of the ledger's clock.
 */
import type { Bucket } from './bucket.ts';

export interface CallerUse {
  /** `[bin, calls]`: calls let through in each five seconds of the last window, oldest first. */
  used: [bin: number, calls: number][];
  /** Calls wanted, fading: over {@link DEMAND_MS} times their rate once it is known for long. */
  wanted: number;
  at: number;
  /** When it was first seen. */
  since: number;
}

export type CallersState = Record<string, CallerUse>;

/** What a process saw of one caller since it last spoke; the background's calls are not counted. */
export interface CallerReport {
  readonly caller: string;
  /** Calls let through. */
  readonly used: number;
  /** Calls wanted, whatever became of them; those of long ago faded. */
  readonly wanted: number;
}

/** Calls of one caller that wait; `null`: of callers too many to name. */
export interface CallerCalls {
  readonly caller: string | null;
  readonly calls: number;
}

/** Calls of an ask of callers below their share, and of those above it. */
export interface FairParts {
  readonly below: number;
  readonly above: number;
  readonly callersAbove: number;
}

export const CALLERS_BIN_MS = 5_000;
export const DEMAND_MS = 20_000;
/** A rate is not judged by less. */
const LEAST_AGE_MS = 3_000;
const MAX_CALLERS = 20;
/** Shares of the limit: kept for callers below their share however little they asked for; below which no use needs bounds. */
const LEAST_RESERVE = 0.02;
const LITTLE_USE = 0.1;
const NEGLIGIBLE = 0.05;

/** The callers after `reports`; the most active ones are kept, and who is quiet for a window is forgotten. */
export function noteCallers(
  before: CallersState,
  reports: readonly CallerReport[],
  windowMs: number,
  now: number,
): CallersState {
  const callers = new Map(Object.entries(before));
  for (const { caller, used, wanted } of reports) {
    const use = callers.get(caller) ?? { used: [], wanted: 0, at: now, since: now };
    callers.set(caller, {
      used: used > 0 ? withUse(use.used, used, now) : use.used,
      wanted: wantedAt(use, now) + wanted,
      at: now,
      since: use.since,
    });
  }
  const active = [...callers]
    .map(([caller, use]): [string, CallerUse] => [
      caller,
      { ...use, used: use.used.filter(([bin]) => (bin + 1) * CALLERS_BIN_MS + windowMs > now) },
    ])
    .filter(([, use]) => use.used.length > 0 || wantedAt(use, now) > NEGLIGIBLE);
  if (active.length <= MAX_CALLERS) return Object.fromEntries(active);
  const weight = (use: CallerUse): number => usedBy(use, windowMs, now) + wantedAt(use, now);
  return Object.fromEntries(active.toSorted(([, a], [, b]) => weight(b) - weight(a)).slice(0, MAX_CALLERS));
}

/** Judges the callers of one exchange. */
export class FairUse {
  readonly #left = new Map<string, number>();
  /** Calls that the callers below their share are expected to want; 0 where there is none of them. */
  readonly reserve: number = 0;
  /** Those who have used up their share. */
  readonly above: readonly string[] = [];

  constructor(
    callers: CallersState,
    asking: Iterable<string>,
    { limit, windowMs, held }: Pick<Bucket, 'limit' | 'windowMs' | 'held'>,
    now: number,
  ) {
    const names = new Set([...Object.keys(callers), ...asking]);
    if (limit === null || names.size < 2 || held < limit * LITTLE_USE) return;
    const share = limit / names.size;
    let wanted = 0;
    for (const name of names) {
      const use = callers[name];
      const used = use === undefined ? 0 : usedBy(use, windowMs, now);
      this.#left.set(name, Math.max(0, Math.floor(share - used)));
      if (use !== undefined && used < share) {
        wanted += Math.max(0, Math.min(share, rateOf(use, now) * windowMs) - used);
      }
    }
    this.above = [...this.#left].filter(([, left]) => left === 0).map(([name]) => name);
    if (this.above.length < names.size)
      this.reserve = Math.max(Math.floor(limit * LEAST_RESERVE), Math.ceil(wanted));
  }

  /** Counts calls against what is left of their callers' shares. */
  split(calls: readonly CallerCalls[]): FairParts {
    let below = 0;
    let above = 0;
    let callersAbove = 0;
    for (const one of calls) {
      const left = (one.caller === null ? undefined : this.#left.get(one.caller)) ?? Infinity;
      const within = Math.min(one.calls, left);
      if (one.caller !== null) this.#left.set(one.caller, left - within);
      below += within;
      above += one.calls - within;
      if (within < one.calls) callersAbove += 1;
    }
    return { below, above, callersAbove };
  }
}

function withUse(used: CallerUse['used'], calls: number, now: number): CallerUse['used'] {
  const bin = Math.floor(now / CALLERS_BIN_MS);
  const last = used.at(-1);
  return last !== undefined && last[0] === bin
    ? [...used.slice(0, -1), [bin, last[1] + calls]]
    : [...used, [bin, calls]];
}

/** Calls in the last window; those of the oldest bin leave it one after the other. */
function usedBy({ used }: CallerUse, windowMs: number, now: number): number {
  return used.reduce((sum, [bin, calls]) => {
    const left = ((bin + 1) * CALLERS_BIN_MS + windowMs - now) / CALLERS_BIN_MS;
    return sum + calls * Math.min(1, Math.max(0, left));
  }, 0);
}

function wantedAt({ wanted, at }: CallerUse, now: number): number {
  return wanted * Math.exp(-Math.max(0, now - at) / DEMAND_MS);
}

/** Calls a millisecond; of a caller seen for a short while, by that while. */
function rateOf(use: CallerUse, now: number): number {
  const age = Math.max(LEAST_AGE_MS, now - use.since);
  return wantedAt(use, now) / (DEMAND_MS * (1 - Math.exp(-age / DEMAND_MS)));
}
