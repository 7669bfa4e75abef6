/** Reading JSON objects of which only the RFC 8785 canonical form is accepted. */
import { encodeCanonicalJson, type JsonValue, parseUtf8 } from '../base/index.ts';

/** Objects and lists within one another in what is read here; no event and no line of a bundle comes near. */
export const MAX_NESTING = 16;

export type Members = Readonly<Record<string, unknown>>;

/** The object in `text`, or `null` unless it is canonical JSON of an object, nested no deeper than {@link MAX_NESTING}. */
export function parseCanonicalObject(text: string): Members | null {
  if (!text.startsWith('{')) return null;
  try {
    const value: Members = JSON.parse(text);
    if (isNestedDeeper(value, MAX_NESTING)) return null;
    return isPlainlyCanonical(value, text) || isCanonical(value, text) ? value : null;
  } catch {
    return null;
  }
}

/**
 * RFC 8785 §3.2 writes values as `JSON.stringify` does and sorts the members, so that text which that gives
 * back, its members sorted, is canonical. What this does not see at once (members that are numbers, which
 * JavaScript sorts by itself, and halves of characters) is left to the whole algorithm, which takes three times
 * as long for an event.
 */
function isPlainlyCanonical(value: unknown, text: string): boolean {
  return !text.includes('\\ud') && isSorted(value) && JSON.stringify(value) === text;
}

function isCanonical(value: unknown, text: string): boolean {
  return parseUtf8(encodeCanonicalJson(value as JsonValue)) === text;
}

function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isSorted);
  let last: string | undefined;
  for (const [name, member] of Object.entries(value)) {
    if ((last !== undefined && last >= name) || !isSorted(member)) return false;
    last = name;
  }
  return true;
}

function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isNestedDeeper(item, levels - 1));
}
