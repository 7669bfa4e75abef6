/**
 * Slices of the lists that Zendesk pages by cursor. Going on after the last record of a page costs one
 * call; after any other record the page is asked for again, long enough to reach behind it, which is
 * one call too unless the slice ends more than 100 records after the page's start.
 */
import { MAX_PAGE_SIZE, ZendeskError } from '../../zendesk/index.ts';
import type { ZendeskRecord } from '../catalogue/records.ts';
import { encodePlace, parsePlace } from './cursor.ts';
import type { SliceRequest } from './list-request.ts';

/** Pages asked for until a slice has a record, where Zendesk sends empty or small ones. */
const MAX_PAGES = 12;

/** One page of Zendesk's. */
export interface ZendeskPage {
  readonly records: readonly ZendeskRecord[];
  /** Zendesk's cursor of the place after the last record; `null` where it tells none. */
  readonly end: string | null;
  /** Whether more records follow. */
  readonly hasMore: boolean;
}

/** Records with the cursors of their edges. */
export interface RecordSlice {
  readonly records: readonly { readonly cursor: string; readonly record: ZendeskRecord }[];
  readonly hasNextPage: boolean;
  readonly truncated: boolean;
  readonly totalCount: number | null;
}

/** The slice of `listName` that `request` asks for. `load` gets at most 100 records after a place of Zendesk's. */
export async function readCursorSlice(
  listName: string,
  { first, after }: SliceRequest,
  load: (start: string | null, size: number) => Promise<ZendeskPage>,
): Promise<RecordSlice> {
  const place = after === null ? null : parsePlace(after, listName);
  let start = place?.start ?? null;
  /** Records that come before the place, as long as it has not been reached. */
  let before = place?.offset ?? 0;
  let page = await load(start, Math.min(MAX_PAGE_SIZE, before + first));
  const taken: RecordSlice['records'][number][] = [];
  for (let pages = 1; ; pages += 1) {
    // Behind the record that the place names, if it is still there, else where it was, be it beyond the
    // page: with it gone, the one after it has moved up by one.
    const known = before === 0 ? -1 : page.records.findIndex(({ id }) => id === place?.id);
    let index = known < 0 ? Math.min(before, page.records.length) : known + 1;
    if (known < 0 && before > 0 && before <= page.records.length) index -= 1;
    before = known < 0 ? Math.max(0, before - page.records.length) : 0;
    for (; index < page.records.length && taken.length < first; index += 1) {
      const record = page.records[index];
      if (record === undefined) break;
      const isEnd = index === page.records.length - 1 && page.end !== null;
      const next = isEnd ? { start: page.end, offset: 0 } : { start, offset: index + 1 };
      taken.push({ record, cursor: encodePlace(listName, { ...next, id: record.id }) });
    }
    const isOver = !page.hasMore || page.end === null || page.end === start;
    const hasNextPage = index < page.records.length || !isOver;
    const isEnough = taken.length === first || (taken.length > 0 && pages > 1);
    if (taken.length === 0 && !isOver && pages >= MAX_PAGES) throw onlyEmptyPages();
    if (isOver || isEnough || pages >= MAX_PAGES) {
      return { records: taken, hasNextPage, truncated: false, totalCount: null };
    }
    start = page.end;
    page = await load(start, Math.min(MAX_PAGE_SIZE, before + first - taken.length));
  }
}

/** Without an edge there is no cursor to go on from. */
function onlyEmptyPages(): ZendeskError {
  return new ZendeskError(
    'UPSTREAM_UNAVAILABLE',
    `Zendesk sent ${MAX_PAGES} pages of this list without a record and says that more follow. Try again later.`,
    { failure: 'UNUSABLE' },
  );
}
