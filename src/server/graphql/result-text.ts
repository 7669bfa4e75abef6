/**
 * A result as JSON, written only where it is small enough. By aliases the same text can stand in a result
 * thousands of times: it is held once, and would be written each time. So the bytes are counted first.
 */

/** `value` as JSON; `null` where that is more than `maxBytes` in UTF-8, and then nothing was written. Throws where it has no JSON. */
export function encodeJsonWithin(value: unknown, maxBytes: number): string | null {
  return bytesLeft(value, maxBytes) < 0 ? null : JSON.stringify(value);
}

/** What `value` leaves of `left` bytes; negative where it does not fit, and is not looked at any further. */
function bytesLeft(value: unknown, left: number): number {
  switch (typeof value) {
    case 'string':
      return bytesLeftByText(value, left);
    case 'number':
      return left - (Number.isFinite(value) ? String(value).length : 'null'.length);
    case 'boolean':
      return left - String(value).length;
    case 'object':
      if (value === null) return left - 'null'.length;
      if ('toJSON' in value && typeof value.toJSON === 'function') return bytesLeft(value.toJSON(), left);
      return Array.isArray(value) ? bytesLeftByList(value, left) : bytesLeftByRecord(value, left);
    default:
      // What has no JSON is null in a list.
      return left - 'null'.length;
  }
}

function bytesLeftByList(list: readonly unknown[], before: number): number {
  let left = before - 2 - Math.max(0, list.length - 1);
  for (const element of list) {
    if (left < 0) return left;
    left = bytesLeft(element, left);
  }
  return left;
}

function bytesLeftByRecord(record: object, before: number): number {
  let left = before - 2;
  let comma = 0;
  for (const [name, value] of Object.entries(record)) {
    if (left < 0) return left;
    if (value === undefined) continue;
    left = bytesLeft(value, bytesLeftByText(name, left - comma) - 1);
    comma = 1;
  }
  return left;
}

/** Quotes, escapes and the units of UTF-16 as they are in UTF-8. */
function bytesLeftByText(text: string, before: number): number {
  let left = before - text.length - 2;
  for (let at = 0; left >= 0 && at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) left -= escapedBy(unit);
    else if (unit < 0x800) left -= 1;
    else if (unit < 0xd800 || unit > 0xdfff) left -= 2;
    else if (unit < 0xdc00 && isLowSurrogate(text.charCodeAt(at + 1))) {
      left -= 2;
      at += 1;
    } else left -= UNICODE_ESCAPE - 1;
  }
  return left;
}

const UNICODE_ESCAPE = '\\u0000'.length;
const SHORT_ESCAPES = '\b\t\n\f\r"\\';

/** Bytes that the escape of an ASCII character has besides the one. */
function escapedBy(unit: number): number {
  if (unit >= 0x20 && unit !== 0x22 && unit !== 0x5c) return 0;
  return (SHORT_ESCAPES.includes(String.fromCharCode(unit)) ? 2 : UNICODE_ESCAPE) - 1;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
