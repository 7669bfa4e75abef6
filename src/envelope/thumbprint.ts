import { type Bytes, encodeBase64Url, encodeUtf8, parseBase64Url } from '../base/index.ts';
import type { AkpAlgorithm } from './algorithms.ts';
import type { AwaitableSuite, Suite } from './suite.ts';

/** What a thumbprint hashes: the required members of key type AKP (RFC 9964) in lexicographic order. */
function encodeRequiredMembers(alg: AkpAlgorithm, publicKey: Uint8Array): Bytes {
  return encodeUtf8(`{"alg":"${alg}","kty":"AKP","pub":"${encodeBase64Url(publicKey)}"}`);
}

/** The `kid` of a key: its RFC 7638 thumbprint by SHA-256, base64url, 43 characters. */
export function thumbprint(suite: Pick<Suite, 'sha256'>, alg: AkpAlgorithm, publicKey: Uint8Array): string {
  return encodeBase64Url(suite.sha256(encodeRequiredMembers(alg, publicKey)));
}

/** {@link thumbprint} where hashing may take a promise. */
export async function awaitThumbprint(
  suite: Pick<AwaitableSuite, 'sha256'>,
  alg: AkpAlgorithm,
  publicKey: Uint8Array,
): Promise<string> {
  return encodeBase64Url(await suite.sha256(encodeRequiredMembers(alg, publicKey)));
}

/** Whether `value` has the form of a SHA-256 in canonical base64url, as every `kid` here. */
export function isSha256Text(value: unknown): value is string {
  return typeof value === 'string' && value.length === 43 && parseBase64Url(value) !== null;
}
