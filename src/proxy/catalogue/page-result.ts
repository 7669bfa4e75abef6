/** How a list result tells what follows it. */
import { z } from 'zod';
import type { OffsetPage } from '../../zendesk/index.ts';

export const pageResult = z.strictObject({
  /** Whether a further page can be asked for. */
  has_more: z.boolean(),
  /** For `page`; `null` on the last page and in a cursor walk. */
  next_page: z.number().nullable(),
  /** For `cursor`; `null` at the end and in a walk by page numbers. */
  next_cursor: z.string().nullable(),
  /** Whether more records match than page numbers can reach: narrow the filters, or walk by cursor. */
  truncated: z.boolean(),
});
export type PageResult = z.infer<typeof pageResult>;

export function pageOfOffset(page: OffsetPage): PageResult {
  return {
    has_more: page.nextPage !== null,
    next_page: page.nextPage,
    next_cursor: null,
    truncated: page.truncated,
  };
}

export function pageOfCursor(cursor: string | null): PageResult {
  return { has_more: cursor !== null, next_page: null, next_cursor: cursor, truncated: false };
}
