import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeCanonicalJson, type JsonValue, parseUtf8 } from '../../src/base/index.ts';
import { MAX_NESTING, parseCanonicalObject } from '../../src/tlog/canonical-object.ts';

const canonical = (value: unknown): string => parseUtf8(encodeCanonicalJson(value as JsonValue)) ?? '';
const members = fc.dictionary(
  fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 4 }),
    fc.constantFrom('1', '10', '2', 'a', '__proto__', '\ue000', '\u{1f600}'),
  ),
  fc.jsonValue({ maxDepth: 3 }),
  { maxKeys: 6 },
);

describe('A canonical object', () => {
  test('is read from its RFC 8785 text, whatever its members', () => {
    fc.assert(
      fc.property(members, (value) => {
        expect(JSON.stringify(parseCanonicalObject(canonical(value)))).toBe(
          JSON.stringify(JSON.parse(canonical(value))),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('is read from no other text of the same value', () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 0, max: 2 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseCanonicalObject(text) !== null).toBe(text === canonical(value));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    '',
    '{',
    '{} ',
    ' {}',
    '[]',
    'null',
    '1',
    '"a"',
    '{"b":1,"a":1}',
    '{"a":1,"a":1}',
    '{"a":{"c":1,"b":1}}',
    '{"a":[{"c":1,"b":1}]}',
    '{"a":1.0}',
    '{"a":1e2}',
    '{"a":-0}',
    '{"a":"\\u0041"}',
    '{"a":"\\/"}',
    '{"a":"\\u000A"}',
    '{"a":"\\ud800"}',
    '{"2":1,"10":1}',
    '{"\ue000":1,"\ud83d\ude00":1}',
  ])('is not read from %j', (text) => {
    expect(parseCanonicalObject(text)).toBeNull();
  });

  test('is nested no deeper than its limit', () => {
    const nested = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(parseCanonicalObject(nested(MAX_NESTING))).not.toBeNull();
    for (const levels of [MAX_NESTING + 1, 10_000, 500_000]) {
      expect(parseCanonicalObject(nested(levels)) === null).toBe(true);
    }
  });
});
