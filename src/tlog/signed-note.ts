/**
 * Notes in the form of C2SP signed-note: a text and the signatures over its UTF-8 bytes. Parsing tells
 * who claims to have signed; no signature is verified here. Only the canonical form is accepted.
 */
import { type Bytes, concatBytes, encodeBase64, parseBase64 } from '../base/index.ts';
import { isKeyName, MAX_NAME_LENGTH } from './key-name.ts';

export interface NoteSignature {
  /** The name of the key. */
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Bytes;
  readonly signature: Bytes;
}

export interface SignedNote {
  /** What is signed, with its last line end. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** What a parser accepts at most, and so what an encoder makes; C2SP asks for at least 16 signatures. */
export const NOTE_LIMITS = Object.freeze({
  /** Characters of the text. */
  maxText: 65_536,
  maxSignatures: 16,
  /** Bytes of one signature; ML-DSA-87 has 4627. */
  maxSignature: 8_192,
} as const);

/** Bytes of a key id. */
export const KEY_ID_SIZE = 4;

const MARK = '\u2014 ';
const MAX_SIGNATURE_LINE =
  MARK.length + MAX_NAME_LENGTH + 1 + 4 * Math.ceil((KEY_ID_SIZE + NOTE_LIMITS.maxSignature) / 3) + 1;
const MAX_NOTE = NOTE_LIMITS.maxText + 1 + NOTE_LIMITS.maxSignatures * MAX_SIGNATURE_LINE;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a note must not contain.
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/** The note as text. RangeError for what has no such form, a key that signs twice included. */
export function encodeSignedNote(note: SignedNote): string {
  if (!isNoteText(note.text)) throw new RangeError('"text" must be lines of text, the last one ended');
  const { signatures } = note;
  if (signatures.length < 1 || signatures.length > NOTE_LIMITS.maxSignatures || !areDistinct(signatures)) {
    throw new RangeError(`"signatures" must be 1 to ${NOTE_LIMITS.maxSignatures} of different keys`);
  }
  if (!signatures.every(isSignature)) throw new RangeError('"signatures" must have names, key ids and bytes');
  const lines = signatures.map(
    ({ name, keyId, signature }) => `${MARK}${name} ${encodeBase64(concatBytes(keyId, signature))}\n`,
  );
  return `${note.text}\n${lines.join('')}`;
}

/** The note in `text`, or `null` unless it is exactly what {@link encodeSignedNote} writes. */
export function parseSignedNote(text: string): SignedNote | null {
  if (text.length > MAX_NOTE) return null;
  // The last empty line separates: lines of signatures are never empty, those of the text may be.
  const blank = text.lastIndexOf('\n\n');
  if (blank < 0 || !text.endsWith('\n')) return null;
  const signed = text.slice(0, blank + 1);
  const lines = text.slice(blank + 2, -1).split('\n');
  if (!isNoteText(signed) || lines.length > NOTE_LIMITS.maxSignatures) return null;
  const signatures = lines.map(parseSignatureLine).filter((signature) => signature !== null);
  if (signatures.length !== lines.length || !areDistinct(signatures)) return null;
  return Object.freeze({ text: signed, signatures: Object.freeze(signatures) });
}

function parseSignatureLine(line: string): NoteSignature | null {
  if (line.length > MAX_SIGNATURE_LINE || !line.startsWith(MARK)) return null;
  const [name, encoded, ...more] = line.slice(MARK.length).split(' ');
  const bytes = encoded === undefined || more.length > 0 ? null : parseBase64(encoded);
  if (name === undefined || bytes === null) return null;
  const keyId = bytes.slice(0, KEY_ID_SIZE);
  const signature = Object.freeze({ name, keyId, signature: bytes.slice(KEY_ID_SIZE) });
  return isSignature(signature) ? signature : null;
}

function isSignature({ name, keyId, signature }: NoteSignature): boolean {
  return (
    isKeyName(name) &&
    keyId.length === KEY_ID_SIZE &&
    signature.length >= 1 &&
    signature.length <= NOTE_LIMITS.maxSignature
  );
}

function isNoteText(text: string): boolean {
  return (
    text.length <= NOTE_LIMITS.maxText && text.endsWith('\n') && text.isWellFormed() && !CONTROL.test(text)
  );
}

/** Name and id together name a key. */
function areDistinct(signatures: readonly NoteSignature[]): boolean {
  const keys = signatures.map(({ name, keyId }) => `${name}+${encodeBase64(keyId)}`);
  return new Set(keys).size === keys.length;
}
