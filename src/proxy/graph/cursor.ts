/**
 * Cursors of the typed graph's lists: opaque to clients, bound to one list, and good for every edge,
 * since Zendesk gives cursors for the ends of pages only. A cursor holds ids and Zendesk's own cursors,
 * no text; it is no secret and grants nothing, so it carries no signature: what it names is asked of
 * Zendesk anew, under the rights of whoever sends it.
 */
import { createHash } from 'node:crypto';
import {
  encodeBase64Url,
  encodeCanonicalJson,
  encodeUtf8,
  type JsonValue,
  parseBase64Url,
  parseUtf8,
  SealdeskError,
} from '../../base/index.ts';

/** Longest cursor, in characters; Zendesk's own within it has at most 2 048. */
export const MAX_CURSOR_CHARACTERS = 4_096;
const MAX_START_CHARACTERS = 2_048;
/** Records of one page: no edge is farther from its page's start. */
const MAX_OFFSET_IN_PAGE = 100;
/** The same as a query holds it: with the longest filter it has to fit into the target of a call. */
const MAX_ENCODED_START_CHARACTERS = 3_072;
const LIST_HASH_BYTES = 12;
/** Changes with the form of cursors or of lists. */
const VERSION = 1;
const PRINTABLE = /^[\x21-\x7e]+$/;

/** After which record of a list that Zendesk pages by cursor. */
export interface CursorPlace {
  /** Zendesk's cursor of the place that the page began after; `null` for the beginning of the list. */
  readonly start: string | null;
  /** How many records of that page come before the place, 0 to 100. */
  readonly offset: number;
  /** The record before the place: where the list has moved meanwhile, it tells how far. */
  readonly id: number;
}

/** The name of one list, to bind its cursors to: what the list is of, its filter and its sort. */
export function listNameOf(integrationId: string, list: JsonValue): string {
  const bytes = encodeCanonicalJson([VERSION, integrationId, list]);
  return encodeBase64Url(createHash('sha256').update(bytes).digest().subarray(0, LIST_HASH_BYTES));
}

export function encodePlace(listName: string, { start, offset, id }: CursorPlace): string {
  return encode(start === null ? [listName, offset, id] : [listName, offset, id, start]);
}

/** The place that `text` names in the list. Throws VALIDATION_FAILED naming `after`. */
export function parsePlace(text: string, listName: string): CursorPlace {
  const [name, offset, id, start = null, ...rest] = decode(text);
  if (
    rest.length > 0 ||
    name !== listName ||
    !isCount(offset, MAX_OFFSET_IN_PAGE) ||
    !isCount(id, Number.MAX_SAFE_INTEGER) ||
    !(start === null || isStart(start))
  ) {
    throw notACursor();
  }
  const place: CursorPlace = { start, offset, id };
  return canonical(text, encodePlace(listName, place), place);
}

/** A place in a list that Zendesk pages by number: how many records come before it. */
export function encodeOffset(listName: string, offset: number): string {
  return encode([listName, offset]);
}

/** The offset, at most `max`, that `text` names in the list. Throws VALIDATION_FAILED naming `after`. */
export function parseOffset(text: string, listName: string, max: number): number {
  const [name, offset, ...rest] = decode(text);
  if (rest.length > 0 || name !== listName || !isCount(offset, max)) throw notACursor();
  return canonical(text, encodeOffset(listName, offset), offset);
}

function encode(members: readonly JsonValue[]): string {
  return encodeBase64Url(encodeUtf8(JSON.stringify(members)));
}

function decode(text: string): readonly unknown[] {
  if (text.length > MAX_CURSOR_CHARACTERS) throw notACursor();
  const bytes = parseBase64Url(text);
  const json = bytes === null ? null : parseUtf8(bytes);
  if (json === null) throw notACursor();
  try {
    const members: unknown = JSON.parse(json);
    if (Array.isArray(members)) return members;
  } catch {
    // Refused below, as anything else that is no cursor.
  }
  throw notACursor();
}

/** Only what we would have written ourselves is a cursor. */
function canonical<Place>(text: string, encoded: string, place: Place): Place {
  if (text !== encoded) throw notACursor();
  return place;
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max;
}

function isStart(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length <= MAX_START_CHARACTERS &&
    PRINTABLE.test(value) &&
    encodeURIComponent(value).length <= MAX_ENCODED_START_CHARACTERS
  );
}

function notACursor(): SealdeskError {
  const message = 'is not a cursor of this connection';
  return new SealdeskError(
    'VALIDATION_FAILED',
    `The argument after ${message}. Use endCursor of the page before, with the same arguments.`,
    { fields: [{ path: 'after', message }] },
  );
}
