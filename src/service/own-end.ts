/**
 * Callers that have revoked their own API key. That is the last that they did: the key is checked before
 * the act, and every later one meets the revocation. But that it was done may be told to who did it.
 * A caller is looked up for each request, so that this tells of one operation.
 */
import type { Caller } from '../access/index.ts';

const ended = new WeakSet<Caller>();

export function noteOwnEnd(caller: Caller): void {
  ended.add(caller);
}

export function hasEndedItself(caller: Caller): boolean {
  return ended.has(caller);
}
