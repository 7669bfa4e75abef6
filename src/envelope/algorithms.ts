/**
 * The one set of algorithms of envelope version 1, as data. Nothing here is negotiated: a caller
 * never names an algorithm by free string, and an opener refuses any other.
 *
 * Sources: FIPS 203 Table 3 (ML-KEM-768), FIPS 204 Table 2 (ML-DSA-65), RFC 9180 §7 and
 * draft-ietf-hpke-pq (HPKE code points), RFC 9964 (JWK key type AKP).
 */

/** Sizes in bytes. A private key is held as its seed, `d ‖ z` (FIPS 203 §7.1). */
export const ML_KEM_768 = Object.freeze({
  alg: 'ML-KEM-768',
  seed: 64,
  publicKey: 1184,
  ciphertext: 1088,
  sharedSecret: 32,
} as const);

/** Sizes in bytes. A private key is held as its seed, `ξ` (FIPS 204 §5.1). */
export const ML_DSA_65 = Object.freeze({
  alg: 'ML-DSA-65',
  seed: 32,
  publicKey: 1952,
  signature: 3309,
  maxContext: 255,
} as const);

/** HPKE code points, and the sizes in bytes that its key schedule needs. */
export const HPKE = Object.freeze({
  kemId: 0x0041,
  kdfId: 0x0003,
  aeadId: 0x0002,
  /** Nh of HKDF-SHA-512. */
  hash: 64,
  /** Nk of AES-256-GCM. */
  key: 32,
  /** Nn of AES-256-GCM. */
  nonce: 12,
  /** Nt of AES-256-GCM. */
  tag: 16,
} as const);

/** Bytes of an HMAC-SHA-512 tag, and of the key that makes it. */
export const HMAC_SHA_512 = Object.freeze({ key: 64, tag: 64 } as const);

/** What `signature.algorithm` of an envelope says. */
export const SIGNATURE_ALGORITHM = 'ML-DSA-65+HMAC-SHA-512';

/** The two algorithms that a JWK of key type AKP may name here. */
export type AkpAlgorithm = typeof ML_KEM_768.alg | typeof ML_DSA_65.alg;

/** Per algorithm of an AKP key: the bytes of its public key and of its seed. */
export const AKP_SIZES: Readonly<
  Record<AkpAlgorithm, { readonly publicKey: number; readonly seed: number }>
> = Object.freeze(
  Object.assign(Object.create(null), { [ML_KEM_768.alg]: ML_KEM_768, [ML_DSA_65.alg]: ML_DSA_65 }),
);
