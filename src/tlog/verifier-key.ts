/**
 * Keys that verify notes, and their text form `{name}+{key id}+{base64 of type and key}`, which is that
 * of golang.org/x/mod/sumdb/note and the tools after it. C2SP signed-note assigns the type 0x01; ours
 * for ML-DSA-65 begins with 0xff, as it asks of types without an assigned byte.
 */
import {
  type Bytes,
  concatBytes,
  encodeBase64,
  encodeHex,
  encodeUtf8,
  equalBytes,
  parseBase64,
} from '../base/index.ts';
import type { Sha256 } from './hasher.ts';
import { isKeyName, MAX_NAME_LENGTH } from './key-name.ts';
import { KEY_ID_SIZE } from './signed-note.ts';

export type NoteKeyType = 'ED25519' | 'ML_DSA_65';

export interface NoteKeyFormat {
  /** What stands before the public key where it is hashed and written. */
  readonly type: Bytes;
  /** Bytes of a public key, raw. */
  readonly publicKey: number;
  /** Bytes of a signature. */
  readonly signature: number;
}

/** RFC 8032 (Ed25519) and FIPS 204 (ML-DSA-65). */
export const NOTE_KEY_FORMATS: Readonly<Record<NoteKeyType, NoteKeyFormat>> = Object.freeze(
  Object.assign(Object.create(null), {
    ED25519: Object.freeze({ type: Uint8Array.of(0x01), publicKey: 32, signature: 64 }),
    ML_DSA_65: Object.freeze({
      type: concatBytes(Uint8Array.of(0xff), encodeUtf8('sealdesk/ml-dsa-65')),
      publicKey: 1952,
      signature: 3309,
    }),
  }),
);

/** FIPS 204 context of the ML-DSA-65 signature of a checkpoint; the message is the note's text. */
export const CHECKPOINT_CONTEXT = encodeUtf8('sealdesk/checkpoint/v1');

export interface NoteVerifier {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Bytes;
  readonly type: NoteKeyType;
  readonly publicKey: Bytes;
}

/** Characters of a verifier key. */
export const MAX_VERIFIER_KEY =
  MAX_NAME_LENGTH + 2 + 2 * KEY_ID_SIZE + 4 * Math.ceil((19 + NOTE_KEY_FORMATS.ML_DSA_65.publicKey) / 3);

/** The first 4 bytes of SHA-256(name ‖ 0x0a ‖ type ‖ public key). */
export function noteKeyId(sha256: Sha256, name: string, type: Uint8Array, publicKey: Uint8Array): Bytes {
  return sha256(concatBytes(encodeUtf8(`${name}\n`), type, publicKey)).slice(0, KEY_ID_SIZE);
}

/** The verifier of a public key, its id computed. RangeError for a name or size that does not fit. */
export function createNoteVerifier(sha256: Sha256, key: Omit<NoteVerifier, 'keyId'>): NoteVerifier {
  const { name, type, publicKey } = key;
  const format = NOTE_KEY_FORMATS[type];
  if (!isKeyName(name)) throw new RangeError('"name" must be without spaces and plus');
  if (publicKey.length !== format.publicKey) {
    throw new RangeError(`"publicKey" must be ${format.publicKey} bytes, got ${publicKey.length}`);
  }
  return Object.freeze({ name, keyId: noteKeyId(sha256, name, format.type, publicKey), type, publicKey });
}

/** The key as text; its id is written as it is. */
export function encodeVerifierKey({ name, keyId, type, publicKey }: NoteVerifier): string {
  return `${name}+${encodeHex(keyId)}+${encodeBase64(concatBytes(NOTE_KEY_FORMATS[type].type, publicKey))}`;
}

/** The key in `text`, or `null` unless it is canonical, of a type known here, and its id is that of the key. */
export function parseVerifierKey(sha256: Sha256, text: string): NoteVerifier | null {
  if (text.length > MAX_VERIFIER_KEY) return null;
  const [name, , ...rest] = text.split('+');
  const key = parseBase64(rest.join('+'));
  if (!isKeyName(name) || key === null) return null;
  for (const type of ['ED25519', 'ML_DSA_65'] as const) {
    const format = NOTE_KEY_FORMATS[type];
    const publicKey = key.slice(format.type.length);
    if (publicKey.length !== format.publicKey) continue;
    if (!equalBytes(key.subarray(0, format.type.length), format.type)) continue;
    const verifier = createNoteVerifier(sha256, { name, type, publicKey });
    return encodeVerifierKey(verifier) === text ? verifier : null;
  }
  return null;
}
