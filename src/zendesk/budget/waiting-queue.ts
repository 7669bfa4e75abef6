/**
 * The calls of one process that wait for a token, by lane and endpoint class. Within such a group the
 * callers take turns, and each caller's calls go in their order.
 */
import { LANES, type Lane } from '../lane.ts';
import type { LimitedRequest } from '../request-limiter.ts';

export interface Waiter {
  readonly request: LimitedRequest;
  readonly endpointClass: string | null;
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
}

interface Group {
  readonly lane: Lane;
  readonly endpointClass: string | null;
  /** In the order of their turns. */
  readonly callers: Map<string | undefined, Waiter[]>;
}

export class WaitingQueue {
  readonly #groups = new Map<string, Group>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(waiter: Waiter): void {
    const { lane, caller } = waiter.request;
    const { endpointClass } = waiter;
    const key = keyOf(lane, endpointClass);
    const group = this.#groups.get(key) ?? { lane, endpointClass, callers: new Map() };
    this.#groups.set(key, group);
    const calls = group.callers.get(caller);
    if (calls === undefined) group.callers.set(caller, [waiter]);
    else calls.push(waiter);
    this.#size += 1;
  }

  /** Whether it was waiting. */
  remove(waiter: Waiter): boolean {
    const { lane, caller } = waiter.request;
    const key = keyOf(lane, waiter.endpointClass);
    const group = this.#groups.get(key);
    const calls = group?.callers.get(caller);
    const index = calls?.indexOf(waiter) ?? -1;
    if (group === undefined || calls === undefined || index < 0) return false;
    calls.splice(index, 1);
    this.#size -= 1;
    if (calls.length === 0) group.callers.delete(caller);
    if (group.callers.size === 0) this.#groups.delete(key);
    return true;
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
        const counts = [...callers.values()].map((calls) => calls.filter(ready).length);
        return {
          lane,
          endpointClass,
          calls: counts.reduce((sum, count) => sum + count, 0),
          callers: counts.filter((count) => count > 0).length,
        };
      })
      .filter(({ calls }) => calls > 0)
      .toSorted((a, b) => LANES.indexOf(a.lane) - LANES.indexOf(b.lane));
  }

  /** Everyone, in no particular order; may be changed meanwhile. */
  all(): readonly Waiter[] {
    return [...this.#groups.values()].flatMap(({ callers }) => [...callers.values()].flat());
  }
}

export function keyOf(lane: Lane, endpointClass: string | null): string {
  return `${lane} ${endpointClass ?? ''}`;
}
