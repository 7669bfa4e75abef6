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
} as const);

export type IdKind = keyof typeof ID_PREFIXES;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const BODY = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** A new id of `kind`; `now` in milliseconds since 1970. */
export function createId(kind: IdKind, now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(now / 2 ** 32));
  view.setUint32(2, now % 2 ** 32);
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  let value = (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
  let body = '';
  for (let index = 0; index < 26; index += 1) {
    body = ALPHABET.charAt(Number(value & 31n)) + body;
    value >>= 5n;
  }
  return `${ID_PREFIXES[kind]}_${body}`;
}

/** Whether `text` is a well-formed id of `kind`. */
export function isId(kind: IdKind, text: unknown): text is string {
  const prefix = `${ID_PREFIXES[kind]}_`;
  return typeof text === 'string' && text.startsWith(prefix) && BODY.test(text.slice(prefix.length));
}

/** The kind that `text` is a well-formed id of, or `null`. */
export function kindOfId(text: string): IdKind | null {
  const kinds = Object.keys(ID_PREFIXES) as IdKind[];
  return kinds.find((kind) => isId(kind, text)) ?? null;
}
