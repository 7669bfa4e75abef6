import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCursorSlice, type ZendeskPage } from '../../../src/proxy/graph/cursor-list.ts';

/** Records 1 to `total` behind cursors that name the record before, in pages of at most `maxSize`. */
function listOf(total: number, { maxSize = 100, tellsLastEnd = true, emptyEvery = 0 } = {}) {
  let calls = 0;
  const load = async (start: string | null, size: number): Promise<ZendeskPage> => {
    calls += 1;
    const from = start === null ? 0 : Number(start);
    const isEmpty = emptyEvery > 0 && calls % emptyEvery === 0 && from < total;
    const length = isEmpty ? 0 : Math.max(0, Math.min(size, maxSize, total - from));
    const end = from + length;
    const hasMore = end < total;
    // An empty page in the middle still moves on, as one of records that may not be seen does.
    const cursor = isEmpty ? `${from}.${'0'.repeat(calls)}` : String(end);
    return {
      records: Array.from({ length }, (_, index) => ({ id: from + index + 1 })),
      end: hasMore || tellsLastEnd ? cursor : null,
      hasMore,
    };
  };
  return { load, calls: () => calls };
}

async function walk(list: ReturnType<typeof listOf>, sizes: readonly number[], edge = 0): Promise<number[]> {
  const ids: number[] = [];
  let after: string | null = null;
  for (let step = 0; step < 1_000; step += 1) {
    const slice = await readCursorSlice('list', { first: sizes[step % sizes.length] ?? 1, after }, list.load);
    // Going on after an edge before the last one gives the rest again.
    const kept =
      edge === 0 ? slice.records : slice.records.slice(0, Math.max(1, slice.records.length - edge));
    ids.push(...kept.map(({ record }) => record.id));
    if (!slice.hasNextPage && kept.length === slice.records.length) return ids;
    after = kept.at(-1)?.cursor ?? after;
  }
  throw new Error('the walk does not end');
}

describe('slices of a list that is paged by cursor', () => {
  it('meet every record once and in order, whatever the page sizes, edges and moods of the list', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 260 }),
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }),
        fc.nat(3),
        fc.record({
          maxSize: fc.constantFrom(100, 100, 37, 10),
          tellsLastEnd: fc.boolean(),
          emptyEvery: fc.constantFrom(0, 0, 2, 3),
        }),
        async (total, sizes, edge, moods) => {
          const ids = await walk(listOf(total, moods), sizes, edge);
          expect(ids).toEqual(Array.from({ length: total }, (_, index) => index + 1));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('cost one call after the last edge, and at most two after any other', async () => {
    for (const first of [1, 10, 60, 100]) {
      const { records } = await readCursorSlice('list', { first, after: null }, listOf(400).load);
      for (const [index, { cursor }] of records.entries()) {
        const list = listOf(400);
        const next = await readCursorSlice('list', { first, after: cursor }, list.load);
        expect(next.records.map(({ record }) => record.id)).toEqual(
          Array.from({ length: first }, (_, offset) => index + 2 + offset),
        );
        const isLast = index === records.length - 1;
        expect(list.calls()).toBeLessThanOrEqual(isLast || index + 1 + first <= 100 ? 1 : 2);
      }
    }
  });

  it('find their place where pages have become smaller than they were', async () => {
    const { records } = await readCursorSlice('list', { first: 80, after: null }, listOf(400).load);
    const list = listOf(400, { maxSize: 10 });
    const next = await readCursorSlice('list', { first: 5, after: records[70]?.cursor ?? null }, list.load);
    expect(next.records.map(({ record }) => record.id)).toEqual([72, 73, 74, 75, 76]);
  });

  it('leave no record out where the one that the place names is gone, nor where others before it are', async () => {
    const listed = (ids: readonly number[]) => async (_start: string | null, size: number) => ({
      records: ids.slice(0, size).map((id) => ({ id })),
      end: null,
      hasMore: ids.length > size,
    });
    const { records } = await readCursorSlice(
      'list',
      { first: 7, after: null },
      listed([1, 2, 3, 4, 5, 6, 7, 8]),
    );
    const after = records[2]?.cursor ?? null;
    const goOn = async (ids: readonly number[]) =>
      (await readCursorSlice('list', { first: 2, after }, listed(ids))).records.map(
        ({ record }) => record.id,
      );
    expect(await goOn([1, 2, 4, 5, 6, 7, 8])).toEqual([4, 5]);
    expect(await goOn([2, 3, 4, 5, 6, 7, 8])).toEqual([4, 5]);
  });

  it('fail for now where page after page is empty, rather than tell of a next page without a cursor', async () => {
    let calls = 0;
    const load = async (): Promise<ZendeskPage> => {
      calls += 1;
      return { records: [], end: `c${calls}`, hasMore: true };
    };
    await expect(readCursorSlice('list', { first: 5, after: null }, load)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryable: true,
    });
    expect(calls).toBe(12);
  });
});
