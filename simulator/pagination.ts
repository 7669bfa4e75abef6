/**
 * Zendesk's two paginations over rows in memory. Cursors hold the sort key and id of the row at the page's
 * edge (opaque to callers), so that rows added or changed between two pages move nobody else's place.
 */
import type { Call } from './call.ts';
import { invalidAttribute, listed, Refusal } from './reply.ts';

export const MAX_PAGE_SIZE = 100;
/** Offset pagination ends here: page × per_page. */
export const MAX_OFFSET_RECORDS = 10_000;

type Key = number | string;

export interface Order<T> {
  /** Name used in `sort=`, part of the cursor. */
  readonly name: string;
  readonly descending: boolean;
  readonly key: (row: T) => Key;
  readonly id: (row: T) => number;
}

export const compareRows =
  <T>(order: Order<T>) =>
  (a: T, b: T): number => {
    const left = order.key(a);
    const right = order.key(b);
    const byKey = left < right ? -1 : left > right ? 1 : order.id(a) - order.id(b);
    return order.descending ? -byKey : byKey;
  };

const paginationError = (detail: string): Refusal =>
  new Refusal(listed(400, 'InvalidPaginationParameter', 'Invalid pagination parameter', detail));

export const invalidSort = (): Refusal => paginationError('sort is not valid');

export const wantsCursor = (query: URLSearchParams): boolean =>
  query.has('page[size]') || query.has('page[after]') || query.has('page[before]');

interface CursorPosition {
  readonly order: string;
  readonly key: Key;
  readonly id: number;
  /** Milliseconds; only in cursors that expire. */
  readonly issuedAt: number | null;
}

const encodeCursor = (position: CursorPosition): string =>
  Buffer.from(JSON.stringify([position.order, position.key, position.id, position.issuedAt])).toString(
    'base64',
  );

const parseCursor = (text: string, name: string): CursorPosition => {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
    if (Array.isArray(value) && value.length === 4) {
      const [order, key, id, issuedAt] = value as readonly unknown[];
      const keyed = typeof key === 'string' || typeof key === 'number';
      if (typeof order === 'string' && keyed && typeof id === 'number') {
        return { order, key, id, issuedAt: typeof issuedAt === 'number' ? issuedAt : null };
      }
    }
  } catch {
    // Falls through to the one answer for every malformed cursor.
  }
  throw paginationError(`page[${name}] is not valid`);
};

export interface Page<T> {
  readonly rows: readonly T[];
  /** `meta` and `links` of the answer. */
  readonly fields: Record<string, unknown>;
}

export interface CursorOptions {
  readonly maxSize?: number;
  /** Milliseconds a cursor lives; with `now`. */
  readonly lifetime?: number;
  readonly now?: number;
  /** search/export never links back. */
  readonly forwardOnly?: boolean;
}

const linkTo = (call: Call, changes: Readonly<Record<string, string>>): string => {
  const query = new URLSearchParams();
  for (const [name, value] of call.query) {
    if (name !== 'page[after]' && name !== 'page[before]' && name !== 'page') query.append(name, value);
  }
  for (const [name, value] of Object.entries(changes)) query.set(name, value);
  return `${call.origin}${call.path}.json?${query.toString()}`;
};

