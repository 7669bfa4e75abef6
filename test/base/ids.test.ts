import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createId, createUuid, isId, kindOfId } from '../../src/base/index.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

/** The 128 bits of the id, read digit by digit. */
function bitsOf(id: string): bigint {
  return [...id.slice(id.indexOf('_') + 1)].reduce(
    (bits, digit) => bits * 32n + BigInt(ALPHABET.indexOf(digit)),
    0n,
  );
}

/** Version, variant and time of a UUID (RFC 9562 §5.7). */
function partsOf(bits: bigint): {
  readonly version: bigint;
  readonly variant: bigint;
  readonly time: number;
} {
  return { version: (bits >> 76n) & 15n, variant: (bits >> 62n) & 3n, time: Number(bits >> 80n) };
}

describe('An id', () => {
  test('is of its kind, and a UUIDv7 of its time', () => {
    fc.assert(
      fc.property(time, fc.constantFrom('tenant', 'auditEvent', 'clientKey'), (now, kind) => {
        const id = createId(kind, now);
        expect(isId(kind, id)).toBe(true);
        expect(kindOfId(id)).toBe(kind);
        expect(partsOf(bitsOf(id))).toEqual({ version: 7n, variant: 2n, time: now });
      }),
    );
  });

  test('is no other’s, and stays what it was while others are made', () => {
    const made = Array.from({ length: 2_000 }, () => createId('tenant', 0));
    expect(new Set(made.map(bitsOf)).size).toBe(made.length);
  });
});

describe('A UUID', () => {
  test('is of version 7 and its time, written in groups', () => {
    fc.assert(
      fc.property(time, (now) => {
        const uuid = createUuid(now);
        expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        const bits = BigInt(`0x${uuid.replaceAll('-', '')}`);
        expect(partsOf(bits)).toEqual({ version: 7n, variant: 2n, time: now });
      }),
    );
  });

  test('comes after those of before', () => {
    fc.assert(
      fc.property(fc.uniqueArray(time, { minLength: 2 }), (times) => {
        const sorted = times.toSorted((a, b) => a - b).map((now) => createUuid(now));
        expect(sorted).toEqual(sorted.toSorted());
      }),
    );
  });
});
