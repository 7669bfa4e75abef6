/**
 * The portable suite: JavaScript by @noble, for browsers and for any Node. Trusts those packages and
 * the platform's `crypto.getRandomValues`. JavaScript cannot promise constant time, and it blocks
 * the thread that it runs on, for milliseconds a signature.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import type { Bytes } from '../base/index.ts';
import { HMAC_SHA_512, HPKE, ML_DSA_65, ML_KEM_768 } from './algorithms.ts';
import { isEncapsulationKey } from './encapsulation-key.ts';
import { hkdfSha512 } from './hkdf.ts';
import { assertSize, copyBytes } from './sizes.ts';
import type { KemPrivateKey, KemPublicKey, MacKey, SigningKey, Suite, VerifyingKey } from './suite.ts';
import { thumbprint } from './thumbprint.ts';

class NobleKemPublicKey implements KemPublicKey {
  readonly kid: string;
  readonly publicKey: Bytes;

  constructor(publicKey: Uint8Array) {
    this.publicKey = copyBytes(publicKey);
    this.kid = thumbprint({ sha256 }, ML_KEM_768.alg, publicKey);
  }

  async encapsulate(): Promise<{ ciphertext: Bytes; sharedSecret: Bytes }> {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(this.publicKey);
    return { ciphertext: cipherText, sharedSecret };
  }
}

class NobleKemPrivateKey extends NobleKemPublicKey implements KemPrivateKey {
  readonly #secretKey: Bytes;

  constructor(seed: Uint8Array) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    super(publicKey);
    this.#secretKey = secretKey;
  }

  async decapsulate(ciphertext: Uint8Array): Promise<Bytes> {
    assertSize('ciphertext', ciphertext, ML_KEM_768.ciphertext);
    return ml_kem768.decapsulate(ciphertext, this.#secretKey);
  }
}

class NobleVerifyingKey implements VerifyingKey {
  readonly kid: string;
  readonly publicKey: Bytes;

  constructor(publicKey: Uint8Array) {
    this.publicKey = copyBytes(publicKey);
    this.kid = thumbprint({ sha256 }, ML_DSA_65.alg, publicKey);
  }

  async verify(message: Uint8Array, signature: Uint8Array, context: Uint8Array): Promise<boolean> {
    if (signature.length !== ML_DSA_65.signature) return false;
    return ml_dsa65.verify(signature, message, this.publicKey, { context });
  }
}

class NobleSigningKey extends NobleVerifyingKey implements SigningKey {
  readonly #secretKey: Bytes;

  constructor(seed: Uint8Array) {
    const { publicKey, secretKey } = ml_dsa65.keygen(seed);
    super(publicKey);
    this.#secretKey = secretKey;
  }

  async sign(message: Uint8Array, context: Uint8Array): Promise<Bytes> {
    return ml_dsa65.sign(message, this.#secretKey, { context });
  }
}

class NobleMacKey implements MacKey {
  readonly #key: Bytes;

  constructor(key: Uint8Array) {
    this.#key = copyBytes(key);
  }

  async mac(message: Uint8Array): Promise<Bytes> {
    return hmacSha512(this.#key, message);
  }
}

const hmacSha512 = (key: Uint8Array, data: Uint8Array): Bytes => hmac(sha512, key, data);

/** Bytes that Web Crypto gives at once. */
const MAX_DRAW = 65_536;

const suite: Suite = Object.freeze<Suite>({
  name: 'noble',
  randomBytes(length) {
    const bytes = new Uint8Array(length);
    for (let offset = 0; offset < length; offset += MAX_DRAW) {
      crypto.getRandomValues(bytes.subarray(offset, offset + MAX_DRAW));
    }
    return bytes;
  },
  sha256,
  hmacSha512,
  hkdfSha512: (salt, ikm, outputs) => hkdfSha512({ hmacSha512 }, salt, ikm, outputs),

  sealAes256Gcm(key, nonce, aad, plaintext) {
    assertSize('key', key, HPKE.key);
    assertSize('nonce', nonce, HPKE.nonce);
    return gcm(key, nonce, aad).encrypt(plaintext);
  },

  openAes256Gcm(key, nonce, aad, ciphertext) {
    assertSize('key', key, HPKE.key);
    assertSize('nonce', nonce, HPKE.nonce);
    const cipher = gcm(key, nonce, aad);
    try {
      return cipher.decrypt(ciphertext);
    } catch {
      return null;
    }
  },

  importKemPublicKey(publicKey) {
    assertSize('publicKey', publicKey, ML_KEM_768.publicKey);
    if (!isEncapsulationKey(publicKey)) throw new RangeError('"publicKey" fails the check of FIPS 203 §7.2');
    return new NobleKemPublicKey(publicKey);
  },

  importKemPrivateKey(seed) {
    assertSize('seed', seed, ML_KEM_768.seed);
    return new NobleKemPrivateKey(seed);
  },

  importVerifyingKey(publicKey) {
    assertSize('publicKey', publicKey, ML_DSA_65.publicKey);
    return new NobleVerifyingKey(publicKey);
  },

  importSigningKey(seed) {
    assertSize('seed', seed, ML_DSA_65.seed);
    return new NobleSigningKey(seed);
  },

  importMacKey(key) {
    assertSize('key', key, HMAC_SHA_512.key);
    return new NobleMacKey(key);
  },
});

/** The portable suite. Load this module dynamically where the native one may do. */
export function createNobleSuite(): Suite {
  return suite;
}
