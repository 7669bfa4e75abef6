import canonicalize from 'canonicalize';
import { type Bytes, encodeUtf8 } from './bytes.ts';

/** A value that JSON can carry; absent members are written as `undefined`. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue | undefined };

/** A JSON object. */
export type JsonObject = { readonly [member: string]: JsonValue | undefined };

/**
 * The RFC 8785 (JSON Canonicalization Scheme) UTF-8 bytes of `value`; members that are
 * `undefined` are left out. Throws TypeError where JSON has no form for the value.
 */
export function encodeCanonicalJson(value: JsonValue): Bytes {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('"value" has no JSON form');
  return encodeUtf8(text);
}
