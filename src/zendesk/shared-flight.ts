/**
 * Identical reads that are asked for at the same time share one call. Nothing outlives its call: who
 * asks after it was answered asks Zendesk.
 */
import type { Clock } from '../base/index.ts';
import { departureOf, type Participant, SharedCall, type SharedTerms } from './shared-call.ts';
import { Shares } from './shares.ts';
import { tooManyWaiting } from './too-many-waiting.ts';

export interface SharedFlightOptions {
  readonly clock: Clock;
  /** Different reads under way at once, of which no caller takes all; default 1 000. */
  readonly maxUnderWay?: number;
}

export interface SharedFlight<T, P extends Participant = Participant> {
  /**
   * The answer to the read that `key` names: `run` makes the call, unless one for `key` is under way.
   * Rejects as {@link SharedCall.join} does, and with UPSTREAM_UNAVAILABLE where too many are under way
   * for the participant's caller.
   */
  share(key: string, participant: P, run: (terms: SharedTerms<P>) => Promise<T>): Promise<T>;
  /** Lets nobody join what is under way: it may not show a change that has just been made. */
  detach(): void;
}

export function createSharedFlight<T, P extends Participant = Participant>(
  options: SharedFlightOptions,
): SharedFlight<T, P> {
  const { clock } = options;
  const underWay = new Shares(options.maxUnderWay ?? 1_000);
  const flights = new Map<string, SharedCall<T, P>>();

  async function share(key: string, participant: P, run: (terms: SharedTerms<P>) => Promise<T>): Promise<T> {
    const departure = departureOf(participant, clock);
    if (departure !== null) throw departure.error;
    const present = flights.get(key);
    const isNew = present === undefined || !present.canCarry(participant);
    const { caller } = participant;
    if (isNew && !underWay.hasFor(caller)) throw tooManyWaiting();
    const flight = isNew ? new SharedCall<T, P>(clock) : present;
    const answer = flight.join(participant);
    if (isNew) {
      flights.set(key, flight);
      underWay.take(caller);
      void flight.run(run).then(() => {
        underWay.giveBack(caller);
        if (flights.get(key) === flight) flights.delete(key);
      });
    }
    try {
      return await answer;
    } catch (error) {
      if (!flight.endedTooSoonFor(participant, error)) throw error;
      return share(key, participant, run);
    }
  }

  return Object.freeze<SharedFlight<T, P>>({
    share,
    detach: () => flights.clear(),
  });
}
