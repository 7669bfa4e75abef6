import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planPages, readNumberedSlice } from '../../../src/proxy/graph/offset-list.ts';

const range = fc
  .tuple(fc.constantFrom(1_000, 10_000), fc.integer({ min: 1, max: 100 }), fc.nat())
  .map(([cap, length, at]) => ({ cap, length, offset: at % (cap - length + 1) }));

describe('numbered pages', () => {
  it('hold every range within the cap, in at most two pages', () => {
    fc.assert(
      fc.property(range, ({ cap, length, offset }) => {
        const { size, pages } = planPages(offset, length, cap);
        const [first = 0, last = first] = pages;
        expect(pages.length).toBeLessThanOrEqual(2);
        expect(pages.length === 1 || last === first + 1).toBe(true);
        expect(size).toBeGreaterThanOrEqual(1);
        expect(size).toBeLessThanOrEqual(100);
        expect((first - 1) * size).toBeLessThanOrEqual(offset);
        expect(last * size).toBeGreaterThanOrEqual(offset + length);
        expect(last * size).toBeLessThanOrEqual(cap);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are one where slices of one size follow each other', () => {
    for (let size = 1; size <= 100; size += 1) {
      for (let offset = 0; offset + size <= 1_000; offset += size) {
        expect(planPages(offset, size, 1_000)).toEqual({ size, pages: [offset / size + 1] });
      }
    }
  });

  it('of other things are passed over, to an end or to what belongs to the list', async () => {
    const list = (total: number, firstOwn: number) => ({
      name: 'list',
      cap: 1_000,
      holds: ({ id }: { readonly id: number }) => id >= firstOwn,
      load: async (page: number, size: number) => ({
        records: Array.from(
          { length: Math.min(size, Math.max(0, total - (page - 1) * size)) },
          (_, index) => ({
            id: (page - 1) * size + index,
          }),
        ),
        count: total,
        hasMore: page * size < total,
      }),
    });
    const found = await readNumberedSlice(list(400, 350), { first: 3, after: null });
    expect(found.records.map(({ record }) => record.id)).toEqual([350, 351, 352]);
    expect(found.hasNextPage).toBe(true);
    const next = await readNumberedSlice(list(400, 350), {
      first: 100,
      after: found.records.at(-1)?.cursor ?? null,
    });
    expect(next.records[0]?.record.id).toBe(353);
    expect(next).toMatchObject({ hasNextPage: false, totalCount: 400 });
    const none = await readNumberedSlice(list(400, 400), { first: 3, after: null });
    expect(none).toMatchObject({ records: [], hasNextPage: false });
    const empty = await readNumberedSlice(
      { ...list(0, 0), load: async () => ({ records: [], count: 5, hasMore: true }) },
      { first: 3, after: null },
    );
    expect(empty).toMatchObject({ records: [], hasNextPage: false, totalCount: 5 });
  });
});
