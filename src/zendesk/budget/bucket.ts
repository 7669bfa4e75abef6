/**
 * One bucket of calls: the account's, or that of an endpoint class.
 *
 * Two bounds hold at once, and a token is granted only where both leave room.
 * - *Own log*: a call counts from its grant until a whole window after it was settled. The server counted
 *   it somewhere between, so while nobody else uses the account no window, fixed or sliding, holds more
 *   than the limit, whatever the answers say.
 * - *Readings*: what answers told remaining, less every token that is out, less what others are expected
 *   to take. A reading is superseded only by one of a call granted after it was settled; the least of
 *   those not superseded is below the truth in whatever order the server met the calls.
 *
 * When the readings leave no room, and the time at which more was promised has passed, one call at a
 * time goes ahead to fetch a fresh one.
 */
import { type BucketState, emptyBucket, type ReadingState } from './bucket-state.ts';
import type { BucketSpec } from './endpoint-class.ts';
import { expectedRate, observeOthers, type ReadingBatch } from './others.ts';

/** What became of tokens of one bucket since the process last spoke. */
export interface Settlement {
  /** Calls that were sent and are over, with or without an answer. */
  readonly finished: number;
  /** Tokens that no call used. */
  readonly returned: number;
  /** Of the finished calls those that told the bucket's limit. */
  readonly readings: SettledReadings | null;
}

export interface SettledReadings extends ReadingBatch {
  /** As the call granted last told them. */
  readonly limit: number;
  /** Milliseconds from now; `null` where not told. */
  readonly resetsIn: number | null;
  /** When the call granted last was granted, on the ledger's clock. */
  readonly newestGrant: number;
}

export const BIN_MS = 250;
/** Clocks of two machines do not run at exactly one rate, and a window is long. */
const DRIFT_MS = 100;
/** A process that has been silent so long is dead, and its calls have left the window. */
export const LAPSE_MS = 90_000;
/** Tokens out before any answer told a limit, or after what it told has grown old. */
const SLOW_START = 4;
const FRESH_MS = 500;
const REREAD_MS = 2_000;
const HUNG_MS = 5_000;
/** The smallest limit of the plans on sale, for an account whose answers tell none. */
const UNTOLD_LIMIT = 200;
const UNTOLD_RESET_MS = 2_000;
const PROBE_PAUSE_MS = 1_000;
/** How long after the server our log may free a call: its settling, a bin, the drift. */
const LAG_MS = 1_500;
const MAX_BATCHES = 64;

export class Bucket {
  readonly #state: BucketState;
  readonly #spec: BucketSpec;
  readonly #isAccount: boolean;
  readonly #now: number;

  /** Takes over `state`, which it may change. */
  constructor(state: BucketState | null, spec: BucketSpec, isAccount: boolean, now: number) {
    this.#state = state ?? emptyBucket();
    this.#spec = spec;
    this.#isAccount = isAccount;
    this.#now = now;
    this.#prune();
  }

  get state(): BucketState {
    return this.#state;
  }

  /** Calls a window, told or guessed. */
  get limit(): number | null {
    return this.#state.limit ?? this.#spec.firstGuess;
  }

  get windowMs(): number {
    return this.#spec.windowMs;
  }

