/** The tokens of one process: those in hand, those in use, and what is to be settled with the ledger. */
import type { Lane } from '../lane.ts';
import type { RateLimitReading } from '../rate-limit-reading.ts';
import type { SettledReadings, Settlement } from './bucket.ts';
import { ACCOUNT } from './endpoint-class.ts';

/** How long a token is kept for a call to come; the background keeps none. */
const KEPT_MS = 2_000;

interface HeldToken {
  readonly lane: Lane;
  readonly endpointClass: string | null;
  readonly grantedAt: number;
  /** Kept for callers that are not above their share. */
  readonly isReserved: boolean;
  /** On the process's own clock. */
  readonly returnAt: number;
}

interface PendingReadings {
  readonly count: number;
  readonly least: number;
  readonly greatest: number;
  readonly limit: number;
  /** On the process's own clock. */
  readonly resetsAt: number | null;
  readonly newestGrant: number;
}

interface Pending {
  finished: number;
  returned: number;
  readings: PendingReadings | null;
}

export class Purse {
  #held: HeldToken[] = [];
  readonly #pending = new Map<string, Pending>();
  /** Tokens granted and not settled with the ledger, by bucket. */
  readonly #out = new Map<string, number>();

  get size(): number {
    return this.#held.length;
  }

  /** Tokens in hand for calls of one lane and class. */
  countOf(lane: Lane, endpointClass: string | null): number {
    return this.#held.filter((token) => token.lane === lane && token.endpointClass === endpointClass).length;
  }

  /** Takes in `count` tokens, the first `reserved` of them for callers that are not above their share. */
  add(
    count: number,
    lane: Lane,
    endpointClass: string | null,
    grantedAt: number,
    now: number,
    reserved = 0,
  ): void {
    const returnAt = lane === 'BACKGROUND' ? now : now + KEPT_MS;
    for (let added = 0; added < count; added += 1) {
      this.#held.push({ lane, endpointClass, grantedAt, isReserved: added < reserved, returnAt });
    }
    for (const bucket of bucketsFor(endpointClass)) {
      this.#out.set(bucket, (this.#out.get(bucket) ?? 0) + count);
    }
  }

  /**
   * Whether a call of the lane could be made with a token granted for it, or, if `any`, for another
   * lane: what was granted to the background serves all, and not the other way. `isAbove`: its caller is
   * above its share.
   */
  has(lane: Lane, endpointClass: string | null, any: boolean, isAbove: boolean): boolean {
    return this.#indexFor(lane, endpointClass, any, isAbove) >= 0;
  }

  /** Takes a token for a call; its time of grant. */
  take(lane: Lane, endpointClass: string | null, any: boolean, isAbove: boolean): number {
    const [token] = this.#held.splice(this.#indexFor(lane, endpointClass, any, isAbove), 1);
    if (token === undefined) throw new TypeError('"lane" must be one that a token is held for');
    return token.grantedAt;
  }

  /** Puts tokens back whose time is over, or all of them. */
  giveUp(now: number): void {
    const over = this.#held.filter(({ returnAt }) => returnAt <= now);
    if (over.length === 0) return;
    this.#held = this.#held.filter(({ returnAt }) => returnAt > now);
    for (const { endpointClass } of over) this.putBack(endpointClass);
  }

  /** The time at which the next token goes back by itself. */
  get nextReturn(): number {
    return this.#held.reduce((next, { returnAt }) => Math.min(next, returnAt), Infinity);
  }

  /** A token that no call used. */
  putBack(endpointClass: string | null): void {
    for (const bucket of bucketsFor(endpointClass)) this.#pendingOf(bucket).returned += 1;
  }

  /** A call is over. */
  finish(endpointClass: string | null, grantedAt: number, reading: RateLimitReading | null): void {
    for (const bucket of bucketsFor(endpointClass)) {
      const pending = this.#pendingOf(bucket);
      pending.finished += 1;
      const told =
        bucket === ACCOUNT ? reading : (reading?.endpoints.find(({ name }) => name === bucket) ?? null);
      // No account has a limit of nothing; believing it would end all calls, and so all answers.
      if (told === null || told.remaining === null || told.limit === null || told.limit < 1) continue;
      pending.readings = joined(pending.readings, {
        count: 1,
        least: told.remaining,
        greatest: told.remaining,
        limit: told.limit,
        resetsAt: told.resetsAt,
        newestGrant: grantedAt,
      });
    }
  }

  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /** What is to be settled, taken out; {@link restore} undoes it. */
  takePending(): ReadonlyMap<string, Pending> {
    const taken = new Map(this.#pending);
    this.#pending.clear();
    return taken;
  }

  restore(taken: ReadonlyMap<string, Pending>): void {
    for (const [bucket, { finished, returned, readings }] of taken) {
      const pending = this.#pendingOf(bucket);
      pending.finished += finished;
      pending.returned += returned;
      pending.readings = readings === null ? pending.readings : joined(pending.readings, readings);
    }
  }

  /** What was taken is settled. */
  settled(taken: ReadonlyMap<string, Pending>): void {
    for (const [bucket, { finished, returned }] of taken) {
      const out = (this.#out.get(bucket) ?? 0) - finished - returned;
      if (out > 0) this.#out.set(bucket, out);
      else this.#out.delete(bucket);
    }
  }

  /** Buckets of which tokens are out. */
  get holding(): readonly string[] {
    return [...this.#out.keys()];
  }

  #indexFor(lane: Lane, endpointClass: string | null, any: boolean, isAbove: boolean): number {
    return this.#held.findIndex(
      (token) =>
        !(isAbove && token.isReserved) &&
        token.endpointClass === endpointClass &&
        (token.lane === lane || (any && (token.lane === 'BACKGROUND' || lane !== 'BACKGROUND'))),
    );
  }

  #pendingOf(bucket: string): Pending {
    const pending = this.#pending.get(bucket) ?? { finished: 0, returned: 0, readings: null };
    this.#pending.set(bucket, pending);
    return pending;
  }
}

/** As the ledger takes it: times counted from `now`. */
export function toSettlements(
  taken: ReadonlyMap<string, Pending>,
  now: number,
): ReadonlyMap<string, Settlement> {
  return new Map([...taken].map(([bucket, pending]) => [bucket, toSettlement(pending, now)]));
}

function toSettlement({ finished, returned, readings }: Pending, now: number): Settlement {
  if (readings === null) return { finished, returned, readings };
  const { resetsAt, ...rest } = readings;
  const told: SettledReadings = {
    ...rest,
    resetsIn: resetsAt === null ? null : Math.max(0, resetsAt - now),
  };
  return { finished, returned, readings: told };
}

function joined(one: PendingReadings | null, other: PendingReadings): PendingReadings {
  if (one === null) return other;
  const newest = other.newestGrant >= one.newestGrant ? other : one;
  return {
    ...newest,
    count: one.count + other.count,
    least: Math.min(one.least, other.least),
    greatest: Math.max(one.greatest, other.greatest),
  };
}

function bucketsFor(endpointClass: string | null): readonly string[] {
  return endpointClass === null ? [ACCOUNT] : [ACCOUNT, endpointClass];
}
