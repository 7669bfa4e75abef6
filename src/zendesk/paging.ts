/**
 * Zendesk's two ways of paging (zendesk-api §4). Only cursors and page numbers are followed, never
 * the addresses in `links` or `next_page`, which may name another host. Every walk has a bound.
 */
import type { JsonObject, JsonValue } from '../base/index.ts';
import type { ZendeskResponse } from './client.ts';
import type { ZendeskQuery } from './target.ts';

/** Most records of one page. */
export const MAX_PAGE_SIZE = 100;
/** Records that offset paging reaches (page × per_page). */
export const MAX_OFFSET_RECORDS = 10_000;
/** Records that search reaches (page × per_page). */
export const MAX_SEARCH_RECORDS = 1_000;

const MAX_CURSOR_LENGTH = 2048;

/** What a cursor-paged body says of the next page; `null` when this was the last. */
export function nextCursor(body: JsonObject): string | null {
  const { end, hasMore } = readPageEnd(body);
  return hasMore ? end : null;
}

/** Where a cursor-paged body ends. */
export interface PageEnd {
  /** The cursor of the place after its last record; `null` where none, or none of use, is told. */
  readonly end: string | null;
  /** Whether more records follow. */
  readonly hasMore: boolean;
}

/** Reads `meta` of a cursor-paged body. */
export function readPageEnd(body: JsonObject): PageEnd {
  const meta = objectOf(body['meta']);
  const cursor = meta?.['after_cursor'];
  const isUsable = typeof cursor === 'string' && cursor !== '' && cursor.length <= MAX_CURSOR_LENGTH;
  return { end: isUsable ? cursor : null, hasMore: meta?.['has_more'] === true };
}

/** What an offset-paged body says. */
export interface OffsetPage {
  /** Zendesk's own total, also beyond what can be reached; `null` when not told. */
  readonly count: number | null;
  /** `null` when this was the last page or the next is beyond `cap`. */
  readonly nextPage: number | null;
  /** Whether there are more records than paging can reach. */
  readonly truncated: boolean;
}

/** Reads `count` and `next_page` of the body that page `page` of `perPage` records answered. */
export function readOffsetPage(body: JsonObject, page: number, perPage: number, cap: number): OffsetPage {
  const count = Number.isSafeInteger(body['count']) ? (body['count'] as number) : null;
  const more = typeof body['next_page'] === 'string';
  const reachable = (page + 1) * perPage <= cap;
  return {
    count,
    nextPage: more && reachable ? page + 1 : null,
    truncated: count === null ? more && !reachable : count > Math.floor(cap / perPage) * perPage,
  };
}

/** One page of a cursor-paged list; `more` tells whether another follows. */
export interface CursorPage {
  readonly response: ZendeskResponse;
  readonly more: boolean;
}

/**
 * The pages of a cursor-paged list, at most `maxPages` of them, each asked for by `send` with the
 * query members given to it. When `more` is true on the last page yielded, the bound ended the walk.
 */
export async function* cursorPages(
  send: (query: ZendeskQuery) => Promise<ZendeskResponse>,
  { pageSize = MAX_PAGE_SIZE, maxPages }: { readonly pageSize?: number; readonly maxPages: number },
): AsyncGenerator<CursorPage, void, void> {
  let cursor: string | null = null;
  for (let page = 0; page < maxPages; page += 1) {
    const response = await send({ 'page[size]': pageSize, 'page[after]': cursor ?? undefined });
    const next = response.body === null ? null : nextCursor(response.body);
    // A cursor that does not move would be walked for ever.
    const more = next !== null && next !== cursor;
    yield { response, more };
    if (!more) return;
    cursor = next;
  }
}

function objectOf(value: JsonValue | undefined): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}
