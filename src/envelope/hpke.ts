/**
 * HPKE (RFC 9180) in base mode, one message a context: KEM ML-KEM-768 (0x0041, draft-ietf-hpke-pq:
 * the KEM's shared secret and ciphertext are HPKE's as they are), KDF HKDF-SHA-512 (0x0003, two
 * stages), AEAD AES-256-GCM (0x0002). One message only, so the nonce is the base nonce.
 *
 * Does not say who sealed: base mode has no sender authentication.
 */
import { type Bytes, concatBytes, encodeUtf8, parseUtf8 } from '../base/index.ts';
import { HPKE, ML_KEM_768 } from './algorithms.ts';
import { assertSize } from './sizes.ts';
import type { AwaitableSuite, HkdfOutput, KemPrivateKey, KemPublicKey } from './suite.ts';

const MODE_BASE = Uint8Array.of(0x00);
const EMPTY = new Uint8Array(0);

/** RFC 9180 §5.1: "HPKE" ‖ I2OSP(kem_id, 2) ‖ I2OSP(kdf_id, 2) ‖ I2OSP(aead_id, 2). */
const SUITE_ID = concatBytes(
  encodeUtf8('HPKE'),
  ...[HPKE.kemId, HPKE.kdfId, HPKE.aeadId].map((id) => Uint8Array.of(id >> 8, id & 0xff)),
);

const LABELLED = concatBytes(encodeUtf8('HPKE-v1'), SUITE_ID);

const LABELS = Object.freeze({
  pskIdHash: encodeUtf8('psk_id_hash'),
  infoHash: encodeUtf8('info_hash'),
  secret: encodeUtf8('secret'),
  key: encodeUtf8('key'),
  baseNonce: encodeUtf8('base_nonce'),
});

/** RFC 9180 §4: what LabeledExtract extracts from. */
function labelled(label: Uint8Array, ikm: Uint8Array): Bytes {
  return concatBytes(LABELLED, label, ikm);
}

/** RFC 9180 §4: what LabeledExpand expands to. */
function labelledOutput(label: Uint8Array, info: Uint8Array, length: number): HkdfOutput {
  return { info: concatBytes(Uint8Array.of(length >> 8, length & 0xff), LABELLED, label, info), length };
}

/** What `secret` is extracted from in base mode, where the psk is empty: the same for every message. */
const SECRET_IKM = labelled(LABELS.secret, EMPTY);

/** Key schedule contexts by `info`: public values that depend on it alone. The first few are kept. */
const CONTEXTS = new Map<string, Bytes>();
const MAX_CONTEXTS = 32;

/** RFC 9180 §5.1: mode ‖ psk_id_hash ‖ info_hash, 129 bytes. HKDF-Extract is HMAC with the salt as key. */
async function keyScheduleContext(suite: AwaitableSuite, info: Uint8Array): Promise<Bytes> {
  const name = parseUtf8(info);
  const known = name === null ? undefined : CONTEXTS.get(name);
  if (known !== undefined) return known;
  const context = concatBytes(
    MODE_BASE,
    await suite.hmacSha512(EMPTY, labelled(LABELS.pskIdHash, EMPTY)),
    await suite.hmacSha512(EMPTY, labelled(LABELS.infoHash, info)),
  );
  if (name !== null && CONTEXTS.size < MAX_CONTEXTS) CONTEXTS.set(name, context);
  return context;
}

/**
 * RFC 9180 §5.1, KeySchedule with mode_base (empty psk and psk_id); the exporter secret is not needed.
 * Extract and Expand are asked for in one, since Web Crypto does not give away what it extracts. Wipes
 * `sharedSecret`.
 */
async function keySchedule(
  suite: AwaitableSuite,
  sharedSecret: Uint8Array,
  info: Uint8Array,
): Promise<{ readonly key: Bytes; readonly baseNonce: Bytes }> {
  try {
    const context = await keyScheduleContext(suite, info);
    const [key, baseNonce] = await suite.hkdfSha512(sharedSecret, SECRET_IKM, [
      labelledOutput(LABELS.key, context, HPKE.key),
      labelledOutput(LABELS.baseNonce, context, HPKE.nonce),
    ]);
    if (key === undefined || baseNonce === undefined) throw new TypeError('the suite derived too little');
    return { key, baseNonce };
  } finally {
    sharedSecret.fill(0);
  }
}

export interface SealHpkeInput {
  readonly recipient: KemPublicKey;
  /** Names the application and its format; both sides must hold the same. */
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
}

export interface HpkeSealed {
  /** 1088 bytes. */
  readonly enc: Bytes;
  /** As long as the plaintext and 16 bytes of tag. */
  readonly ciphertext: Bytes;
  /** 12 bytes. Not needed to open; both sides derive it. */
  readonly baseNonce: Bytes;
}

/** RFC 9180 §6.1, SealBase. */
export async function sealHpke(suite: AwaitableSuite, input: SealHpkeInput): Promise<HpkeSealed> {
  const { ciphertext: enc, sharedSecret } = await input.recipient.encapsulate();
  const { key, baseNonce } = await keySchedule(suite, sharedSecret, input.info);
  try {
    const ciphertext = await suite.sealAes256Gcm(key, baseNonce, input.aad, input.plaintext);
    return { enc, ciphertext, baseNonce };
  } finally {
    key.fill(0);
  }
}

export interface OpenHpkeInput {
  readonly recipient: KemPrivateKey;
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  /** 1088 bytes. */
  readonly enc: Uint8Array;
  /** At least 16 bytes. */
  readonly ciphertext: Uint8Array;
}

export interface HpkeOpened {
  readonly plaintext: Bytes;
  /** 12 bytes. */
  readonly baseNonce: Bytes;
}

/**
 * RFC 9180 §6.1, OpenBase: the plaintext, or `null` where anything differs from what was sealed
 * (key, info, aad, enc or ciphertext). Throws RangeError where `enc` or `ciphertext` has a size that
 * no sealed message has.
 */
export async function openHpke(suite: AwaitableSuite, input: OpenHpkeInput): Promise<HpkeOpened | null> {
  assertSize('enc', input.enc, ML_KEM_768.ciphertext);
  if (input.ciphertext.length < HPKE.tag) {
    throw new RangeError(`"ciphertext" must be at least ${HPKE.tag} bytes, got ${input.ciphertext.length}`);
  }
  const sharedSecret = await input.recipient.decapsulate(input.enc);
  const { key, baseNonce } = await keySchedule(suite, sharedSecret, input.info);
  try {
    const plaintext = await suite.openAes256Gcm(key, baseNonce, input.aad, input.ciphertext);
    return plaintext === null ? null : { plaintext, baseNonce };
  } finally {
    key.fill(0);
  }
}
