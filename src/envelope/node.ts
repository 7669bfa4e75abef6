/**
 * The native suite: OpenSSL ≥ 3.5 through `node:crypto`. Trusts the platform's implementation and
 * its random generator. Keys travel as SPKI and PKCS #8 (seed only), the one form that every Node
 * with these algorithms reads.
 *
 * ML-DSA runs on libuv's threadpool, off the event loop. ML-KEM stays on it: at about 25 µs it
 * costs less than the way to a thread and back. Private keys are KeyObjects; they are dropped, not
 * wiped, since Node gives no way to wipe one.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  decapsulate,
  encapsulate,
  type KeyObject,
  randomFillSync,
  sign,
  verify,
} from 'node:crypto';
import { type Bytes, concatBytes } from '../base/index.ts';
import { HMAC_SHA_512, HPKE, ML_DSA_65, ML_KEM_768 } from './algorithms.ts';
import { isEncapsulationKey } from './encapsulation-key.ts';
import { hkdfSha512 } from './hkdf.ts';
import { assertSize, copyBytes } from './sizes.ts';
import type { KemPrivateKey, KemPublicKey, MacKey, SigningKey, Suite, VerifyingKey } from './suite.ts';
import { thumbprint } from './thumbprint.ts';

const fromHex = (hex: string): Bytes => new Uint8Array(Buffer.from(hex, 'hex'));

/** DER up to the key's own bytes: SubjectPublicKeyInfo, and PKCS #8 with the seed alone (RFC 9881, RFC 9935). */
const DER = Object.freeze({
  kemPublic: fromHex('308204b2300b0609608648016503040402038204a100'),
  kemSeed: fromHex('3054020100300b060960864801650304040204428040'),
  dsaPublic: fromHex('308207b2300b0609608648016503040312038207a100'),
  dsaSeed: fromHex('3034020100300b060960864801650304031204228020'),
});

function importPublic(prefix: Bytes, publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([prefix, publicKey]), format: 'der', type: 'spki' });
}

function importSeed(prefix: Bytes, seed: Uint8Array): KeyObject {
  const der = Buffer.concat([prefix, seed]);
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } finally {
    der.fill(0);
  }
}

/** The raw bytes of a public key: what follows the fixed prefix of its SPKI. */
function exportPublic(prefix: Bytes, key: KeyObject): Bytes {
  return copyBytes(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(prefix.length));
}

