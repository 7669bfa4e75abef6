/**
 * Type-prefixed, time-sortable ids: `{prefix}_{26 characters}`, a UUIDv7 (RFC 9562 §5.7) written in
 * Crockford's base32 without check symbol, lower case. The text sorts as the bytes do.
 */
import { encodeHex } from './bytes.ts';

export const ID_PREFIXES = Object.freeze({
  tenant: 'ten',
  integration: 'int',
  credential: 'cred',
  clientKey: 'key',
  signingKey: 'sig',
  apiKey: 'api',
  auditEvent: 'aud',
  run: 'run',
  plan: 'pln',
} as const);

export type IdKind = keyof typeof ID_PREFIXES;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const PATTERNS = Object.fromEntries(
  Object.entries(ID_PREFIXES).map(([kind, prefix]) => [
    kind,
    new RegExp(`^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`),
  ]),
) as Readonly<Record<IdKind, RegExp>>;

const KINDS: ReadonlyMap<string, IdKind> = new Map(
  Object.entries(ID_PREFIXES).map(([kind, prefix]) => [prefix, kind as IdKind]),
);

/** A new id of `kind`; `now` in milliseconds since 1970. */
export function createId(kind: IdKind, now: number = Date.now()): string {
  return `${ID_PREFIXES[kind]}_${encodeBase32(nextUuid(now))}`;
}

/** A new UUIDv7 in the text form of RFC 9562 §4, 36 characters; `now` in milliseconds since 1970. Node < 26.1 has none. */
export function createUuid(now: number = Date.now()): string {
  return encodeHex(nextUuid(now)).replace(UUID_GROUPS, '$1-$2-$3-$4-$5');
}

const UUID_GROUPS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** The bytes of a new UUIDv7, to be used before the next are asked for. */
function nextUuid(now: number): Uint8Array {
  const bytes = takeRandom();
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint16(0, Math.floor(now / 2 ** 32));
  view.setUint32(2, now % 2 ** 32);
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  return bytes;
}

const UUID_SIZE = 16;
/** Drawn in advance: one call for each id would take most of the time of making it. */
const drawn = new Uint8Array(256 * UUID_SIZE);
let taken = drawn.length;

/** Random bytes for one UUID, of what was drawn. */
function takeRandom(): Uint8Array<ArrayBuffer> {
  if (taken === drawn.length) {
    crypto.getRandomValues(drawn);
    taken = 0;
  }
  taken += UUID_SIZE;
  return drawn.subarray(taken - UUID_SIZE, taken);
}

/** The two characters of ten bits. */
const PAIRS = Array.from(
  { length: 1_024 },
  (_, bits) => ALPHABET.charAt(bits >> 5) + ALPHABET.charAt(bits & 31),
);

/** 16 bytes as 26 characters, ten bits for each two, the first of the top eight. */
function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  // Two bits above the top stand for the 130 bits of 26 characters.
  let held = 2;
  for (const byte of bytes) {
    bits = ((bits & 0x3ff) << 8) | byte;
    held += 8;
    if (held < 10) continue;
    held -= 10;
    text += PAIRS[(bits >> held) & 0x3ff];
  }
  return text;
}

/** Whether `text` is a well-formed id of `kind`. */
export function isId(kind: IdKind, text: unknown): text is string {
  return typeof text === 'string' && PATTERNS[kind].test(text);
}

/** The kind that `text` is a well-formed id of, or `null`. */
export function kindOfId(text: string): IdKind | null {
  const kind = KINDS.get(text.slice(0, text.indexOf('_')));
  return kind !== undefined && isId(kind, text) ? kind : null;
}
