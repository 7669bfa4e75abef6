/**
 * Slices of the lists that Zendesk pages by number: search, and the search of users. A slice costs one
 * call where some page holds all of it (always, when slices of one size follow each other), else two.
 */
import { MAX_PAGE_SIZE } from '../../zendesk/index.ts';
import type { ZendeskRecord } from '../catalogue/records.ts';
import { encodeOffset, parseOffset } from './cursor.ts';
import type { RecordSlice } from './cursor-list.ts';
import type { SliceRequest } from './list-request.ts';

/** One page of Zendesk's. */
export interface NumberedPage {
  readonly records: readonly ZendeskRecord[];
  /** Zendesk's own total, also beyond what it answers; `null` where it tells none. */
  readonly count: number | null;
  /** Whether Zendesk names a next page. */
  readonly hasMore: boolean;
}

export interface NumberedList {
  readonly name: string;
  /** Records that Zendesk answers at most. */
  readonly cap: number;
  /** Whether a record belongs to the list; what does not is left out. */
  readonly holds: (record: ZendeskRecord) => boolean;
  /** Page `page` (from 1) of `size` records (at most 100). */
  readonly load: (page: number, size: number) => Promise<NumberedPage>;
}

/** The slice of the list that `request` asks for. */
export async function readNumberedSlice(
  list: NumberedList,
  { first, after }: SliceRequest,
): Promise<RecordSlice> {
  let offset = after === null ? 0 : parseOffset(after, list.name, list.cap);
  let wanted = first;
  for (;;) {
    const slice = await readRange(list, offset, Math.min(wanted, list.cap - offset));
    const records = slice.records.filter(({ record }) => list.holds(record)).slice(0, first);
    const isCut = records.length === first && records.at(-1)?.cursor !== slice.records.at(-1)?.cursor;
    const hasNextPage = slice.hasNextPage || isCut;
    // An edge is what leads on: where none of the records belongs to the list, the next ones are looked at.
    if (records.length > 0 || !hasNextPage) return { ...slice, records, hasNextPage };
    offset += Math.max(1, slice.records.length);
    wanted = MAX_PAGE_SIZE;
  }
}

async function readRange(list: NumberedList, offset: number, length: number): Promise<RecordSlice> {
  const { name, cap } = list;
  // Beyond the cap nothing is answered; one record is asked for all the same, to learn the count.
  const plan = planPages(length === 0 ? 0 : offset, Math.max(1, length), cap);
  const pages = await Promise.all(plan.pages.map((page) => list.load(page, plan.size)));
  const begin = ((plan.pages[0] ?? 1) - 1) * plan.size;
  const records = pages
    .flatMap((page) => page.records)
    .map((record, index) => ({ record, offset: begin + index }))
    .filter((one) => one.offset >= offset && one.offset < offset + length)
    .map(({ record, offset: before }) => ({ record, cursor: encodeOffset(name, before + 1) }));
  const last = pages.at(-1);
  const count = last?.count ?? null;
  const end = offset + length;
  const seen = begin + pages.reduce((sum, page) => sum + page.records.length, 0);
  const follows = count === null ? seen > end || last?.hasMore === true : count > end;
  return {
    records,
    // Where nothing comes although something is counted, asking on would lead nowhere.
    hasNextPage: follows && end < cap && records.length > 0,
    truncated: count === null ? follows && end >= cap : count > cap,
    totalCount: count,
  };
}

/**
 * The smallest pages, of one size, that hold records `offset` to `offset + length` and end within
 * `cap`: one, or two that follow each other. `length` from 1 to 100, `offset + length` at most `cap`,
 * which is a multiple of 100.
 */
export function planPages(
  offset: number,
  length: number,
  cap: number,
): { readonly size: number; readonly pages: readonly number[] } {
  for (let size = length; size <= MAX_PAGE_SIZE; size += 1) {
    const page = Math.floor(offset / size);
    if ((page + 1) * size >= offset + length && (page + 1) * size <= cap) return { size, pages: [page + 1] };
  }
  for (let size = length; size < MAX_PAGE_SIZE; size += 1) {
    const page = Math.floor(offset / size);
    if ((page + 2) * size <= cap) return { size, pages: [page + 1, page + 2] };
  }
  const page = Math.floor(offset / MAX_PAGE_SIZE);
  return { size: MAX_PAGE_SIZE, pages: [page + 1, page + 2] };
}
