/**
 * The suite of the platform's Web Crypto (W3C Web Cryptography, and the draft "Modern Algorithms in the
 * Web Cryptography API" for ML-KEM and ML-DSA): browsers from about Chromium 156 on, and Node ≥ 24.8.
 * Trusts the platform's implementation and its random generator, as `node.ts` does.
 *
 * Private keys and MAC keys are CryptoKeys that are not extractable: script can use them, and no script,
 * ours or an intruder's, can read them. It can still use them for as long as it runs.
 */
import { type Bytes, concatBytes, equalBytes, parseBase64Url } from '../base/index.ts';
import { HMAC_SHA_512, HPKE, ML_DSA_65, ML_KEM_768 } from './algorithms.ts';
import { isEncapsulationKey } from './encapsulation-key.ts';
import { assertHkdfLength } from './hkdf.ts';
import { assertSize, copyBytes } from './sizes.ts';
import { type AesGcmParams, subtle } from './subtle-crypto.ts';
import type {
  AwaitableSuite,
  HkdfOutput,
  KemPrivateKey,
  KemPublicKey,
  MacKey,
  SigningKey,
  VerifyingKey,
} from './suite.ts';
import { awaitThumbprint } from './thumbprint.ts';

const KEM = Object.freeze({ name: ML_KEM_768.alg });
const DSA = Object.freeze({ name: ML_DSA_65.alg });
const HMAC = Object.freeze({ name: 'HMAC', hash: 'SHA-512' });
const AES = 'AES-GCM';
const TAG_BITS = HPKE.tag * 8;

/** `bytes` as Web Crypto takes them, copied only where they lie in shared memory. */
function toBytes(bytes: Uint8Array): Bytes {
  const isPlain = (value: Uint8Array): value is Bytes => value.buffer instanceof ArrayBuffer;
  return isPlain(bytes) ? bytes : copyBytes(bytes);
}

async function sha256(data: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await subtle().digest('SHA-256', toBytes(data)));
}

async function mac(key: CryptoKey, data: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await subtle().sign(HMAC, key, toBytes(data)));
}

function importMac(key: Uint8Array): Promise<CryptoKey> {
  // HMAC fills its key up with zero bytes, and Web Crypto refuses an empty one.
  const filled = key.length === 0 ? new Uint8Array(1) : toBytes(key);
  return subtle().importKey('raw', filled, HMAC, false, ['sign']);
}

class WebKemPublicKey implements KemPublicKey {
  readonly kid: string;
  readonly publicKey: Bytes;
  readonly #key: CryptoKey;

  constructor(kid: string, publicKey: Bytes, key: CryptoKey) {
    this.kid = kid;
    this.publicKey = publicKey;
    this.#key = key;
  }

  async encapsulate(): Promise<{ ciphertext: Bytes; sharedSecret: Bytes }> {
    const { ciphertext, sharedKey } = await subtle().encapsulateBits(KEM, this.#key);
    return { ciphertext: new Uint8Array(ciphertext), sharedSecret: new Uint8Array(sharedKey) };
  }
}

class WebKemPrivateKey extends WebKemPublicKey implements KemPrivateKey {
  readonly #privateKey: CryptoKey;

  constructor(kid: string, publicKey: Bytes, key: CryptoKey, privateKey: CryptoKey) {
    super(kid, publicKey, key);
    this.#privateKey = privateKey;
  }

