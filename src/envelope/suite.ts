/**
 * The port to the primitives. Three adapters exist: `node.ts` (OpenSSL through `node:crypto`),
 * `webcrypto.ts` (the platform's own, in browsers) and `noble.ts` (portable JavaScript). The room itself
 * holds no primitive.
 *
 * A key is imported once into a handle and used many times; a handle knows its own `kid` and never
 * gives a private key back. What can be slow or can live outside the process (ML-KEM, ML-DSA, the
 * recipient's MAC key) is always asynchronous. The rest may be: WebCrypto answers everything with a
 * promise, so the format asks for an {@link AwaitableSuite} and awaits each step, which costs the other
 * two nothing that can be measured. They are a {@link Suite}, which answers the rest at once.
 *
 * Wrong sizes are misuse by our own code: every method throws RangeError for them. Untrusted bytes
 * are measured by the parsers of this room before they get here.
 */
import type { Bytes } from '../base/index.ts';

/** A recipient's public ML-KEM-768 key. */
export interface KemPublicKey {
  /** RFC 7638 thumbprint of the JWK, base64url, 43 characters. */
  readonly kid: string;
  /** 1184 bytes, the FIPS 203 encapsulation key. */
  readonly publicKey: Bytes;
  /** FIPS 203 Algorithm 20. A fresh secret of 32 bytes and its ciphertext of 1088 bytes. */
  encapsulate(): Promise<{ readonly ciphertext: Bytes; readonly sharedSecret: Bytes }>;
}

/** A private ML-KEM-768 key, with its public half. */
export interface KemPrivateKey extends KemPublicKey {
  /**
   * FIPS 203 Algorithm 21. 1088 bytes in, 32 bytes out; a ciphertext that was not made for this key
   * gives an unrelated secret (implicit rejection), never an error.
   */
  decapsulate(ciphertext: Uint8Array): Promise<Bytes>;
}

/** A public ML-DSA-65 key. */
export interface VerifyingKey {
  /** RFC 7638 thumbprint of the JWK, base64url, 43 characters. */
  readonly kid: string;
  /** 1952 bytes. */
  readonly publicKey: Bytes;
  /** FIPS 204 Algorithm 3 (pure). `signature` of any length; one that is not 3309 bytes long is false. */
  verify(message: Uint8Array, signature: Uint8Array, context: Uint8Array): Promise<boolean>;
}

/** A private ML-DSA-65 key, with its public half. */
export interface SigningKey extends VerifyingKey {
  /** FIPS 204 Algorithm 2 (pure), hedged. `context` is at most 255 bytes; 3309 bytes come out. */
  sign(message: Uint8Array, context: Uint8Array): Promise<Bytes>;
}

/** A symmetric key of 64 bytes for HMAC-SHA-512. */
export interface MacKey {
  /** 64 bytes. */
  mac(message: Uint8Array): Promise<Bytes>;
}

/** A value, or the promise of one. */
export type Awaitable<Value> = Value | Promise<Value>;

/** One value to derive. */
export interface HkdfOutput {
  readonly info: Uint8Array;
  /** Bytes, 1 … 16 320; RangeError beyond. */
  readonly length: number;
}

/** What the format needs. A promise rejects with what the synchronous form would throw. */
export interface AwaitableSuite {
  readonly name: 'node' | 'noble' | 'webcrypto';
  /** From the platform's cryptographic generator. */
  randomBytes(length: number): Bytes;
  sha256(data: Uint8Array): Awaitable<Bytes>;
  /** An empty key stands for zero bytes, as HMAC has it. */
  hmacSha512(key: Uint8Array, data: Uint8Array): Awaitable<Bytes>;
  /** RFC 5869 with SHA-512: extracts once and expands to each of `outputs`, in their order. */
  hkdfSha512(salt: Uint8Array, ikm: Uint8Array, outputs: readonly HkdfOutput[]): Awaitable<readonly Bytes[]>;
  /** AES-256-GCM: key of 32 bytes, nonce of 12; the 16-byte tag comes last. */
  sealAes256Gcm(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Awaitable<Bytes>;
  /** The plaintext, or `null` where the tag does not fit. `ciphertext` is at least 16 bytes. */
  openAes256Gcm(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    ciphertext: Uint8Array,
  ): Awaitable<Bytes | null>;
  /** From the 1184 bytes of a key. Throws RangeError where FIPS 203 §7.2 refuses it. */
  importKemPublicKey(publicKey: Uint8Array): Awaitable<KemPublicKey>;
  /** From the 64-byte seed, which is copied and stays the caller's to wipe. */
  importKemPrivateKey(seed: Uint8Array): Awaitable<KemPrivateKey>;
  /** From the 1952 bytes of a key. */
  importVerifyingKey(publicKey: Uint8Array): Awaitable<VerifyingKey>;
  /** From the 32-byte seed, which is copied and stays the caller's to wipe. */
  importSigningKey(seed: Uint8Array): Awaitable<SigningKey>;
  /** From 64 bytes, which are copied and stay the caller's to wipe. */
  importMacKey(key: Uint8Array): Awaitable<MacKey>;
}

/** An {@link AwaitableSuite} whose symmetric part and imports answer at once, as a server needs them. */
export interface Suite extends AwaitableSuite {
  readonly name: 'node' | 'noble';
  sha256(data: Uint8Array): Bytes;
  hmacSha512(key: Uint8Array, data: Uint8Array): Bytes;
  hkdfSha512(salt: Uint8Array, ikm: Uint8Array, outputs: readonly HkdfOutput[]): readonly Bytes[];
  sealAes256Gcm(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes;
  openAes256Gcm(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Bytes | null;
  importKemPublicKey(publicKey: Uint8Array): KemPublicKey;
  importKemPrivateKey(seed: Uint8Array): KemPrivateKey;
  importVerifyingKey(publicKey: Uint8Array): VerifyingKey;
  importSigningKey(seed: Uint8Array): SigningKey;
  importMacKey(key: Uint8Array): MacKey;
}
