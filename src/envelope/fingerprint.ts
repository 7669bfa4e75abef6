import { type Bytes, encodeUtf8 } from '../base/index.ts';
import type { Suite } from './suite.ts';

const CONTEXT = 'sealdesk/fingerprint/v1';
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const BYTES = 20;

/** The thumbprints of both halves of a client key. */
export interface ClientKids {
  readonly kem: string;
  readonly sig: string;
}

/** What {@link fingerprint} hashes: `sealdesk/fingerprint/v1` ‖ 0 ‖ kem_kid ‖ 0 ‖ sig_kid. */
export function encodeFingerprintInput(kids: ClientKids): Bytes {
  return encodeUtf8([CONTEXT, kids.kem, kids.sig].join('\0'));
}

/**
 * A client key's fingerprint for people to compare, by voice or on paper: the first 160 bits of
 * SHA-256 over {@link encodeFingerprintInput}, in Crockford's base32, eight groups of four. It covers
 * both public keys, since each `kid` is a thumbprint.
 */
export function fingerprint(suite: Pick<Suite, 'sha256'>, kids: ClientKids): string {
  return encodeFingerprint(suite.sha256(encodeFingerprintInput(kids)));
}

/** The text of a fingerprint from the 32 bytes of its SHA-256. */
export function encodeFingerprint(digest: Uint8Array): string {
  let value = digest.subarray(0, BYTES).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
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