/** The same memory without Buffer's methods. */
function asBytes(buffer: Buffer<ArrayBuffer>): Bytes {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

function sha256(data: Uint8Array): Bytes {
  return asBytes(createHash('sha256').update(data).digest());
}

function hmacSha512(key: Uint8Array | KeyObject, data: Uint8Array): Bytes {
  return asBytes(createHmac('sha512', key).update(data).digest());
}

class NodeKemKey implements KemPrivateKey {
  readonly kid: string;
  readonly publicKey: Bytes;
  readonly #key: KeyObject;

  constructor(key: KeyObject, publicKey: Bytes) {
    this.#key = key;
    this.publicKey = publicKey;
    this.kid = thumbprint({ sha256 }, ML_KEM_768.alg, publicKey);
  }

  async encapsulate(): Promise<{ ciphertext: Bytes; sharedSecret: Bytes }> {
    const { sharedKey, ciphertext } = encapsulate(this.#key);
    return { ciphertext: asBytes(ciphertext), sharedSecret: asBytes(sharedKey) };
  }

  async decapsulate(ciphertext: Uint8Array): Promise<Bytes> {
    assertSize('ciphertext', ciphertext, ML_KEM_768.ciphertext);
    return asBytes(decapsulate(this.#key, ciphertext));
  }
}

class NodeDsaKey implements SigningKey {
  readonly kid: string;
  readonly publicKey: Bytes;
  readonly #key: KeyObject;

  constructor(key: KeyObject, publicKey: Bytes) {
    this.#key = key;
    this.publicKey = publicKey;
    this.kid = thumbprint({ sha256 }, ML_DSA_65.alg, publicKey);
  }

  sign(message: Uint8Array, context: Uint8Array): Promise<Bytes> {
    const { promise, resolve, reject } = Promise.withResolvers<Bytes>();
    sign(null, message, { key: this.#key, context }, (error, signature) => {
      if (error) reject(error);
      else resolve(asBytes(signature));
    });
    return promise;
  }

  verify(message: Uint8Array, signature: Uint8Array, context: Uint8Array): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    verify(null, message, { key: this.#key, context }, signature, (error, valid) => {
      if (error) reject(error);
      else resolve(valid);
    });
    return promise;
  }
}

class NodeMacKey implements MacKey {
  readonly #key: KeyObject;

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  async mac(message: Uint8Array): Promise<Bytes> {
    return hmacSha512(this.#key, message);
  }
}

const suite: Suite = Object.freeze<Suite>({
  name: 'node',
  randomBytes: (length) => randomFillSync(new Uint8Array(length)),
  sha256,
  hmacSha512,
  hkdfSha512: (salt, ikm, outputs) => hkdfSha512({ hmacSha512 }, salt, ikm, outputs),

  sealAes256Gcm(key, nonce, aad, plaintext) {
    assertSize('key', key, HPKE.key);
    assertSize('nonce', nonce, HPKE.nonce);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
    return concatBytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  },

  openAes256Gcm(key, nonce, aad, ciphertext) {
    assertSize('key', key, HPKE.key);
    assertSize('nonce', nonce, HPKE.nonce);
    const end = ciphertext.length - HPKE.tag;
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: HPKE.tag });
    decipher.setAAD(aad).setAuthTag(ciphertext.subarray(end));
    const plaintext = asBytes(decipher.update(ciphertext.subarray(0, end)));
    try {
      decipher.final();
      return plaintext;
    } catch {
      plaintext.fill(0);
      return null;
    }
  },

  importKemPublicKey(publicKey): KemPublicKey {
    assertSize('publicKey', publicKey, ML_KEM_768.publicKey);
    if (!isEncapsulationKey(publicKey)) throw new RangeError('"publicKey" fails the check of FIPS 203 §7.2');
    return new NodeKemKey(importPublic(DER.kemPublic, publicKey), copyBytes(publicKey));
  },

  importKemPrivateKey(seed): KemPrivateKey {
    assertSize('seed', seed, ML_KEM_768.seed);
    const key = importSeed(DER.kemSeed, seed);
    return new NodeKemKey(key, exportPublic(DER.kemPublic, key));
  },

  importVerifyingKey(publicKey): VerifyingKey {
    assertSize('publicKey', publicKey, ML_DSA_65.publicKey);
    return new NodeDsaKey(importPublic(DER.dsaPublic, publicKey), copyBytes(publicKey));
  },

  importSigningKey(seed): SigningKey {
    assertSize('seed', seed, ML_DSA_65.seed);
    const key = importSeed(DER.dsaSeed, seed);
    return new NodeDsaKey(key, exportPublic(DER.dsaPublic, key));
  },

  importMacKey(key): MacKey {
    assertSize('key', key, HMAC_SHA_512.key);
    return new NodeMacKey(key);
  },
});

/**
 * Whether this Node can do what the suite needs. Beside the algorithms it must honour the FIPS 204
 * context: a Node that ignores the option would make and accept signatures of any purpose.
 */
function isSupported(): boolean {
  try {
    const key = importSeed(DER.dsaSeed, new Uint8Array(ML_DSA_65.seed));
    const message = Uint8Array.of(0);
    const signature = sign(null, message, { key, context: Uint8Array.of(1) });
    const accepts = (context: Uint8Array): boolean => verify(null, message, { key, context }, signature);
    const kem = importSeed(DER.kemSeed, new Uint8Array(ML_KEM_768.seed));
    const { sharedKey, ciphertext } = encapsulate(kem);
    return (
      accepts(Uint8Array.of(1)) &&
      !accepts(Uint8Array.of(2)) &&
      decapsulate(kem, ciphertext).equals(sharedKey)
    );
  } catch {
    return false;
  }
}

let supported: boolean | undefined;

/** Whether {@link createNodeSuite} works here; asked once, about 1 ms. */
export function isNodeSuiteSupported(): boolean {
  supported ??= isSupported();
  return supported;
}

/** The native suite. Throws Error where this Node lacks ML-KEM-768, ML-DSA-65 or its context. */
export function createNodeSuite(): Suite {
  if (!isNodeSuiteSupported()) {
    throw new Error('This Node has no ML-KEM-768 and ML-DSA-65 with context; use Node 24.8 or newer.');
  }
  return suite;
}
