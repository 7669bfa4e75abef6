import { encodeBase64Url, encodeUtf8, parseBase64Url } from '../base/index.ts';
import type { AkpAlgorithm } from './algorithms.ts';
import type { Suite } from './suite.ts';

/**
 * The `kid` of a key: its RFC 7638 thumbprint, SHA-256 over the required members in lexicographic
 * order (for key type AKP, RFC 9964: `alg`, `kty`, `pub`), base64url, 43 characters.
 */
export function thumbprint(suite: Pick<Suite, 'sha256'>, alg: AkpAlgorithm, publicKey: Uint8Array): string {
  const json = `{"alg":"${alg}","kty":"AKP","pub":"${encodeBase64Url(publicKey)}"}`;
  return encodeBase64Url(suite.sha256(encodeUtf8(json)));
}

/** Whether `value` has the form of a SHA-256 in canonical base64url, as every `kid` here. */
export function isSha256Text(value: unknown): value is string {
  return typeof value === 'string' && value.length === 43 && parseBase64Url(value) !== null;
}
