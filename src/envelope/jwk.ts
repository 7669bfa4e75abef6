/**
 * Keys as JWK: key type AKP (RFC 9964), `alg` ML-KEM-768 or ML-DSA-65, `pub` and `priv` (the seed) in
 * base64url. The `kid` is always the RFC 7638 thumbprint; one that is given must be it.
 */
import { type Bytes, encodeBase64Url, parseBase64Url } from '../base/index.ts';
import { AKP_SIZES, type AkpAlgorithm, ML_DSA_65, ML_KEM_768 } from './algorithms.ts';
import { isEncapsulationKey } from './encapsulation-key.ts';
import type { Snapshot } from './strict-object.ts';
import type { Suite } from './suite.ts';
import { thumbprint } from './thumbprint.ts';

export interface PublicJwk {
  readonly kty: 'AKP';
  readonly alg: AkpAlgorithm;
  readonly kid: string;
  readonly pub: string;
}

export interface PrivateJwk extends PublicJwk {
  /** The seed: 64 bytes for ML-KEM-768, 32 for ML-DSA-65. */
  readonly priv: string;
}

/** A public key out of a JWK: right in size, ML-KEM also in its coefficients (FIPS 203 §7.2). */
export interface PublicKeyMaterial {
  readonly alg: AkpAlgorithm;
  readonly kid: string;
  readonly publicKey: Bytes;
}

/** Members of a JWK that are always there, and one that may be. */
export const JWK_MEMBERS = Object.freeze({ required: ['kty', 'alg', 'pub'], optional: ['kid'] } as const);

export function isAkpAlgorithm(value: unknown): value is AkpAlgorithm {
  return value === ML_KEM_768.alg || value === ML_DSA_65.alg;
}

/** `length` bytes in canonical base64url, or `null`; measured before decoding. */
export function parseKeyBytes(value: unknown, length: number): Bytes | null {
  if (typeof value !== 'string' || value.length !== Math.ceil((length * 4) / 3)) return null;
  return parseBase64Url(value);
}

/** The key in the members `kty`, `alg` and `pub` of `jwk`, its `kid` not looked at, or the member that is wrong. */
export function parseKeyMembers(jwk: Snapshot): Omit<PublicKeyMaterial, 'kid'> | 'kty' | 'alg' | 'pub' {
  const { kty, alg, pub } = jwk;
  if (kty !== 'AKP') return 'kty';
  if (!isAkpAlgorithm(alg)) return 'alg';
  const publicKey = parseKeyBytes(pub, AKP_SIZES[alg].publicKey);
  if (publicKey === null) return 'pub';
  if (alg === ML_KEM_768.alg && !isEncapsulationKey(publicKey)) return 'pub';
  return { alg, publicKey };
}

/** The key in the members `kty`, `alg`, `pub` and `kid` of `jwk`, or the member that is wrong. */
export function parsePublicMembers(
  suite: Pick<Suite, 'sha256'>,
  jwk: Snapshot,
): PublicKeyMaterial | 'kty' | 'alg' | 'pub' | 'kid' {
  const key = parseKeyMembers(jwk);
  if (typeof key === 'string') return key;
  const { alg, publicKey } = key;
  const kid = thumbprint(suite, alg, publicKey);
  return jwk['kid'] === undefined || jwk['kid'] === kid ? Object.freeze({ alg, kid, publicKey }) : 'kid';
}

export function encodePublicJwk(key: PublicKeyMaterial): PublicJwk {
  return { kty: 'AKP', alg: key.alg, kid: key.kid, pub: encodeBase64Url(key.publicKey) };
}
