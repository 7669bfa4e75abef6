/**
 * Merges loads of single objects into calls for up to 100 of them (`show_many`, zendesk-api §5),
 * whoever asks for them. A batch collects what is asked for in one turn of the event loop, so that a
 * lone load waits for no timer, and leaves at once when it is full. A load joins an id that is already
 * on its way. Nothing outlives its call.
 *
 * A batch *collects* until its turn, is *due* when the turn is over or it is full, and *under way*
 * until it is answered. At most so many are under way; those that are due wait, the most urgent first.
 * One failed batch fails its own ids only. One whose answer is larger than the gateway reads is asked
 * for again in halves, one after the other, until only the objects fail that are too large by themselves.
 *
 * Callers take turns, and none of them takes all: of the places for ids that wait, and for batches
 * under way, each gets as many as it leaves to others. One alone has half of them, and whoever comes
 * to any number of such callers finds as many free as each of them holds.
 */
import type { Clock } from '../base/index.ts';
import { LANES } from './lane.ts';
import { departureOf, type Participant, SharedCall, type SharedTerms } from './shared-call.ts';
import { Shares } from './shares.ts';
import { tooManyWaiting } from './too-many-waiting.ts';
import { ZendeskError } from './zendesk-error.ts';

/** Most ids that Zendesk takes in one call. */
export const MAX_BATCH_IDS = 100;

export interface CoalescerOptions<V, P extends Participant = Participant> {
  /** Loads 1 to 100 distinct ids; what Zendesk does not show is missing from the map. */
  readonly load: (ids: readonly number[], terms: SharedTerms<P>) => Promise<ReadonlyMap<number, V>>;
  readonly clock: Clock;
  /** Batches under way at once; default 32. */
  readonly maxUnderWay?: number;
  /** Ids waiting for their batch to begin; default 10 000. */
  readonly maxWaiting?: number;
  /** Ends the turn in which a batch collects; default `setImmediate`. */
  readonly endTurn?: (then: () => void) => void;
}

export interface Coalescer<V, P extends Participant = Participant> {
  /**
   * The object of this id, `null` where Zendesk shows none. Rejects with the batch's failure, with the
   * reason of the participant's signal, with UPSTREAM_UNAVAILABLE at its deadline or where too many wait
   * for its caller.
   */
  load(id: number, participant: P): Promise<V | null>;
  /** The same for many, in order; what failed is an Error in its place. Never rejects. */
  loadMany(ids: readonly number[], participant: P): Promise<readonly (V | null | Error)[]>;
  /** Lets nobody join what is under way: it may not show a change that has just been made. */
  detach(): void;
}

type Loaded<V> = { readonly value: V | null } | { readonly error: unknown };

type LoadedById<V> = ReadonlyMap<number, Loaded<V>>;

/** An id's place in a batch. */
interface Place {
  /** How many wait for it. */
  readonly waiting: number;
  /** Who asked first: its share holds the place. */
  readonly caller: string | undefined;
}

interface Batch<V, P extends Participant> {
  readonly ids: Map<number, Place>;
  readonly call: SharedCall<LoadedById<V>, P>;
  state: 'COLLECTING' | 'DUE' | 'BEGUN';
}

export function createCoalescer<V, P extends Participant = Participant>(
  options: CoalescerOptions<V, P>,
): Coalescer<V, P> {
  return new ShowManyCoalescer(options);
}

class ShowManyCoalescer<V, P extends Participant> implements Coalescer<V, P> {
  readonly #load: CoalescerOptions<V, P>['load'];
  readonly #clock: Clock;
  readonly #endTurn: (then: () => void) => void;
  /** By id, the batch that a load of it may join. */
  readonly #carriers = new Map<number, Batch<V, P>>();
  /** Not begun yet, oldest first. */
  readonly #ahead = new Set<Batch<V, P>>();
  /** Ids whose batch has not begun. */
  readonly #waiting: Shares;
  /** Batches, each held by the caller whose turn it was. */
  readonly #underWay: Shares;
  /** The callers that waited when one was last chosen, who is next first. */
  #turns: readonly (string | undefined)[] = [];
  #isTurnOpen = false;

