/**
 * The pauses that Zendesk asked for, as one process knows them: of the account, of an endpoint, or of
 * one object of an endpoint (Zendesk counts updates per ticket), so that a busy ticket does not stop
 * the account. Those of the account and of endpoints are shared with the other processes.
 */
import { endpointOf, type PauseScope } from '../request-limiter.ts';
import { ACCOUNT } from './endpoint-class.ts';

const MAX_PAUSES = 1000;

interface Target {
  readonly method: string;
  readonly path: string;
}

export class Pauses {
  readonly #ends = new Map<string, number>();

  /** A flood of pauses becomes one of the whole account: bounded, and on the safe side. */
  add(key: string, until: number, now: number): void {
    for (const [other, end] of this.#ends) {
      if (end <= now) this.#ends.delete(other);
    }
    const name = this.#ends.size < MAX_PAUSES || this.#ends.has(key) ? key : ACCOUNT;
    this.#ends.set(name, Math.max(this.#ends.get(name) ?? 0, until));
  }

  /** When the last pause of `keys` ends; 0 without one. */
  endFor(keys: readonly string[]): number {
    if (this.#ends.size === 0) return 0;
    return keys.reduce((end, key) => Math.max(end, this.#ends.get(key) ?? 0), 0);
  }
}

/** Of all pauses that hold a call. */
export function pauseKeysOf(target: Target): readonly string[] {
  return (['ACCOUNT', 'ENDPOINT', 'OBJECT'] as const).map((scope) => pauseKey(scope, target));
}

export function pauseKey(scope: PauseScope, { method, path }: Target): string {
  switch (scope) {
    case 'ACCOUNT':
      return ACCOUNT;
    case 'ENDPOINT':
      return `endpoint ${method} ${endpointOf(path)}`;
    case 'OBJECT':
      return `object ${method} ${path.replace(/\.json$/, '')}`;
    default:
      return scope satisfies never;
  }
}