  async decapsulate(ciphertext: Uint8Array): Promise<Bytes> {
    assertSize('ciphertext', ciphertext, ML_KEM_768.ciphertext);
    return new Uint8Array(await subtle().decapsulateBits(KEM, this.#privateKey, toBytes(ciphertext)));
  }
}

class WebVerifyingKey implements VerifyingKey {
  readonly kid: string;
  readonly publicKey: Bytes;
  readonly #key: CryptoKey;

  constructor(kid: string, publicKey: Bytes, key: CryptoKey) {
    this.kid = kid;
    this.publicKey = publicKey;
    this.#key = key;
  }

  async verify(message: Uint8Array, signature: Uint8Array, context: Uint8Array): Promise<boolean> {
    if (signature.length !== ML_DSA_65.signature) return false;
    const params = { ...DSA, context: toBytes(context) };
    return subtle().verify(params, this.#key, toBytes(signature), toBytes(message));
  }
}

class WebSigningKey extends WebVerifyingKey implements SigningKey {
  readonly #privateKey: CryptoKey;

  constructor(kid: string, publicKey: Bytes, key: CryptoKey, privateKey: CryptoKey) {
    super(kid, publicKey, key);
    this.#privateKey = privateKey;
  }

  async sign(message: Uint8Array, context: Uint8Array): Promise<Bytes> {
    const params = { ...DSA, context: toBytes(context) };
    return new Uint8Array(await subtle().sign(params, this.#privateKey, toBytes(message)));
  }
}

/** The bytes of a public CryptoKey and its thumbprint. */
async function exportPublic(alg: typeof KEM | typeof DSA, key: CryptoKey): Promise<[string, Bytes]> {
  const publicKey = new Uint8Array(await subtle().exportKey('raw-public', key));
  return [await awaitThumbprint({ sha256 }, alg.name, publicKey), publicKey];
}

function assertKey(key: CryptoKey, algorithm: string, usage: string): void {
  if (key.algorithm.name !== algorithm || !key.usages.some((known) => known === usage)) {
    throw new TypeError(`"key" must be a CryptoKey of ${algorithm} that may ${usage}`);
  }
}

/** The handle of a private ML-KEM-768 CryptoKey; its public half is asked of the platform. */
export async function useKemCryptoKey(privateKey: CryptoKey): Promise<KemPrivateKey> {
  assertKey(privateKey, KEM.name, 'decapsulateBits');
  const key = await subtle().getPublicKey(privateKey, ['encapsulateBits']);
  return new WebKemPrivateKey(...(await exportPublic(KEM, key)), key, privateKey);
}

/** The handle of a private ML-DSA-65 CryptoKey; its public half is asked of the platform. */
export async function useSigningCryptoKey(privateKey: CryptoKey): Promise<SigningKey> {
  assertKey(privateKey, DSA.name, 'sign');
  const key = await subtle().getPublicKey(privateKey, ['verify']);
  return new WebSigningKey(...(await exportPublic(DSA, key)), key, privateKey);
}

/** The handle of an HMAC-SHA-512 CryptoKey. */
export function useMacCryptoKey(key: CryptoKey): MacKey {
  assertKey(key, HMAC.name, 'sign');
  return Object.freeze({ mac: (message: Uint8Array) => mac(key, message) });
}

/** A private key made by the platform, or from a seed, that no script can read. */
export const cryptoKeys = Object.freeze({
  async generateKem(): Promise<CryptoKey> {
    return (await subtle().generateKey(KEM, false, ['encapsulateBits', 'decapsulateBits'])).privateKey;
  },

  async generateSigning(): Promise<CryptoKey> {
    return (await subtle().generateKey(DSA, false, ['sign', 'verify'])).privateKey;
  },

  /** From the 64-byte seed, which stays the caller's to wipe. */
  async importKem(seed: Uint8Array): Promise<CryptoKey> {
    assertSize('seed', seed, ML_KEM_768.seed);
    return subtle().importKey('raw-seed', toBytes(seed), KEM, false, ['decapsulateBits']);
  },

  /** From the 32-byte seed, which stays the caller's to wipe. */
  async importSigning(seed: Uint8Array): Promise<CryptoKey> {
    assertSize('seed', seed, ML_DSA_65.seed);
    return subtle().importKey('raw-seed', toBytes(seed), DSA, false, ['sign']);
  },

  /** From the 64 bytes of a MAC key, which stay the caller's to wipe. */
  async importMac(key: Uint8Array): Promise<CryptoKey> {
    assertSize('key', key, HMAC_SHA_512.key);
    return importMac(key);
  },
});

/** AES-256-GCM parameters and key of one message. */
async function prepareAes(
  usage: 'encrypt' | 'decrypt',
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
): Promise<readonly [AesGcmParams, CryptoKey]> {
  assertSize('key', key, HPKE.key);
  assertSize('nonce', nonce, HPKE.nonce);
  const params = { name: AES, iv: toBytes(nonce), additionalData: toBytes(aad), tagLength: TAG_BITS };
  return [params, await subtle().importKey('raw', toBytes(key), AES, false, [usage])];
}

const suite: AwaitableSuite = Object.freeze<AwaitableSuite>({
  name: 'webcrypto',
  randomBytes(length) {
    const MAX_DRAW = 65_536; // that Web Crypto gives at once
    const bytes = new Uint8Array(length);
    for (let offset = 0; offset < length; offset += MAX_DRAW) {
      crypto.getRandomValues(bytes.subarray(offset, offset + MAX_DRAW));
    }
    return bytes;
  },
  sha256,
  hmacSha512: async (key, data) => mac(await importMac(key), data),

  async hkdfSha512(salt, ikm, outputs) {
    const key = await subtle().importKey('raw', toBytes(ikm), 'HKDF', false, ['deriveBits']);
    const derive = async ({ info, length }: HkdfOutput): Promise<Bytes> => {
      assertHkdfLength(length);
      const params = { name: 'HKDF', hash: 'SHA-512', salt: toBytes(salt), info: toBytes(info) };
      return new Uint8Array(await subtle().deriveBits(params, key, length * 8));
    };
    return Promise.all(outputs.map(derive));
  },

  async sealAes256Gcm(key, nonce, aad, plaintext) {
    const [params, aesKey] = await prepareAes('encrypt', key, nonce, aad);
    return new Uint8Array(await subtle().encrypt(params, aesKey, toBytes(plaintext)));
  },

  async openAes256Gcm(key, nonce, aad, ciphertext) {
    const [params, aesKey] = await prepareAes('decrypt', key, nonce, aad);
    try {
      return new Uint8Array(await subtle().decrypt(params, aesKey, toBytes(ciphertext)));
    } catch {
      return null;
    }
  },

  async importKemPublicKey(publicKey) {
    assertSize('publicKey', publicKey, ML_KEM_768.publicKey);
    if (!isEncapsulationKey(publicKey)) throw new RangeError('"publicKey" fails the check of FIPS 203 §7.2');
    const key = await subtle().importKey('raw-public', toBytes(publicKey), KEM, true, ['encapsulateBits']);
    return new WebKemPublicKey(...(await exportPublic(KEM, key)), key);
  },

  importKemPrivateKey: async (seed) => useKemCryptoKey(await cryptoKeys.importKem(seed)),

  async importVerifyingKey(publicKey) {
    assertSize('publicKey', publicKey, ML_DSA_65.publicKey);
    const key = await subtle().importKey('raw-public', toBytes(publicKey), DSA, true, ['verify']);
    return new WebVerifyingKey(...(await exportPublic(DSA, key)), key);
  },

  importSigningKey: async (seed) => useSigningCryptoKey(await cryptoKeys.importSigning(seed)),
  importMacKey: async (key) => useMacCryptoKey(await cryptoKeys.importMac(key)),
});

/** The platform's suite. Ask {@link isWebCryptoSuiteSupported} first. */
export function createWebCryptoSuite(): AwaitableSuite {
  return suite;
}

/** For the all-zero seeds: the two thumbprints, and what an all-zero ciphertext decapsulates to (FIPS 203, implicit rejection). */
const KNOWN = Object.freeze({
  kem: 'mMeMRpQSRrqj0NSXB9SaDhkYhlnx9wiMlxrwIvLG3Ho',
  sig: 'Suiu29qbfuaBaR4Ats-c6XQBePB_OpAxAwcTR_0KXVM',
  secret: 'BBnG-iJokfaNeSrl5aKSnyh27Phtx7sn7gs1YzIK248',
});

/**
 * Known answers of ML-KEM-768 and ML-DSA-65. Beside the algorithms the platform must honour the FIPS
 * 204 context: one that ignores it would make and accept signatures of any purpose.
 */
async function isSupported(): Promise<boolean> {
  try {
    const kem = await suite.importKemPrivateKey(new Uint8Array(ML_KEM_768.seed));
    const sig = await suite.importSigningKey(new Uint8Array(ML_DSA_65.seed));
    if (kem.kid !== KNOWN.kem || sig.kid !== KNOWN.sig) return false;
    const secret = await kem.decapsulate(new Uint8Array(ML_KEM_768.ciphertext));
    if (!equalBytes(secret, parseBase64Url(KNOWN.secret) ?? concatBytes())) return false;
    const [message, context] = [Uint8Array.of(0), Uint8Array.of(1)];
    const signature = await sig.sign(message, context);
    const own = await sig.verify(message, signature, context);
    const others = await Promise.all(
      [Uint8Array.of(2), concatBytes()].map((other) => sig.verify(message, signature, other)),
    );
    return own && !others.includes(true);
  } catch {
    return false;
  }
}

let supported: Promise<boolean> | undefined;

/** Whether {@link createWebCryptoSuite} works here; asked once, some milliseconds. */
export function isWebCryptoSuiteSupported(): Promise<boolean> {
  supported ??= isSupported();
  return supported;
}