  /** Tokens granted and not settled. */
  get out(): number {
    return Object.values(this.#state.holders).reduce((sum, { out }) => sum + out, 0);
  }

  /** Calls that may be in the window: those out and those of the log. */
  get held(): number {
    return this.#state.log.reduce((sum, [, calls]) => sum + calls, this.out);
  }

  /** Room by our own log alone where a call is due to fetch a fresh reading, which may tell of more; else 0. */
  get unreadRoom(): number {
    const { reading } = this.#state;
    const limit = this.limit;
    if (reading === null || limit === null) return 0;
    return this.#mayProbe(reading) || this.#mayReread(reading, limit) ? Math.max(0, limit - this.held) : 0;
  }

  /** Tokens that may be granted now. */
  get room(): number {
    const { limit } = this;
    if (limit === null) {
      return this.#isAccount
        ? Math.max(0, Math.min(SLOW_START - this.out, UNTOLD_LIMIT - this.held))
        : Infinity;
    }
    const { reading } = this.#state;
    if (reading === null) return Math.max(0, limit - this.held);
    // A newly met account is not emptied before others had time to be seen.
    const met = Math.min(1, 0.25 + (this.#now - reading.metAt) / (this.windowMs / 6));
    const own = Math.min(limit, Math.max(SLOW_START, Math.floor(limit * met))) - this.held;
    return Math.max(0, Math.floor(Math.min(own, own < 1 ? own : this.#readingRoom(reading, limit))));
  }

  /** The earliest time at which there may be room again, for a bucket without; `null` where only a settlement tells. */
  get nextRoomAt(): number | null {
    const { log, reading } = this.#state;
    const limit = this.limit ?? (this.#isAccount ? UNTOLD_LIMIT : Infinity);
    if (this.held >= limit) {
      const [first] = log;
      return first === undefined ? null : leavesAt(first[0], this.windowMs);
    }
    if (reading === null || this.out > 0) return null;
    const rereadAt = Math.max(reading.at, this.#state.grantedAt) + REREAD_MS;
    const readAt = this.#promisedAt(reading);
    return Math.max(this.#isAmple(reading, limit) ? Math.min(readAt, rereadAt) : readAt, this.#now);
  }

  grant(process: string, tokens: number): void {
    const holder = this.#holder(process);
    holder.out += tokens;
    if (tokens > 0) this.#state.grantedAt = this.#now;
  }

  settle(process: string, { finished, returned, readings }: Settlement): void {
    const state = this.#state;
    const holder = this.#holder(process);
    holder.out = Math.max(0, holder.out - finished - returned);
    if (finished > 0) this.#log(finished);
    const unread = finished - (readings?.count ?? 0);
    if (unread > 0) state.blind = { calls: state.blind.calls + unread, at: this.#now };
    if (readings !== null) this.#read(readings);
  }

  /** Marks a process as alive. */
  #holder(process: string): { out: number; seenAt: number } {
    const holder = this.#state.holders[process] ?? { out: 0, seenAt: 0 };
    holder.seenAt = this.#now;
    this.#state.holders[process] = holder;
    return holder;
  }

  #readingRoom(reading: ReadingState, limit: number): number {
    const { blind, grantedAt } = this.#state;
    const now = this.#now;
    const polite = this.#politeRoom(reading, limit);
    const sure = leastOf(reading) - this.out - blind.calls;
    if (polite >= 1) return Math.min(polite, this.#freshRoom(reading, limit, sure));
    // However much others are expected to take until the reset, a tenth of the limit is ours.
    const trickles = this.held < limit / 10 && now - grantedAt >= (2 * this.windowMs) / limit;
    if (trickles && sure - this.#reserve(limit, now - reading.at + 1000) >= 1) return 1;
    if (this.#mayReread(reading, limit)) return 1;
    return this.#mayProbe(reading) ? 1 : 0;
  }

  /** Of what is surely left that which others cannot have taken since the reading, and a few calls to read anew. */
  #freshRoom(reading: ReadingState, limit: number, sure: number): number {
    const unread = Math.max(0, this.#now - reading.at - FRESH_MS);
    const rate = expectedRate(this.#state.others, this.windowMs, reading.at, this.#now);
    const taken = unread * Math.max(limit / this.windowMs, (3 * rate) / 1000);
    return Math.max(sure - taken, SLOW_START - this.out);
  }

  /** What is surely left beyond that which others are expected to take until more is promised. */
  #politeRoom(reading: ReadingState, limit: number): number {
    const until = Math.max(this.#promisedAt(reading), this.#now) - reading.at;
    return leastOf(reading) - this.out - this.#state.blind.calls - this.#reserve(limit, until);
  }

  /** What is left to others for `milliseconds`. */
  #reserve(limit: number, milliseconds: number): number {
    const expected = this.#expected(milliseconds);
    return Math.floor(limit / (expected > 0 ? 100 : 200)) + expected;
  }

  /** Calls that others will hardly exceed in `milliseconds`: the mean and two deviations of a Poisson process. */
  #expected(milliseconds: number): number {
    const { others, reading } = this.#state;
    const rate = expectedRate(others, this.windowMs, reading?.at ?? 0, this.#now);
    const mean = (rate * milliseconds) / 1000;
    return mean + 2 * Math.sqrt(mean);
  }

  /** Whether to read anew what others really took, there being enough beyond doubt. */
  #mayReread(reading: ReadingState, limit: number): boolean {
    const { grantedAt } = this.#state;
    const now = this.#now;
    return now >= Math.max(reading.at, grantedAt) + REREAD_MS && this.#isAmple(reading, limit);
  }

  #isAmple(reading: ReadingState, limit: number): boolean {
    const sure = leastOf(reading) - this.out - this.#state.blind.calls;
    return sure - this.#reserve(limit, this.#now - reading.at + 1000) >= SLOW_START;
  }

  #mayProbe(reading: ReadingState): boolean {
    const { grantedAt, blind, freed } = this.#state;
    const now = this.#now;
    const promisedAt = this.#promisedAt(reading);
    if (now < promisedAt) return false;
    const probed = grantedAt >= promisedAt;
    // One that hangs holds up the others no longer than a while.
    if (probed && now - grantedAt < (this.out > 0 ? HUNG_MS : PROBE_PAUSE_MS)) return false;
    if (reading.window !== 'SLIDING' || now - reading.at >= this.windowMs) return true;
    // Sliding windows promise room for one call at a time, which another may have taken.
    const own = Math.max(0, freed - reading.freed);
    return leastOf(reading) + own - blind.calls - this.out - this.#expected(now - reading.at) >= 1;
  }

  #promisedAt(reading: ReadingState): number {
    return reading.resetsAt ?? reading.at + UNTOLD_RESET_MS;
  }

  #read(batch: SettledReadings): void {
    const state = this.#state;
    const now = this.#now;
    const before = state.reading;
    // Granted before the ledger's clock was set back: nobody knows what it came after.
    const grantedLast = batch.newestGrant > now ? 0 : batch.newestGrant;
    const newest = grantedLast >= (before?.newestGrant ?? 0);
    const newestGrant = Math.max(grantedLast, before?.newestGrant ?? 0);
    if (newest) state.limit = batch.limit;
    if (state.blind.at <= newestGrant) state.blind = { calls: 0, at: 0 };
    const kept = (before?.batches ?? []).filter(({ at }) => at > newestGrant);
    const [first, second] = kept;
    if (kept.length >= MAX_BATCHES && first !== undefined && second !== undefined) {
      kept.splice(0, 2, { at: second.at, least: Math.min(first.least, second.least) });
    }
    // A window is over after its length, whatever an answer says.
    const told = batch.resetsIn === null ? null : now + Math.min(batch.resetsIn, this.windowMs);
    const reading: ReadingState = {
      at: now,
      metAt: before === null || now - before.at > 2 * this.windowMs ? now : before.metAt,
      newestGrant,
      batches: [...kept, { at: now, least: batch.least }],
      resetsAt: newest || before === null ? told : before.resetsAt,
      window: before === null ? 'UNKNOWN' : this.#windowAfter(before, batch),
      freed: state.freed + this.#leavingBy(now + LAG_MS),
    };
    state.reading = reading;
    state.others = observeOthers(state.others, batch, {
      now,
      limit: state.limit ?? batch.limit,
      windowMs: this.windowMs,
      held: this.held,
      out: this.out,
      rose: before !== null && leastOf(reading) > leastOf(before),
    });
  }

  /** Whether our calls from before a promised time still counted after it. */
  #windowAfter(before: ReadingState, batch: SettledReadings): ReadingState['window'] {
    const promisedAt = this.#promisedAt(before);
    if (batch.newestGrant < promisedAt) return before.window;
    const from = this.#now - this.windowMs + 5_000;
    const ours = this.#state.log
      .filter(([bin]) => bin * BIN_MS >= from && (bin + 1) * BIN_MS <= promisedAt)
      .reduce((sum, [, calls]) => sum + calls, 0);
    if (ours < batch.limit / 20) return before.window;
    return batch.limit - batch.greatest < ours / 2 ? 'FIXED' : 'SLIDING';
  }

  #log(calls: number): void {
    const bin = Math.floor(this.#now / BIN_MS);
    const last = this.#state.log.at(-1);
    if (last !== undefined && last[0] === bin) last[1] += calls;
    else this.#state.log.push([bin, calls]);
  }

  #leavingBy(time: number): number {
    return this.#state.log
      .filter(([bin]) => leavesAt(bin, this.windowMs) <= time)
      .reduce((sum, [, calls]) => sum + calls, 0);
  }

  #prune(): void {
    const state = this.#state;
    state.freed += this.#leavingBy(this.#now);
    state.log = state.log.filter(([bin]) => leavesAt(bin, this.windowMs) > this.#now);
    for (const [process, { seenAt }] of Object.entries(state.holders)) {
      if (this.#now - seenAt > LAPSE_MS) delete state.holders[process];
    }
  }
}

function leavesAt(bin: number, windowMs: number): number {
  return (bin + 1) * BIN_MS + windowMs + DRIFT_MS;
}

function leastOf({ batches }: ReadingState): number {
  return batches.reduce((least, batch) => Math.min(least, batch.least), Infinity);
}