/** `rows` must be sorted by `order`. */
export const pageByCursor = <T>(
  call: Call,
  rows: readonly T[],
  order: Order<T>,
  options: CursorOptions = {},
): Page<T> => {
  const maxSize = options.maxSize ?? MAX_PAGE_SIZE;
  const sizeText = call.query.get('page[size]') ?? String(MAX_PAGE_SIZE);
  const size = Number(sizeText);
  if (!/^\d+$/.test(sizeText) || size < 1)
    throw invalidAttribute('page.size', 'must be an integer', call.path.slice(8));
  if (size > maxSize) throw paginationError(`page[size] must be at most ${maxSize}`);
  const after = call.query.get('page[after]');
  const before = call.query.get('page[before]');
  const name = order.descending ? `-${order.name}` : order.name;
  const compare = compareRows(order);
  const locate = (text: string, side: 'after' | 'before'): number => {
    const position = parseCursor(text, side);
    if (position.order !== name) throw paginationError(`page[${side}] is not valid`);
    if (options.lifetime !== undefined && (position.issuedAt ?? 0) + options.lifetime <= (options.now ?? 0)) {
      throw paginationError(`page[${side}] has expired`);
    }
    const compareTo = (row: T): number => {
      const key = order.key(row);
      const byKey = key < position.key ? -1 : key > position.key ? 1 : order.id(row) - position.id;
      return order.descending ? -byKey : byKey;
    };
    // First row not before the cursor's (after: strictly behind it).
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = rows[middle];
      if (row === undefined) break;
      const relation = compareTo(row);
      if (relation < 0 || (side === 'after' && relation === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  let start = 0;
  let end: number;
  if (before !== null && after === null) {
    end = locate(before, 'before');
    start = Math.max(0, end - size);
  } else {
    if (after !== null) start = locate(after, 'after');
    end = Math.min(rows.length, start + size);
  }
  const page = rows.slice(start, end).sort(compare);
  const first = page[0];
  const last = page.at(-1);
  const issuedAt = options.lifetime === undefined ? null : (options.now ?? 0);
  const cursorAt = (row: T): string =>
    encodeCursor({ order: name, key: order.key(row), id: order.id(row), issuedAt });
  const afterCursor = last === undefined ? null : cursorAt(last);
  const beforeCursor = first === undefined || options.forwardOnly ? null : cursorAt(first);
  const hasMore = before !== null && after === null ? start > 0 : end < rows.length;
  return {
    rows: page,
    fields: {
      meta: { has_more: hasMore, after_cursor: afterCursor, before_cursor: beforeCursor },
      links: {
        prev: beforeCursor === null ? null : linkTo(call, { 'page[before]': beforeCursor }),
        next: afterCursor === null ? null : linkTo(call, { 'page[after]': afterCursor }),
      },
    },
  };
};

/** The page number and size asked for; over the hard stop it is refused unless `cap` is null. */
export const offsetOf = (call: Call, cap: number | null): { page: number; perPage: number } => {
  const action = call.path.slice(8);
  const pageText = call.query.get('page') ?? '1';
  const perPageText = call.query.get('per_page') ?? String(MAX_PAGE_SIZE);
  if (!/^\d+$/.test(pageText)) throw invalidAttribute('page', 'must be an integer', action);
  if (!/^\d+$/.test(perPageText)) throw invalidAttribute('per_page', 'must be an integer', action);
  const page = Math.max(1, Number(pageText));
  const perPage = Math.min(MAX_PAGE_SIZE, Math.max(1, Number(perPageText)));
  if (cap !== null && (page > 100 || page * perPage > cap)) {
    throw new Refusal(
      listed(
        400,
        'InvalidPaginationDepth',
        'Pagination requests using Offset Pagination are limited to page 100 or up to 10000 records (page * per_page)',
        'There are limits to the page depth in Offset Pagination. Use Cursor Pagination to read further.',
      ),
    );
  }
  return { page, perPage };
};

/** `next_page` may point past the cap, as Zendesk's does. */
export const pageByOffset = <T>(
  call: Call,
  rows: readonly T[],
  cap: number | null = MAX_OFFSET_RECORDS,
): Page<T> => {
  const { page, perPage } = offsetOf(call, cap);
  const start = (page - 1) * perPage;
  const link = (number: number): string => linkTo(call, { page: String(number), per_page: String(perPage) });
  return {
    rows: rows.slice(start, start + perPage),
    fields: {
      count: rows.length,
      next_page: start + perPage < rows.length ? link(page + 1) : null,
      previous_page: page > 1 ? link(page - 1) : null,
    },
  };
};
