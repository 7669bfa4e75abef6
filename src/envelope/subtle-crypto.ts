/**
 * What this room uses of Web Crypto, with the methods and formats that ML-KEM and ML-DSA brought (draft
 * "Modern Algorithms in the Web Cryptography API"), which the types of browsers do not have yet.
 */
import type { Bytes } from '../base/index.ts';

interface Algorithm {
  readonly name: string;
}

type Usage = 'decapsulateBits' | 'decrypt' | 'deriveBits' | 'encapsulateBits' | 'encrypt' | 'sign' | 'verify';

export interface ModernSubtleCrypto {
  digest(algorithm: 'SHA-256', data: Bytes): Promise<ArrayBuffer>;
  sign(algorithm: SignParams, key: CryptoKey, data: Bytes): Promise<ArrayBuffer>;
  verify(algorithm: SignParams, key: CryptoKey, signature: Bytes, data: Bytes): Promise<boolean>;
  encrypt(algorithm: AesGcmParams, key: CryptoKey, data: Bytes): Promise<ArrayBuffer>;
  decrypt(algorithm: AesGcmParams, key: CryptoKey, data: Bytes): Promise<ArrayBuffer>;
  deriveBits(algorithm: HkdfParams, key: CryptoKey, bits: number): Promise<ArrayBuffer>;
  encapsulateBits(
    algorithm: Algorithm,
    key: CryptoKey,
  ): Promise<{ readonly sharedKey: ArrayBuffer; readonly ciphertext: ArrayBuffer }>;
  decapsulateBits(algorithm: Algorithm, key: CryptoKey, ciphertext: Bytes): Promise<ArrayBuffer>;
  generateKey(
    algorithm: Algorithm,
    extractable: boolean,
    usages: readonly Usage[],
  ): Promise<{ readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }>;
  importKey(
    format: 'raw' | 'raw-public' | 'raw-seed',
    data: Bytes,
    algorithm: string | Algorithm,
    extractable: boolean,
    usages: readonly Usage[],
  ): Promise<CryptoKey>;
  exportKey(format: 'raw-public', key: CryptoKey): Promise<ArrayBuffer>;
  getPublicKey(key: CryptoKey, usages: readonly Usage[]): Promise<CryptoKey>;
}

/** ML-DSA, with its context of FIPS 204; HMAC has none. */
export interface SignParams extends Algorithm {
  readonly context?: Bytes;
}

export interface AesGcmParams extends Algorithm {
  readonly iv: Bytes;
  readonly additionalData: Bytes;
  readonly tagLength: number;
}

export interface HkdfParams extends Algorithm {
  readonly hash: string;
  readonly salt: Bytes;
  readonly info: Bytes;
}

/** The platform's Web Crypto. In a page that is not a secure context it is missing, and every use throws. */
export function subtle(): ModernSubtleCrypto {
  return crypto.subtle as unknown as ModernSubtleCrypto;
}
