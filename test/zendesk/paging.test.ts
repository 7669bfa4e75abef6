import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/index.ts';
import {
  cursorPages,
  nextCursor,
  readOffsetPage,
  type ZendeskQuery,
  type ZendeskResponse,
} from '../../src/zendesk/index.ts';

const reply = (body: JsonObject): ZendeskResponse => ({
  status: 200,
  body,
  calls: 1,
  servedAt: null,
  idempotencyLookup: null,
  rateLimit: { limit: null, remaining: null, resetsAt: null, endpoints: [] },
});

async function walk(bodies: readonly JsonObject[], maxPages: number) {
  const queries: ZendeskQuery[] = [];
  const seen: boolean[] = [];
  const send = async (query: ZendeskQuery): Promise<ZendeskResponse> => {
    queries.push(query);
    return reply(bodies[queries.length - 1] ?? {});
  };
  for await (const { more } of cursorPages(send, { maxPages })) seen.push(more);
  return { queries, seen };
}

const page = (cursor: string | null, more: boolean): JsonObject => ({
  meta: { has_more: more, after_cursor: cursor },
  links: { next: 'https://evil.test/api/v2/x?page%5Bafter%5D=stolen' },
});

describe('a cursor walk', () => {
  it('follows the cursors to the last page, and never the links', async () => {
    const { queries, seen } = await walk([page('a', true), page('b', true), page(null, false)], 10);
    expect(queries.map((query) => query['page[after]'])).toEqual([undefined, 'a', 'b']);
    expect(seen).toEqual([true, true, false]);
  });

  it('stops at its bound and says that more follows', async () => {
    const { seen } = await walk([page('a', true), page('b', true), page('c', true)], 2);
    expect(seen).toEqual([true, true]);
  });

  it('stops when a cursor does not move', async () => {
    const { seen } = await walk([page('a', true), page('a', true), page('a', true)], 10);
    expect(seen).toEqual([true, false]);
  });

  it.each([
    {},
    { meta: null },
    { meta: [] },
    { meta: { has_more: true } },
    page('', true),
    page('x'.repeat(3000), true),
  ])('ends where the body gives no usable cursor: %j', (body) => {
    expect(nextCursor(body as JsonObject)).toBeNull();
  });
});

describe('an offset page', () => {
  const NEXT = 'https://evil.test/api/v2/x?page=2';
  it.each([
    [{ count: 250, next_page: NEXT }, 1, 100, 1000, { count: 250, nextPage: 2, truncated: false }],
    [{ count: 250, next_page: null }, 3, 100, 1000, { count: 250, nextPage: null, truncated: false }],
    [{ count: 1001, next_page: NEXT }, 10, 100, 1000, { count: 1001, nextPage: null, truncated: true }],
    [{ count: 1000, next_page: null }, 10, 100, 1000, { count: 1000, nextPage: null, truncated: false }],
    [{ count: 995, next_page: NEXT }, 33, 30, 1000, { count: 995, nextPage: null, truncated: true }],
    [{ next_page: NEXT }, 10, 100, 1000, { count: null, nextPage: null, truncated: true }],
    [{ next_page: NEXT }, 1, 100, 1000, { count: null, nextPage: 2, truncated: false }],
    [{}, 1, 100, 1000, { count: null, nextPage: null, truncated: false }],
  ])('%j as page %i of %i under a cap of %i is %j', (body, number, perPage, cap, expected) => {
    expect(readOffsetPage(body as JsonObject, number, perPage, cap)).toEqual(expected);
  });
});
