/**
 * A sealed record: `0x01` ‖ nonce (12 bytes, random) ‖ AES-256-GCM ciphertext ‖ tag (16 bytes). A key
 * that seals records is used at most {@link MAX_SEALS_PER_DATA_KEY} times, which keeps the chance that
 * two random nonces meet below 2^-56 (NIST SP 800-38D §8.3 allows 2^32 uses).
 */
import { type Bytes, concatBytes, SealdeskError } from '../base/index.ts';
import type { Suite } from '../envelope/index.ts';

export const MAX_SEALS_PER_DATA_KEY = 2 ** 20;

const FORMAT = 0x01;
const NONCE_SIZE = 12;
const TAG_SIZE = 16;

export function sealRecord(suite: Suite, key: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes {
  const nonce = suite.randomBytes(NONCE_SIZE);
  return concatBytes(Uint8Array.of(FORMAT), nonce, suite.sealAes256Gcm(key, nonce, aad, plaintext));
}

/** The plaintext, or `null` unless `sealed` is a record made with this key and these additional data. */
export function openRecord(suite: Suite, key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Bytes | null {
  if (sealed.length < 1 + NONCE_SIZE + TAG_SIZE || sealed[0] !== FORMAT) return null;
  const nonce = sealed.subarray(1, 1 + NONCE_SIZE);
  return suite.openAes256Gcm(key, nonce, aad, sealed.subarray(1 + NONCE_SIZE));
}

/** What every opening of stored bytes fails with, whatever differs: one code, one text. */
export function alteredRecord(): SealdeskError {
  return new SealdeskError(
    'INTERNAL',
    'A stored secret cannot be opened: it was altered, or moved from elsewhere.',
  );
}
