/**
 * The callers for whom one shared call is made, as they come and go. Each has a turn of its own for the
 * call in the account's budget, and the first that comes is the call's: nobody stands in another's line.
 */
import type { LimitedRequest, RequestLimiter, RequestSlot } from './request-limiter.ts';

export class SharedCallers {
  /** How many wait for each; those without a name count as one. */
  readonly #counts = new Map<string | undefined, number>();
  #onChange: (() => void) | null = null;

  get names(): Iterable<string | undefined> {
    return this.#counts.keys();
  }

  has(caller: string | undefined): boolean {
    return this.#counts.has(caller);
  }

  add(caller: string | undefined): void {
    this.#counts.set(caller, (this.#counts.get(caller) ?? 0) + 1);
    this.#onChange?.();
  }

  remove(caller: string | undefined): void {
    const left = (this.#counts.get(caller) ?? 0) - 1;
    if (left > 0) this.#counts.set(caller, left);
    else this.#counts.delete(caller);
    this.#onChange?.();
  }

  /**
   * The first turn that any of the callers gets, those included who join meanwhile; the others' are given
   * up. Rejects as {@link RequestLimiter.enter} does, once no caller's turn can come any more.
   */
  enter(limiter: RequestLimiter, request: Omit<LimitedRequest, 'caller'>): Promise<RequestSlot> {
    const { promise, resolve, reject } = Promise.withResolvers<RequestSlot>();
    const turns = new Map<string | undefined, AbortController>();
    const refused = new Map<string | undefined, unknown>();
    let isOver = false;
    const end = (): void => {
      isOver = true;
      this.#onChange = null;
      for (const turn of turns.values()) turn.abort();
    };
    const refuseWithAll = (): void => {
      if (isOver || turns.size > 0 || refused.size === 0) return;
      end();
      reject([...refused.values()].at(-1));
    };
    const take = (caller: string | undefined): void => {
      const turn = new AbortController();
      turns.set(caller, turn);
      const signal = AbortSignal.any([request.signal, turn.signal]);
      limiter.enter({ ...request, caller, signal }).then(
        (slot) => {
          // Two may be let in at the same moment.
          if (isOver) return slot.leave({ sent: false, reading: null });
          turns.delete(caller);
          end();
          resolve(slot);
        },
        (error: unknown) => {
          if (isOver || turns.get(caller) !== turn) return;
          turns.delete(caller);
          refused.set(caller, error);
          refuseWithAll();
        },
      );
    };
    this.#onChange = () => {
      // Once nobody is left, the request's own signal ends it.
      if (this.#counts.size === 0) return;
      for (const [caller, turn] of turns) {
        if (this.#counts.has(caller)) continue;
        turns.delete(caller);
        turn.abort();
      }
      for (const caller of this.#counts.keys()) {
        if (!turns.has(caller) && !refused.has(caller)) take(caller);
      }
      refuseWithAll();
    };
    for (const caller of this.#counts.keys()) take(caller);
    return promise;
  }
}
