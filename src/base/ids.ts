/**
 * Type-prefixed, time-sortable ids: `{prefix}_{26 characters}`, a UUIDv7 (RFC 9562 §5.7) written in
 * Crockford's base32 without check symbol, lower case. The text sorts as the bytes do.
 */
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
  const bytes = takeRandom(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(now / 2 ** 32));
  view.setUint32(2, now % 2 ** 32);
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  return `${ID_PREFIXES[kind]}_${encodeBase32(bytes)}`;
}

/** Drawn in advance: one call for each id would take most of the time of making it. */
let drawn = new Uint8Array(0);

/** `count` random bytes that nobody else gets. */
function takeRandom(count: number): Uint8Array<ArrayBuffer> {
  if (drawn.length < count) drawn = crypto.getRandomValues(new Uint8Array(4_096));
  const taken = drawn.slice(0, count);
  drawn = drawn.subarray(count);
  return taken;
}

/** 16 bytes as 26 characters, five bits each, the first of the top three. */
function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  // Two bits above the top stand for the 130 bits of 26 characters.
  let held = 2;
  for (const byte of bytes) {
    bits = ((bits & 0x1f) << 8) | byte;
    held += 8;
    while (held >= 5) {
      held -= 5;
      text += ALPHABET.charAt((bits >> held) & 31);
    }
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
