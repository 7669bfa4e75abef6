/**
 * Sealing with fixed randomness, and sealing wrongly on purpose: each part of an envelope can be
 * replaced before or after it is signed. For vectors only.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import {
  type Bytes,
  encodeBase64,
  encodeCanonicalJson,
  encodeUtf8,
  type JsonObject,
} from '../../../src/base/index.ts';
import {
  encodeTranscript,
  type KemPublicKey,
  type SigningKey,
  sealHpke,
  type TranscriptParts,
} from '../../../src/envelope/index.ts';
import { createNobleSuite } from '../../../src/envelope/noble.ts';

export const suite = createNobleSuite();

/** Bytes that depend on `label` alone. */
export function fixedBytes(label: string, length: number): Bytes {
  return sha512(encodeUtf8(`sealdesk vectors: ${label}`)).slice(0, length);
}

export function fixedId(prefix: string, number: number): string {
  return `${prefix}_01kaj5p9w07rz8${String(number).padStart(12, '0')}`;
}

/** Randomness in the order of use, so that a run gives the same vectors every time. */
let draws = 0;
const draw = (): Bytes => {
  draws += 1;
  return fixedBytes(`draw ${draws}`, 32);
};

export function restartDraws(): void {
  draws = 0;
}

export function createFixedRecipient(seed: Uint8Array): KemPublicKey {
  const { kid, publicKey } = suite.importKemPrivateKey(seed);
  return {
    kid,
    publicKey,
    async encapsulate() {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, draw());
      return { ciphertext: cipherText, sharedSecret };
    },
  };
}

export function createFixedSigner(seed: Uint8Array): SigningKey {
  const key = suite.importSigningKey(seed);
  const { secretKey } = ml_dsa65.keygen(seed);
  return {
    kid: key.kid,
    publicKey: key.publicKey,
    verify: (message, signature, context) => key.verify(message, signature, context),
    sign: async (message, context) => ml_dsa65.sign(message, secretKey, { context, extraEntropy: draw() }),
  };
}

export interface Forgery {
  readonly header: JsonObject;
  readonly plaintext: Uint8Array;
  readonly recipient: KemPublicKey;
  readonly signer: SigningKey;
  readonly macKey: Uint8Array;
  /** In place of the canonical bytes of the header. */
  readonly headerBytes?: Uint8Array;
  readonly info?: string;
  readonly aad?: Uint8Array;
  readonly context?: string;
  /** Replaces parts before they are signed. */
  readonly beforeSigning?: (parts: TranscriptParts) => TranscriptParts;
  /** What is signed in place of the transcript. */
  readonly signed?: (transcript: Bytes) => Bytes;
  readonly maced?: (transcript: Bytes) => Bytes;
}

/** An envelope made as told, right or wrong; the format's rules are not checked. */
export async function forge(forgery: Forgery): Promise<JsonObject> {
  const name = 'sealdesk/envelope/v1';
  const protectedHeader = forgery.headerBytes ?? encodeCanonicalJson(forgery.header);
  const sealed = await sealHpke(suite, {
    recipient: forgery.recipient,
    info: encodeUtf8(forgery.info ?? name),
    aad: forgery.aad ?? protectedHeader,
    plaintext: forgery.plaintext,
  });
  const made = { protectedHeader, enc: sealed.enc, nonce: sealed.baseNonce, ciphertext: sealed.ciphertext };
  const parts = forgery.beforeSigning?.(made) ?? made;
  const transcript = encodeTranscript(parts);
  const signature = await forgery.signer.sign(
    forgery.signed?.(transcript) ?? transcript,
    encodeUtf8(forgery.context ?? name),
  );
  return {
    success: true,
    encrypted: {
      ciphertext_kem: encodeBase64(parts.enc),
      ciphertext_data: encodeBase64(parts.ciphertext),
      nonce: encodeBase64(parts.nonce),
      tenant_id: forgery.header['tenant_id'],
      algorithm: 'ML-KEM-768',
      protected: encodeBase64(parts.protectedHeader),
    },
    signature: {
      pqc_signature: encodeBase64(signature),
      hmac_signature: encodeBase64(hmac(sha512, forgery.macKey, forgery.maced?.(transcript) ?? transcript)),
      algorithm: 'ML-DSA-65+HMAC-SHA-512',
    },
    audit_event_id: forgery.header['audit_event_id'],
  };
}
