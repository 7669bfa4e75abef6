/**
 * How long an unwrapped key may be in memory, in milliseconds from the start of the KMS call that
 * gave it. New work gets a key for the first four minutes only, so that whoever got one has at least
 * a minute to finish before it is wiped.
 */
import { SealdeskError } from '../base/index.ts';

export const KEY_LIFETIME = Object.freeze({ handedOut: 4 * 60_000, wiped: 5 * 60_000, grace: 60_000 });

/** A key was used after its time. The caller asks for it again and goes on. */
export function expiredKey(): SealdeskError {
  return new SealdeskError('KMS_UNAVAILABLE', 'A key was held longer than it may live. Try again.');
}
