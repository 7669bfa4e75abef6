/**
 * Reading untrusted JSON once, into a checked snapshot: an object has exactly the members it may
 * have, or it is refused.
 */

export type Snapshot = Readonly<Record<string, unknown>>;

/**
 * A copy of the object `value` (each member read once, no prototype), or `null` unless it is a plain
 * object that has every member of `required` and none beside those and `optional`.
 */
export function parseMembers(
  value: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): Snapshot | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  if (entries.length > required.length + optional.length) return null;
  const snapshot: Record<string, unknown> = Object.create(null);
  for (const [member, content] of entries) {
    if (!required.includes(member) && !optional.includes(member)) return null;
    snapshot[member] = content;
  }
  return required.every((member) => member in snapshot) ? snapshot : null;
}

/** A copy of the array `value`, or `null` unless it is an array of `minimum` to `maximum` items. */
export function parseItems(value: unknown, minimum: number, maximum: number): readonly unknown[] | null {
  if (!Array.isArray(value) || value.length < minimum || value.length > maximum) return null;
  return Array.from(value as readonly unknown[]);
}

/** The value of JSON text, or `null` for anything that is not JSON. */
export function parseJson(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Latest time that an RFC 3339 year can name; keeps a time well inside a safe integer. */
const MAX_UNIX_SECONDS = 253_402_300_799;

/** Whether `value` is a time in whole Unix seconds, of the years 1970 to 9999. */
export function isUnixSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_UNIX_SECONDS;
}

/** One member of an object whose value is a string or a number, up to what follows it. */
const FLAT_MEMBER = /\s*"(?:[^"\\]|\\.)*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[-+.\deE]+)\s*([,}])/y;

/**
 * The value of JSON text that is an object of strings and numbers, or `null`. A name that stands there twice is
 * refused, of which a parser keeps the last; what a name means must not depend on who reads it.
 */
export function parseFlatJson(text: string | null): unknown {
  const value = parseJson(text);
  if (text === null || typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  let count = 0;
  let follows: string | undefined = ',';
  FLAT_MEMBER.lastIndex = text.indexOf('{') + 1;
  for (; follows === ','; count += 1) follows = FLAT_MEMBER.exec(text)?.[1];
  return follows === '}' && count === Object.keys(value).length ? value : null;
}
