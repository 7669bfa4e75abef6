/** Relay cursor connections over keyset pages: https://relay.dev/graphql/connections.htm */
import { z } from 'zod';
import { encodeBase64Url, encodeUtf8, parseBase64Url, parseUtf8, type SealdeskError } from '../base/index.ts';
import { invalidInput, parseInput } from './input.ts';

export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 100;
/** The keys of all connections: ids, or indexes of the audit log. */
const KEY = /^[a-z0-9_]{1,64}$/;
const WHOLE = /^(?:0|[1-9]\d{0,14})$/;

export interface Connection<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** One page as a keyset query asks for it: `limit` includes the one row more that tells whether others follow. */
export interface PageRequest {
  readonly size: number;
  readonly limit: number;
  readonly backwards: boolean;
  /** Keys, exclusive. */
  readonly after: string | null;
  readonly before: string | null;
}

/** Untrusted; checked by {@link parsePage}. */
export interface PageInput {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

const count = z.int().min(1, 'must be at least 1').max(MAX_PAGE, `must be at most ${MAX_PAGE}`);
const PageArguments = z.object({
  first: count.nullish(),
  last: count.nullish(),
  after: z.string().max(256).nullish(),
  before: z.string().max(256).nullish(),
});

/** `{first, after}` or `{last, before}`; both directions at once are refused. Default: the first 50. */
export function parsePage(input: PageInput): PageRequest {
  const { first, last, after, before } = parseInput(PageArguments, input);
  if (first != null && last != null) {
    throw invalidInput([{ path: 'last', message: 'cannot be combined with first' }]);
  }
  const size = first ?? last ?? DEFAULT_PAGE;
  return {
    size,
    limit: size + 1,
    backwards: last != null,
    after: after == null ? null : parseCursor(after, 'after'),
    before: before == null ? null : parseCursor(before, 'before'),
  };
}

/** A connection of `rows`, at most `page.limit` of them, in the order of the query (newest first when backwards). */
export function toConnection<Row, Node>(
  rows: readonly Row[],
  page: PageRequest,
  keyOfRow: (row: Row) => string,
  toNode: (row: Row) => Node,
): Connection<Node> {
  const more = rows.length > page.size;
  const shown = rows.slice(0, page.size);
  if (page.backwards) shown.reverse();
  const edges = shown.map((row) => ({ cursor: encodeCursor(keyOfRow(row)), node: toNode(row) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: page.backwards ? page.before !== null : more,
      hasPreviousPage: page.backwards ? more : page.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** The cursor of the object with `key`. */
export function encodeCursor(key: string): string {
  return encodeBase64Url(encodeUtf8(key));
}

/** The key that `cursor` stands for; `path` names it where it is none. Throws VALIDATION_FAILED. */
export function parseCursor(cursor: string, path: string): string {
  const bytes = parseBase64Url(cursor);
  const key = bytes === null ? null : parseUtf8(bytes);
  if (key === null || !KEY.test(key)) throw notACursor(path);
  return key;
}

/** The whole number that a bound of the page stands for, `null` where it has none. Throws VALIDATION_FAILED beyond `max`. */
export function numberKey(
  page: PageRequest,
  bound: 'after' | 'before',
  max = Number.MAX_SAFE_INTEGER,
): number | null {
  const key = page[bound];
  if (key === null) return null;
  if (!WHOLE.test(key) || Number(key) > max) throw notACursor(bound);
  return Number(key);
}

/** VALIDATION_FAILED for the argument at `path`, whose cursor stands for nothing here. */
export function notACursor(path: string): SealdeskError {
  return invalidInput([{ path, message: 'is not a cursor of this connection' }]);
}
