import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSealdeskError } from '../../../src/base/index.ts';
import {
  encodeOffset,
  encodePlace,
  listNameOf,
  MAX_CURSOR_CHARACTERS,
  parseOffset,
  parsePlace,
} from '../../../src/proxy/graph/cursor.ts';

const LIST = listNameOf('int_1', ['tickets', 'type:ticket', 'CREATED_AT', true]);
const place = fc.record({
  start: fc.option(
    fc.string({ unit: fc.constantFrom(...'ABCxyz019+/=-_.|"\\'), minLength: 1, maxLength: 1_000 }),
    { nil: null },
  ),
  offset: fc.nat(100),
  id: fc.nat(Number.MAX_SAFE_INTEGER),
});

/** The code and field of what `parse` throws, else its value. */
function outcomeOf(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    if (!isSealdeskError(error, 'VALIDATION_FAILED')) throw error;
    return error.details.fields?.map(({ path }) => path);
  }
}

describe('a cursor', () => {
  it('names the place that it was made for, in its own list and no other', () => {
    fc.assert(
      fc.property(place, fc.nat(1_000), (one, offset) => {
        const cursor = encodePlace(LIST, one);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(cursor.length).toBeLessThanOrEqual(MAX_CURSOR_CHARACTERS);
        expect(parsePlace(cursor, LIST)).toEqual(one);
        const other = listNameOf('int_2', ['tickets', 'type:ticket', 'CREATED_AT', true]);
        expect(outcomeOf(() => parsePlace(cursor, other))).toEqual(['after']);
        expect(outcomeOf(() => parseOffset(cursor, LIST, 1_000))).toEqual(['after']);
        const numbered = encodeOffset(LIST, offset);
        expect(parseOffset(numbered, LIST, 1_000)).toBe(offset);
        expect(outcomeOf(() => parseOffset(numbered, LIST, offset - 1))).toEqual(['after']);
        expect(outcomeOf(() => parsePlace(numbered, LIST))).toEqual(['after']);
      }),
    );
  });

  it('is refused in every other spelling', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        (text) => {
          expect(outcomeOf(() => parsePlace(text, LIST))).toEqual(['after']);
          expect(outcomeOf(() => parseOffset(text, LIST, 1_000))).toEqual(['after']);
        },
      ),
    );
    const encode = (json: string): string => Buffer.from(json).toString('base64url');
    const valid = encodePlace(LIST, { start: 'abc', offset: 3, id: 7 });
    expect(parsePlace(valid, LIST)).toEqual({ start: 'abc', offset: 3, id: 7 });
    for (const text of [
      `${valid}=`,
      `${valid} `,
      encode(`["${LIST}", 3, 7, "abc"]`),
      encode(`["${LIST}",3.0,7,"abc"]`),
      encode(`["${LIST}",3,7,"abc",null]`),
      encode(`["${LIST}",3,7,null]`),
      encode(`["${LIST}",-1,7]`),
      encode(`["${LIST}",101,7]`),
      encode(`["${LIST}",3,1e300]`),
      encode(`["${LIST}",3,7,""]`),
      encode(`["${LIST}",3,7,"a b"]`),
      encode(`["${LIST}",3,7,"${'a'.repeat(2_049)}"]`),
      encode(`["${LIST}",3,7,"${'a'.repeat(9_000)}"]`),
    ]) {
      expect(outcomeOf(() => parsePlace(text, LIST))).toEqual(['after']);
    }
  });
});

it('refuses a cursor whose place would not fit into a call to Zendesk beside the longest filter', () => {
  const place = (start: string) => encodePlace('list', { start, offset: 0, id: 1 });
  expect(parsePlace(place('a'.repeat(2_048)), 'list').start).toHaveLength(2_048);
  expect(() => parsePlace(place('%'.repeat(2_040)), 'list')).toThrow(
    expect.objectContaining({ code: 'VALIDATION_FAILED' }),
  );
});
