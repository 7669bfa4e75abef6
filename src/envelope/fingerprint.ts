import { encodeUtf8 } from '../base/index.ts';
import type { Suite } from './suite.ts';

const CONTEXT = 'sealdesk/fingerprint/v1';
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const BYTES = 20;

/**
 * A client key's fingerprint for people to compare, by voice or on paper: the first 160 bits of
 * SHA-256 over `sealdesk/fingerprint/v1` ‖ 0 ‖ kem_kid ‖ 0 ‖ sig_kid, in Crockford's base32, eight
 * groups of four. It covers both public keys, since each `kid` is a thumbprint.
 */
export function fingerprint(suite: Suite, kids: { readonly kem: string; readonly sig: string }): string {
  const digest = suite.sha256(encodeUtf8([CONTEXT, kids.kem, kids.sig].join('\0'))).subarray(0, BYTES);
  let value = digest.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
  const groups: string[] = [];
  for (let group = 0; group < 8; group += 1) {
    let text = '';
    for (let place = 0; place < 4; place += 1) {
      text = ALPHABET.charAt(Number(value & 31n)) + text;
      value >>= 5n;
    }
    groups.unshift(text);
  }
  return groups.join('-');
}
