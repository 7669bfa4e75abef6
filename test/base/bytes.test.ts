import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUint64 } from '../../src/base/index.ts';

describe('Eight bytes of a number', () => {
  test('are those that a BigInt gives', () => {
    const around = [0, 1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER];
    const values = fc.oneof(fc.constantFrom(...around), fc.maxSafeNat());
    fc.assert(
      fc.property(values, (value) => {
        const expected = Buffer.alloc(8);
        expected.writeBigUInt64BE(BigInt(value));
        expect(Buffer.from(encodeUint64(value))).toEqual(expected);
      }),
    );
  });

  test('are refused for what is no safe natural number', () => {
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => encodeUint64(value)).toThrow(RangeError);
    }
  });
});
