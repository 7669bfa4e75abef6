/**
 * Cursors of the change feed: a place in one stream, as clients keep it. A cursor names what its holder
 * has seen: the entries after it are those with greater sequences. It is no secret and proves nothing; what
 * comes after it is proven by the envelopes, which sign stream and sequence themselves.
 */
import { encodeBase64Url, encodeUtf8, parseBase64Url, parseUtf8 } from './bytes.ts';
import { isId } from './ids.ts';

/** A place in a stream. */
export interface FeedPlace {
  /** `int_…/key_…`: the integration, and the first key of the recipient's lineage. */
  readonly stream: string;
  /** The last entry before the place; 0 before the first one. */
  readonly sequence: number;
}

const PLACE = /^([a-z]+_[0-9a-z]{26}\/[a-z]+_[0-9a-z]{26}):(0|[1-9]\d{0,15})$/;
const MAX_CURSOR_CHARACTERS = 128;

/** `{integrationId}/{lineageId}`, the name of a stream. */
export function streamName(integrationId: string, lineageId: string): string {
  return `${integrationId}/${lineageId}`;
}

/** The cursor text: base64url of `{stream}:{sequence}`. */
export function encodeFeedCursor({ stream, sequence }: FeedPlace): string {
  return encodeBase64Url(encodeUtf8(`${stream}:${sequence}`));
}

/** The place that `text` names, or `null` unless it is exactly what {@link encodeFeedCursor} writes. */
export function parseFeedCursor(text: unknown): FeedPlace | null {
  if (typeof text !== 'string' || text.length > MAX_CURSOR_CHARACTERS) return null;
  const bytes = parseBase64Url(text);
  const match = bytes === null ? null : PLACE.exec(parseUtf8(bytes) ?? '');
  const [, stream = '', digits = ''] = match ?? [];
  const [integrationId, lineageId] = stream.split('/');
  const sequence = Number(digits);
  const isPlace =
    isId('integration', integrationId) && isId('clientKey', lineageId) && Number.isSafeInteger(sequence);
  return isPlace ? { stream, sequence } : null;
}
