/**
 * Unwrapped keys by name, for a bounded time and in a bounded number. A key that is
 * - *fresh* (see {@link KEY_LIFETIME}) is handed out;
 * - *leaving*, because it is no longer fresh or gave way to others, is handed out no more and stays
 *   for those who have it: until its life ends, or a minute from when it gave way;
 * - then disposed, which wipes it.
 *
 * Keys that are asked for by many at once are loaded once. A load that fails is forgotten at once.
 */
import type { Clock } from '../base/index.ts';
import { KEY_LIFETIME } from './key-lifetime.ts';

interface Entry<V> {
  readonly value: V;
  /** When its KMS call began. */
  readonly checkedAt: number;
}

interface Load<V> {
  value: Promise<V>;
  /** Whether what it gives was outdated while it was under way. */
  isForgotten: boolean;
}

export class ExpiringKeys<V extends Disposable> implements Disposable {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  /** Least recently used first. */
  readonly #fresh = new Map<string, Entry<V>>();
  readonly #loads = new Map<string, Load<V>>();
  /** When each is to be wiped. */
  readonly #leaving = new Map<V, number>();
  readonly #lifetime = new AbortController();
  #timer: AbortController | null = null;

  constructor(clock: Clock, maxEntries: number) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
  }

  /** The fresh key called `name`, else what `load` gives. `signal` ends the caller's waiting, not the load. */
  async get(name: string, load: (signal: AbortSignal) => Promise<V>, signal?: AbortSignal): Promise<V> {
    this.#assertOpen();
    signal?.throwIfAborted();
    const entry = this.#fresh.get(name);
    if (entry !== undefined) {
      this.#fresh.delete(name);
      if (this.#isFresh(entry)) {
        this.#fresh.set(name, entry);
        return entry.value;
      }
      this.#leave(entry.value, entry.checkedAt + KEY_LIFETIME.wiped);
    }
    let loading = this.#loads.get(name);
    if (loading === undefined) {
      loading = this.#begin(name, load);
      this.#loads.set(name, loading);
    }
    return waitFor(loading.value, signal);
  }

  /** Hands `name` out no more as it is: who asks from now on gets what is loaded then. */
  forget(name: string): void {
    const entry = this.#fresh.get(name);
    this.#fresh.delete(name);
    if (entry !== undefined) this.#giveWay(entry);
    const loading = this.#loads.get(name);
    this.#loads.delete(name);
    if (loading !== undefined) loading.isForgotten = true;
  }

  /** Keeps `value`, which is not handed out by name, until its life ends. */
  hold(value: V, checkedAt: number): void {
    if (this.#lifetime.signal.aborted) {
      value[Symbol.dispose]();
      this.#assertOpen();
    }
    this.#leave(value, checkedAt + KEY_LIFETIME.wiped);
  }

  /** Wipes every key now. May be called twice. */
  [Symbol.dispose](): void {
    this.#lifetime.abort(new TypeError('"keyring" was disposed'));
    this.#timer?.abort();
    for (const { value } of this.#fresh.values()) value[Symbol.dispose]();
    for (const value of this.#leaving.keys()) value[Symbol.dispose]();
    this.#fresh.clear();
    this.#leaving.clear();
  }

  #assertOpen(): void {
    if (this.#lifetime.signal.aborted) throw new TypeError('"keyring" was used after it was disposed');
  }

  #isFresh({ checkedAt }: Entry<V>): boolean {
    return this.#clock.now() - checkedAt < KEY_LIFETIME.handedOut;
  }

  #begin(name: string, load: (signal: AbortSignal) => Promise<V>): Load<V> {
    const value = Promise.withResolvers<V>();
    const loading: Load<V> = { value: value.promise, isForgotten: false };
    this.#load(name, loading, load)
      .finally(() => {
        if (this.#loads.get(name) === loading) this.#loads.delete(name);
      })
      .then(value.resolve, value.reject);
    return loading;
  }

  async #load(name: string, loading: Load<V>, load: (signal: AbortSignal) => Promise<V>): Promise<V> {
    const checkedAt = this.#clock.now();
    const value = await load(this.#lifetime.signal);
    if (this.#lifetime.signal.aborted) {
      value[Symbol.dispose]();
      this.#assertOpen();
    }
    if (loading.isForgotten) {
      this.#giveWay({ value, checkedAt });
      return value;
    }
    this.#fresh.set(name, { value, checkedAt });
    for (const [oldest, entry] of this.#fresh) {
      if (this.#fresh.size <= this.#maxEntries) break;
      this.#fresh.delete(oldest);
      this.#giveWay(entry);
    }
    this.#setTimer();
    return value;
  }

  #giveWay({ value, checkedAt }: Entry<V>): void {
    const end = checkedAt + KEY_LIFETIME.wiped;
    this.#leave(value, Math.min(end, this.#clock.now() + KEY_LIFETIME.grace));
  }

  #leave(value: V, wipeAt: number): void {
    this.#leaving.set(value, wipeAt);
    this.#setTimer();
  }

  /** One timer for all: set again whenever what comes next may have changed. */
  #setTimer(): void {
    this.#timer?.abort();
    let next = Number.POSITIVE_INFINITY;
    for (const { checkedAt } of this.#fresh.values()) next = Math.min(next, checkedAt + KEY_LIFETIME.wiped);
    for (const wipeAt of this.#leaving.values()) next = Math.min(next, wipeAt);
    if (next === Number.POSITIVE_INFINITY) return;
    const timer = new AbortController();
    this.#timer = timer;
    this.#clock.wait(Math.max(0, next - this.#clock.now()), timer.signal).then(
      () => this.#wipeDue(),
      () => {},
    );
  }

  #wipeDue(): void {
    const now = this.#clock.now();
    for (const [name, { value, checkedAt }] of this.#fresh) {
      if (checkedAt + KEY_LIFETIME.wiped > now) continue;
      this.#fresh.delete(name);
      value[Symbol.dispose]();
    }
    for (const [value, wipeAt] of this.#leaving) {
      if (wipeAt > now) continue;
      this.#leaving.delete(value);
      value[Symbol.dispose]();
    }
    this.#setTimer();
  }
}

async function waitFor<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
