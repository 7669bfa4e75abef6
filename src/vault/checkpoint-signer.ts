/**
 * The keys that sign checkpoints of a tenant's audit log, and nothing else. Both come from the secret
 * `audit-signing` by HKDF-Expand-SHA-512 under labels of their own:
 *
 * | label (UTF-8)                      | gives                                  |
 * |------------------------------------|----------------------------------------|
 * | `sealdesk/checkpoint-ed25519/v1`   | the seed of Ed25519 (RFC 8032), 32 B   |
 * | `sealdesk/checkpoint-ml-dsa-65/v1` | the seed of ML-DSA-65 (FIPS 204), 32 B |
 *
 * A note carries both signatures, Ed25519 first. Each is over the UTF-8 bytes of the note's text (C2SP
 * signed-note); ML-DSA-65 has the context `sealdesk/checkpoint/v1` besides.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { type Bytes, concatBytes, encodeUtf8, equalBytes, parseBase64Url } from '../base/index.ts';
import { hkdfExpandSha512, type SigningKey, type Suite } from '../envelope/index.ts';
import {
  CHECKPOINT_CONTEXT,
  createNoteVerifier,
  type NoteSignature,
  type NoteVerifier,
  type SignedNote,
} from '../tlog/index.ts';

const LABELS = Object.freeze({
  ed25519: encodeUtf8('sealdesk/checkpoint-ed25519/v1'),
  mlDsa: encodeUtf8('sealdesk/checkpoint-ml-dsa-65/v1'),
});
const SEED_SIZE = 32;
/** RFC 8410 §7: all of a PKCS #8 `OneAsymmetricKey` of Ed25519 but the seed, which is its end. */
const PKCS8_HEAD = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
);

/** Signs and verifies checkpoints as notes. Every use throws KMS_UNAVAILABLE once the tenant's keys were wiped. */
export interface CheckpointSigner {
  /** 32 bytes, raw. */
  readonly ed25519PublicKey: Bytes;
  /** 1952 bytes. */
  readonly mlDsaPublicKey: Bytes;
  /** The keys as verifiers of the log called `origin`: Ed25519, then ML-DSA-65. */
  verifiersOf(origin: string): readonly NoteVerifier[];
  /** The two signatures of a note's text, line end included, in the name of `origin`. */
  signNote(origin: string, text: string): Promise<readonly NoteSignature[]>;
  /** Whether `note` carries exactly the two signatures of these keys in the name of `origin`. */
  verifyNote(origin: string, note: SignedNote): Promise<boolean>;
}

/** The private keys, made of the secret, which stays the caller's to wipe. `assertLive` stands before each use. */
export function createCheckpointSigner(
  suite: Suite,
  secret: Uint8Array,
  assertLive: () => void,
): CheckpointSigner {
  const ed25519 = withSeed(suite, secret, LABELS.ed25519, importEd25519);
  const mlDsa = withSeed(suite, secret, LABELS.mlDsa, (seed) => suite.importSigningKey(seed));
  return new Signer(suite, ed25519, mlDsa, assertLive);
}

class Signer implements CheckpointSigner {
  readonly ed25519PublicKey: Bytes;
  readonly mlDsaPublicKey: Bytes;
  readonly #suite: Suite;
  readonly #ed25519: KeyObject;
  readonly #mlDsa: SigningKey;
  readonly #assertLive: () => void;

  constructor(suite: Suite, ed25519: KeyObject, mlDsa: SigningKey, assertLive: () => void) {
    this.#suite = suite;
    this.#ed25519 = ed25519;
    this.#mlDsa = mlDsa;
    this.#assertLive = assertLive;
    this.ed25519PublicKey = rawPublicKey(ed25519);
    this.mlDsaPublicKey = mlDsa.publicKey;
  }

  verifiersOf(origin: string): readonly [NoteVerifier, NoteVerifier] {
    const sha256 = (data: Uint8Array): Bytes => this.#suite.sha256(data);
    return [
      createNoteVerifier(sha256, { name: origin, type: 'ED25519', publicKey: this.ed25519PublicKey }),
      createNoteVerifier(sha256, { name: origin, type: 'ML_DSA_65', publicKey: this.mlDsaPublicKey }),
    ];
  }

  async signNote(origin: string, text: string): Promise<readonly NoteSignature[]> {
    this.#assertLive();
    const message = encodeUtf8(text);
    const [ed25519, mlDsa] = this.verifiersOf(origin);
    return Object.freeze([
      { name: origin, keyId: ed25519.keyId, signature: Uint8Array.from(sign(null, message, this.#ed25519)) },
      { name: origin, keyId: mlDsa.keyId, signature: await this.#mlDsa.sign(message, CHECKPOINT_CONTEXT) },
    ]);
  }

  async verifyNote(origin: string, { text, signatures }: SignedNote): Promise<boolean> {
    this.#assertLive();
    const verifiers = this.verifiersOf(origin);
    const [ed25519, mlDsa] = signatures;
    if (ed25519 === undefined || mlDsa === undefined || signatures.length !== verifiers.length) return false;
    const areNamed = verifiers.every(({ name, keyId }, at) => {
      const signature = signatures[at];
      return signature?.name === name && equalBytes(signature.keyId, keyId);
    });
    const message = encodeUtf8(text);
    const publicKey = createPublicKey(this.#ed25519);
    const [first, second] = [
      verify(null, message, publicKey, ed25519.signature),
      await this.#mlDsa.verify(message, mlDsa.signature, CHECKPOINT_CONTEXT),
    ];
    return areNamed && first && second;
  }
}

function withSeed<T>(suite: Suite, secret: Uint8Array, label: Uint8Array, use: (seed: Bytes) => T): T {
  const seed = hkdfExpandSha512(suite, secret, label, SEED_SIZE);
  try {
    return use(seed);
  } finally {
    seed.fill(0);
  }
}

function importEd25519(seed: Bytes): KeyObject {
  const pkcs8 = concatBytes(PKCS8_HEAD, seed);
  try {
    return createPrivateKey({ key: Buffer.from(pkcs8.buffer), format: 'der', type: 'pkcs8' });
  } finally {
    pkcs8.fill(0);
  }
}

function rawPublicKey(key: KeyObject): Bytes {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const raw = parseBase64Url(x);
  if (raw === null) throw new TypeError('"key" must be an Ed25519 key');
  return raw;
}
