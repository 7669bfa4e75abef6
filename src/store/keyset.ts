/** Pages by key: the rows on one side of a known id, in the order of ids, which is that of creation. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';

/** The largest page; one more may be asked for, to see whether another page follows. */
export const MAX_KEYSET_PAGE = 100;

export interface KeysetPage {
  /** Only rows with a greater id. */
  readonly after?: string | null | undefined;
  /** Only rows with a smaller id. */
  readonly before?: string | null | undefined;
  /** Newest first, from the end of what the bounds leave; otherwise oldest first, from its start. */
  readonly backwards?: boolean | undefined;
  /** 1 to {@link MAX_KEYSET_PAGE} + 1. */
  readonly limit: number;
}

/** What a page adds to a query over a table with the column `id`. */
export interface KeysetClauses {
  readonly within: RawBuilder<SqlBool>;
  readonly order: 'asc' | 'desc';
  readonly limit: number;
}

/** Throws RangeError for a limit out of bounds. */
export function clausesOf(page: KeysetPage): KeysetClauses {
  const { after = null, before = null, backwards = false, limit } = page;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_KEYSET_PAGE + 1) {
    throw new RangeError(`"limit" must be 1 to ${MAX_KEYSET_PAGE + 1}, got ${limit}`);
  }
  const above = after === null ? sql<SqlBool>`true` : sql<SqlBool>`id > ${after}`;
  const below = before === null ? sql<SqlBool>`true` : sql<SqlBool>`id < ${before}`;
  return { within: sql<SqlBool>`${above} AND ${below}`, order: backwards ? 'desc' : 'asc', limit };
}