  constructor(options: CoalescerOptions<V, P>) {
    this.#load = options.load;
    this.#clock = options.clock;
    this.#underWay = new Shares(options.maxUnderWay ?? 32);
    this.#waiting = new Shares(options.maxWaiting ?? 10_000);
    this.#endTurn = options.endTurn ?? setImmediate;
  }

  async load(id: number, participant: P): Promise<V | null> {
    const loaded = (await this.#loadAll([id], participant)).get(id);
    if (loaded === undefined) return null;
    if ('error' in loaded) throw loaded.error;
    return loaded.value;
  }

  async loadMany(ids: readonly number[], participant: P): Promise<readonly (V | null | Error)[]> {
    const all = await this.#loadAll(new Set(ids), participant);
    return ids.map((id) => {
      const loaded = all.get(id);
      if (loaded === undefined) return null;
      return 'error' in loaded ? errorOf(loaded.error) : loaded.value;
    });
  }

  detach(): void {
    for (const [id, batch] of this.#carriers) {
      if (batch.state === 'BEGUN') this.#carriers.delete(id);
    }
  }

  async #loadAll(ids: Iterable<number>, participant: P): Promise<LoadedById<V>> {
    const all = new Map<number, Loaded<V>>();
    const seats = new Map<Batch<V, P>, number[]>();
    const departure = departureOf(participant, this.#clock);
    for (const id of ids) {
      const batch = departure === null ? this.#place(id, participant) : null;
      if (batch === null) {
        all.set(id, departure ?? { error: tooManyWaiting() });
        continue;
      }
      const own = seats.get(batch);
      if (own === undefined) seats.set(batch, [id]);
      else own.push(id);
    }
    const answers = [...seats].map(([batch, own]) => this.#wait(batch, own, participant));
    this.#beginDue();
    for (const answer of await Promise.all(answers)) {
      for (const [id, loaded] of answer) all.set(id, loaded);
    }
    return all;
  }

  async #wait(batch: Batch<V, P>, ids: readonly number[], participant: P): Promise<LoadedById<V>> {
    const loaded = await this.#answerOf(batch, ids, participant);
    // The call may have had less time than is left to who joined it; that ends at the latest with their own.
    const again = [...loaded].flatMap(([id, one]) =>
      'error' in one && batch.call.endedTooSoonFor(participant, one.error) ? [id] : [],
    );
    if (again.length === 0) return loaded;
    return new Map([...loaded, ...(await this.#loadAll(again, participant))]);
  }

  async #answerOf(batch: Batch<V, P>, ids: readonly number[], participant: P): Promise<LoadedById<V>> {
    try {
      const loaded = await batch.call.join(participant);
      return new Map(ids.map((id) => [id, loaded.get(id) ?? { value: null }]));
    } catch (error) {
      return failAll(ids, error);
    } finally {
      this.#leave(batch, ids);
    }
  }

  /** The batch that brings `id`, begun or not; `null` where too many ids wait for the caller. */
  #place(id: number, participant: P): Batch<V, P> | null {
    const carrier = this.#carriers.get(id);
    if (carrier?.call.canCarry(participant)) {
      const place = carrier.ids.get(id);
      if (place !== undefined) carrier.ids.set(id, { ...place, waiting: place.waiting + 1 });
      return carrier;
    }
    const { caller } = participant;
    if (!this.#waiting.hasFor(caller)) return null;
    const batch = this.#collecting(participant) ?? this.#open();
    batch.ids.set(id, { waiting: 1, caller });
    this.#carriers.set(id, batch);
    this.#waiting.take(caller);
    if (batch.ids.size >= MAX_BATCH_IDS) batch.state = 'DUE';
    return batch;
  }

  #collecting(participant: P): Batch<V, P> | null {
    for (const batch of this.#ahead) {
      // One that everybody has left is on its way out.
      if (batch.state === 'COLLECTING' && batch.call.canCarry(participant)) return batch;
    }
    return null;
  }

  #open(): Batch<V, P> {
    const batch: Batch<V, P> = { ids: new Map(), call: new SharedCall(this.#clock), state: 'COLLECTING' };
    this.#ahead.add(batch);
    if (!this.#isTurnOpen) {
      this.#isTurnOpen = true;
      this.#endTurn(() => {
        this.#isTurnOpen = false;
        for (const one of this.#ahead) if (one.state === 'COLLECTING') one.state = 'DUE';
        this.#beginDue();
      });
    }
    return batch;
  }

  /** Ids that nobody waits for any more are not asked for. */
  #leave(batch: Batch<V, P>, ids: readonly number[]): void {
    if (batch.state === 'BEGUN') return;
    for (const id of ids) {
      const place = batch.ids.get(id);
      if (place === undefined) continue;
      if (place.waiting > 1) {
        batch.ids.set(id, { ...place, waiting: place.waiting - 1 });
        continue;
      }
      batch.ids.delete(id);
      this.#waiting.giveBack(place.caller);
      if (this.#carriers.get(id) === batch) this.#carriers.delete(id);
    }
    if (batch.ids.size === 0) this.#ahead.delete(batch);
  }

  #beginDue(): void {
    for (let next = this.#takeTurn(); next !== null; next = this.#takeTurn()) this.#begin(next);
  }

  /** The batch that begins next, of the most urgent the one whose caller is next; `null` where none may. */
  #takeTurn(): { readonly batch: Batch<V, P>; readonly caller: string | undefined } | null {
    const due = [...this.#ahead].filter(({ state }) => state === 'DUE');
    const callers = new Set(due.flatMap(({ call }) => [...call.callers.names]));
    this.#turns = [...new Set([...this.#turns.filter((caller) => callers.has(caller)), ...callers])];
    const free = this.#turns.filter((caller) => this.#underWay.hasFor(caller));
    for (const lane of LANES) {
      const urgent = due.filter(({ call }) => call.lane === lane);
      for (const caller of free) {
        const batch = urgent.find(({ call }) => call.callers.has(caller));
        if (batch === undefined) continue;
        this.#turns = [...this.#turns.filter((other) => other !== caller), caller];
        return { batch, caller };
      }
    }
    return null;
  }

  #begin({ batch, caller }: { readonly batch: Batch<V, P>; readonly caller: string | undefined }): void {
    batch.state = 'BEGUN';
    this.#ahead.delete(batch);
    for (const place of batch.ids.values()) this.#waiting.giveBack(place.caller);
    this.#underWay.take(caller);
    const ids = [...batch.ids.keys()];
    void batch.call
      .run((terms) => this.#loadInParts(ids, terms))
      .then(() => {
        this.#underWay.giveBack(caller);
        for (const id of ids) if (this.#carriers.get(id) === batch) this.#carriers.delete(id);
        this.#beginDue();
      });
  }

  async #loadInParts(ids: readonly number[], terms: SharedTerms<P>): Promise<LoadedById<V>> {
    try {
      terms.signal.throwIfAborted();
      const values = await this.#load(ids, terms);
      return new Map([...values].map(([id, value]) => [id, { value }]));
    } catch (error) {
      if (!isOversize(error)) return failAll(ids, error);
      if (ids.length === 1) return failAll(ids, tooLarge(error));
    }
    const middle = Math.ceil(ids.length / 2);
    const first = await this.#loadInParts(ids.slice(0, middle), terms);
    const second = await this.#loadInParts(ids.slice(middle), terms);
    return new Map([...first, ...second]);
  }
}

function failAll(ids: readonly number[], error: unknown): LoadedById<never> {
  return new Map(ids.map((id) => [id, { error }]));
}

function isOversize(error: unknown): error is ZendeskError {
  return error instanceof ZendeskError && error.failure === 'OVERSIZE';
}

/** The object is too large by itself: no smaller page helps. */
function tooLarge(error: ZendeskError): ZendeskError {
  return error.recoded(
    error.code,
    'This object of Zendesk is larger than the gateway reads. Open it in Zendesk.',
    {},
  );
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('The load was given up.', { cause: reason });
}
