/**
 * Byte strings and their text forms. Every decoder here is strict: it accepts the one canonical
 * encoding of a value and answers `null` for anything else. Runs in browsers and in Node ≥ 24.8.
 *
 * Source: RFC 4648 §4 (base64, padded) and §5 (base64url, unpadded here).
 */

/** Bytes over a plain ArrayBuffer, the form that WebCrypto and `fetch` accept. */
export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// Without groups, so that matching takes no stack in proportion to the text: 4 MiB overflowed it.
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const BASE64URL = /^[A-Za-z0-9_-]*$/;

/** UTF-8 bytes of `text`. */
export function encodeUtf8(text: string): Bytes {
  return encoder.encode(text);
}

/** The text of well-formed UTF-8, or `null`. A byte order mark is kept as a character. */
export function parseUtf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** The concatenation of `parts`, in one new buffer. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** `value` as 8 bytes, most significant first. Throws RangeError outside 0 … 2^53-1. */
export function encodeUint64(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`"value" must be a safe non-negative integer, got ${value}`);
  }
  const bytes = new Uint8Array(8);
  // Of halves of 32 bits: a BigInt takes ten times as long.
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(value / 2 ** 32));
  view.setUint32(4, value % 2 ** 32);
  return bytes;
}

/**
 * Whether `a` and `b` are the same bytes, in time that depends on their lengths only. It is
 * written for both browsers and Node, where no native comparison is common to both.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    difference |= (a[index] as number) ^ (b[index] as number);
  }
  return difference === 0;
}

/** `Uint8Array` where the platform has native base64: Node 26 and browsers, 100 times as fast; not Node 24. */
const nativeBase64 = 'fromBase64' in Uint8Array && 'toBase64' in Uint8Array.prototype ? Uint8Array : null;

/** Standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  if (nativeBase64 !== null) return bytes.toBase64();
  const CHUNK = 0x8000;
  let binary = '';
  for (let offset = 0; offset < bytes.length; offset += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(offset, offset + CHUNK));
  }
  return btoa(binary);
}

/** The bytes of canonical padded standard base64, or `null` (white space and stray bits refused). */
export function parseBase64(text: string): Bytes | null {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return null;
  if (nativeBase64 !== null) {
    try {
      return nativeBase64.fromBase64(text, { lastChunkHandling: 'strict' });
    } catch {
      return null;
    }
  }
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const tail = text.slice(-4);
  const lastBytes = bytes.subarray(bytes.length - (tail.endsWith('==') ? 1 : tail.endsWith('=') ? 2 : 0));
  return tail.endsWith('=') && encodeBase64(lastBytes) !== tail ? null : bytes;
}

/** Base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  if (nativeBase64 !== null) return bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The bytes of canonical unpadded base64url, or `null`. */
export function parseBase64Url(text: string): Bytes | null {
  if (!BASE64URL.test(text) || text.length % 4 === 1) return null;
  const padded = text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (text.length % 4)) % 4);
  return parseBase64(padded);
}

/** Lower-case hexadecimal. */
export function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
