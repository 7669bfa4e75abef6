/**
 * One call to Zendesk that several share. Each waits with its own signal and its own deadline; the
 * call has the latest of their deadlines and the highest of their lanes, and is aborted once the last
 * of them has left. What it costs is counted for everybody who took part. Each of their callers has a
 * turn of its own for it in the account's budget, and the first that comes is taken.
 *
 * COLLECTING: participants join, nothing has been sent. UNDER_WAY, by `run`: more may join, unless
 * they are more urgent than the call. OVER, by its answer or because nobody is left: nobody joins.
 */
import { type Clock, unlessAborted } from '../base/index.ts';
import { openDeadline } from './deadline.ts';
import { outOfTime } from './failed-call.ts';
import { LANES, type Lane } from './lane.ts';
import { SharedCallers } from './shared-callers.ts';
import { createUsageMeter, type UsageMeter } from './usage-meter.ts';
import { ZendeskError } from './zendesk-error.ts';

/** Who waits for a shared call, and how. */
export interface Participant {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  readonly lane: Lane;
  /** For whom the call is made, such as an API key's id. */
  readonly caller?: string | undefined;
  /** Each counts the calls that the participant took part in, once. */
  readonly meters?: readonly UsageMeter[] | undefined;
}

/** On what terms the shared call is made. */
export interface SharedTerms<P extends Participant = Participant> {
  readonly signal: AbortSignal;
  readonly deadline: number;
  readonly lane: Lane;
  /** Those who wait, as they come and go. */
  readonly callers: SharedCallers;
  readonly usage: UsageMeter;
  /** The first of those who wait, with what it brought along. */
  readonly lead: P;
}

export class SharedCall<T, P extends Participant = Participant> {
  /** For whom it is made. */
  readonly callers = new SharedCallers();
  readonly #clock: Clock;
  readonly #waiting = new Set<{ readonly participant: P }>();
  readonly #meters = new Set<UsageMeter>();
  readonly #settlement = Promise.withResolvers<T>();
  readonly #abandoned = new AbortController();
  #state: 'COLLECTING' | 'UNDER_WAY' | 'OVER' = 'COLLECTING';
  #lane: Lane = 'BACKGROUND';
  #deadline = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    // Everybody may have left before it fails.
    this.#settlement.promise.catch(() => undefined);
  }

  get lane(): Lane {
    return this.#lane;
  }

  /** Whether `participant` can join and be served as it asks. */
  canCarry({ lane }: P): boolean {
    if (this.#state !== 'UNDER_WAY') return this.#state === 'COLLECTING';
    return urgency(this.#lane) >= urgency(lane);
  }

  /**
   * Waits with the others, from before this returns. Rejects with the call's failure, with the reason
   * of the participant's signal, or with UPSTREAM_UNAVAILABLE at its deadline.
   */
  async join(participant: P): Promise<T> {
    const { signal, deadline, lane, caller, meters = [] } = participant;
    const seat = { participant };
    this.#waiting.add(seat);
    for (const meter of meters) this.#meters.add(meter);
    if (this.#state === 'COLLECTING') {
      this.#deadline = Math.max(this.#deadline, deadline);
      if (urgency(lane) > urgency(this.#lane)) this.#lane = lane;
    }
    this.callers.add(caller);
    using limit = openDeadline(this.#clock, deadline, signal);
    try {
      return await unlessAborted(this.#settlement.promise, limit.signal);
    } catch (error) {
      throw limit.expired() && error === limit.signal.reason ? outOfTime(error) : error;
    } finally {
      this.#waiting.delete(seat);
      if (this.#waiting.size === 0) this.#abandon();
      this.callers.remove(caller);
    }
  }

  /** Makes the call, once. Resolves when it is over, however it ended. */
  async run(work: (terms: SharedTerms<P>) => Promise<T>): Promise<void> {
    const [first] = this.#waiting;
    if (this.#state !== 'COLLECTING' || first === undefined) return;
    this.#state = 'UNDER_WAY';
    try {
      const result = await work({
        signal: this.#abandoned.signal,
        deadline: this.#deadline,
        lane: this.#lane,
        callers: this.callers,
        usage: this.#countForAll(),
        lead: first.participant,
      });
      this.#settlement.resolve(result);
    } catch (error) {
      this.#settlement.reject(error);
    } finally {
      this.#state = 'OVER';
    }
  }

  /**
   * Whether the call failed for want of time that `participant`, who joined when its deadline was set,
   * still has: then it is worth asking anew.
   */
  endedTooSoonFor({ deadline }: P, error: unknown): boolean {
    return this.#deadline < deadline && this.#clock.now() < deadline && isWantOfTime(error);
  }

  #countForAll(): UsageMeter {
    const own = createUsageMeter();
    return Object.freeze<UsageMeter>({
      record: (reading, status) => {
        own.record(reading, status);
        for (const meter of this.#meters) meter.record(reading, status);
      },
      read: own.read,
    });
  }

  #abandon(): void {
    if (this.#state === 'OVER') return;
    this.#state = 'OVER';
    this.#abandoned.abort(new DOMException('Nobody waits for this call any more.', 'AbortError'));
  }
}

/** Why `participant` need not be waited for: its signal's reason, or that its time is over; `null` where it must. */
export function departureOf(
  { signal, deadline }: Participant,
  clock: Clock,
): { readonly error: unknown } | null {
  if (signal?.aborted) return { error: signal.reason };
  return clock.now() < deadline ? null : { error: outOfTime(undefined) };
}

function isWantOfTime(error: unknown): boolean {
  return error instanceof ZendeskError && (error.failure === 'TIMEOUT' || error.failure === 'RATE_LIMITED');
}

function urgency(lane: Lane): number {
  return LANES.length - LANES.indexOf(lane);
}
