/**
 * The calls of one process that wait for a token, by lane and endpoint class. Within such a group the
 * callers take turns, and each caller's calls go in their order.
 */
import { LANES, type Lane } from '../lane.ts';
import type { LimitedRequest } from '../request-limiter.ts';
import type { CallerCalls } from './fair-use.ts';

export interface Waiter {
  readonly request: LimitedRequest;
  /** The digest of its caller's name. */
  readonly caller: string;
  readonly endpointClass: string | null;
  /** Of the pauses that hold it. */
  readonly pauseKeys: readonly string[];
  /** On the process's own clock. */
  readonly enteredAt: number;
  /** `grantedAt`: when its token was granted, on the ledger's clock. */
  readonly admit: (grantedAt: number) => void;
  readonly refuse: (reason: unknown) => void;
}

/** What waits in one lane for one class. */
export interface WaitingGroup {
  readonly lane: Lane;
  readonly endpointClass: string | null;
  readonly calls: number;
  readonly callers: number;
  /** Those with most calls; the rest together. */
  readonly byCaller: readonly CallerCalls[];
}

const MAX_NAMED = 16;

interface Group {
  readonly lane: Lane;
  readonly endpointClass: string | null;
  /** In the order of their turns. */
  readonly callers: Map<string, Waiter[]>;
}

export class WaitingQueue {
  readonly #groups = new Map<string, Group>();
  readonly #counts = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(waiter: Waiter): void {
    const { lane } = waiter.request;
    const { caller, endpointClass } = waiter;
    const key = keyOf(lane, endpointClass);
    const group = this.#groups.get(key) ?? { lane, endpointClass, callers: new Map() };
    this.#groups.set(key, group);
    const calls = group.callers.get(caller);
    if (calls === undefined) group.callers.set(caller, [waiter]);
    else calls.push(waiter);
    this.#count(caller, 1);
  }

  /** Whether it was waiting. */
  remove(waiter: Waiter): boolean {
    const { caller, endpointClass } = waiter;
    const key = keyOf(waiter.request.lane, endpointClass);
    const group = this.#groups.get(key);
    const calls = group?.callers.get(caller);
    const index = calls?.indexOf(waiter) ?? -1;
    if (group === undefined || calls === undefined || index < 0) return false;
    calls.splice(index, 1);
    this.#count(caller, -1);
    if (calls.length === 0) group.callers.delete(caller);
    if (group.callers.size === 0) this.#groups.delete(key);
    return true;
  }

  /**
   * Who gives way where the queue is full and `caller` comes: the newest call of the caller with most
   * waiting, or `null` where nobody has more than `caller`.
   */
  crowding(caller: string): Waiter | null {
    let most = caller;
    for (const [other, count] of this.#counts) {
      if (count > (this.#counts.get(most) ?? 0)) most = other;
    }
    if ((this.#counts.get(most) ?? 0) <= (this.#counts.get(caller) ?? 0) + 1) return null;
    const newest = [...this.#groups.values()].flatMap(({ callers }) => callers.get(most)?.at(-1) ?? []);
    return newest.reduce((one, other) => (other.enteredAt >= one.enteredAt ? other : one));
  }

  /** The next one of a group that is `ready`; its caller goes to the end of the turns. */
  take(lane: Lane, endpointClass: string | null, ready: (waiter: Waiter) => boolean): Waiter | null {
    const callers = this.#groups.get(keyOf(lane, endpointClass))?.callers;
    if (callers === undefined) return null;
    for (const [caller, calls] of callers) {
      const next = calls.find(ready);
      if (next === undefined) continue;
      this.remove(next);
      if (callers.delete(caller)) callers.set(caller, calls);
      return next;
    }
    return null;
  }

  /** What is `ready`, interactive calls first. */
  groups(ready: (waiter: Waiter) => boolean): readonly WaitingGroup[] {
    return [...this.#groups.values()]
      .map(({ lane, endpointClass, callers }) => {
        const counts = [...callers]
          .map(([caller, waiters]) => ({ caller, calls: waiters.filter(ready).length }))
          .filter(({ calls }) => calls > 0);
        return {
          lane,
          endpointClass,
          calls: sumOf(counts),
          callers: counts.length,
          byCaller: named(counts),
        };
      })
      .filter(({ calls }) => calls > 0)
      .toSorted((a, b) => LANES.indexOf(a.lane) - LANES.indexOf(b.lane));
  }

  #count(caller: string, change: number): void {
    this.#size += change;
    const count = (this.#counts.get(caller) ?? 0) + change;
    if (count > 0) this.#counts.set(caller, count);
    else this.#counts.delete(caller);
  }

  /** Everyone, in no particular order; may be changed meanwhile. */
  all(): readonly Waiter[] {
    return [...this.#groups.values()].flatMap(({ callers }) => [...callers.values()].flat());
  }
}

function named(
  counts: readonly { readonly caller: string; readonly calls: number }[],
): readonly CallerCalls[] {
  if (counts.length <= MAX_NAMED) return counts;
  const sorted = counts.toSorted((a, b) => b.calls - a.calls);
  return [...sorted.slice(0, MAX_NAMED), { caller: null, calls: sumOf(sorted.slice(MAX_NAMED)) }];
}

function sumOf(counts: readonly { readonly calls: number }[]): number {
  return counts.reduce((sum, { calls }) => sum + calls, 0);
}

export function keyOf(lane: Lane, endpointClass: string | null): string {
  return `${lane} ${endpointClass ?? ''}`;
}
