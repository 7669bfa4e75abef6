/** Results are counted to the byte before they are written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '../../src/base/index.ts';
import { encodeJsonWithin } from '../../src/server/graphql/result-text.ts';

const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud800', '\udc00\ud800', '"\\\n\u0001'),
);
const { value: results } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(texts, fc.double(), fc.integer(), fc.boolean(), fc.constantFrom(null, undefined, -0), fc.date()),
    fc.array(tie('value')),
    fc.dictionary(texts, tie('value')),
  ),
}));

describe('the text of a result', () => {
  it('is its JSON where that has as many bytes as are allowed, and none where it has one more', () => {
    fc.assert(
      fc.property(results, (value) => {
        const result = { value };
        const json = JSON.stringify(result);
        const bytes = encodeUtf8(json).length;
        expect(encodeJsonWithin(result, bytes)).toBe(json);
        expect(encodeJsonWithin(result, bytes - 1)).toBeNull();
      }),
      { numRuns: 1_000 },
    );
  });

  it('is not made of what repeats one text until no string could hold it', () => {
    const long = 'x'.repeat(2 ** 20);
    const read: number[] = [];
    const result = Array.from({ length: 1_000 }, (_, at) => ({
      toJSON: () => {
        read.push(at);
        return long;
      },
    }));
    expect(encodeJsonWithin(result, 8 * 2 ** 20)).toBeNull();
    expect(read).toHaveLength(8);
  });

  it('throws where there is none', () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => encodeJsonWithin(circle, 8 * 2 ** 20)).toThrow();
    expect(() => encodeJsonWithin({ big: 1n }, 100)).toThrow(TypeError);
  });
});
