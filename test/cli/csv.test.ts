/** Hostile text in CSV: it comes back as it was, and no reader finds a formula in it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCsvRow, guardText, parseGuardedText } from '../../src/cli/csv.ts';
import { readCsv, readLikeSpreadsheet } from './read-csv.ts';

/** What a spreadsheet runs, however it is set: it passes over what shows nothing, and takes wide forms for plain ones. */
function isFormula(cell: string): boolean {
  return /^[\p{Z}\p{C}\p{DI}]*[=+\-−@]/u.test(cell.normalize('NFKC'));
}

const piece = fc.constantFrom(
  ...['=', '+', '-', '@', '＝', '＋', '－', '＠', '⁼', '−', "'", "''", '"', '""', ',', ';', '\t', '\r', '\n'],
  ...[
    '\r\n',
    ' ',
    '\u00a0',
    '\u200b',
    '\u202e',
    '\ufeff',
    '\u3164',
    '\u{33e7a}',
    '\u0000',
    '|',
    'cmd',
    '1',
    'HYPERLINK("x")',
    'é',
    '😀',
  ],
);
const hostileText = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed()),
);
const table = fc.array(fc.array(hostileText, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 });

describe('a table as CSV', () => {
  it('comes back from a parser as it was, whatever its cells hold', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const read = readCsv(rows.map(encodeCsvRow).join(''));
        expect(read.map((cells) => cells.map(parseGuardedText))).toEqual(rows);
      }),
      { numRuns: 2_000 },
    );
  });

  it('holds no formula for a spreadsheet of any separator', () => {
    fc.assert(
      fc.property(table, (rows) => {
        const text = rows.map(encodeCsvRow).join('');
        for (const separator of [',', ';', '\t']) {
          expect(readLikeSpreadsheet(text, separator).flat().filter(isFormula)).toEqual([]);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the guard', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+41 44 668 18 00', "'+41 44 668 18 00"],
    ['-2', "'-2"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t'=1"],
    ['\r\nx', "'\r\nx"],
    ['＝cmd', "'＝cmd"],
    ['  =1', "'  =1"],
    ['\u200b=1', "'\u200b=1"],
    ['\u3164=1', "'\u3164=1"], // a letter that shows nothing
    ['\ufe0f=1', "'\ufe0f=1"], // a variation selector
    ['\ue000=1', "'\ue000=1"], // for private use
    ['\u{33e7a}\u207a1', "'\u{33e7a}\u207a1"], // assigned to nothing
    ['"=1', '"\'=1'],
    ['Ada;=1', "Ada;'=1"],
    ['Ada, +1', "Ada,' +1"],
    ["'=1", "''=1"],
  ])('puts an apostrophe into %j', (text, guarded) => {
    expect(guardText(text)).toBe(guarded);
    expect(parseGuardedText(guarded)).toBe(text);
  });

  it.each([
    ...[
      '',
      'Ada Lovelace',
      'ada@example.com',
      '2026-11-29T21:00:00Z',
      'a=b',
      'O’Neil-Smith',
      "'quoted'",
      '6130907993352',
    ],
  ])('leaves %j as it is', (text) => {
    expect(guardText(text)).toBe(text);
  });

  it('knows every character of Unicode that turns into one that begins a formula', () => {
    const missed: string[] = [];
    for (let point = 0; point <= 0x10ffff; point += 1) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const character = String.fromCodePoint(point);
      if (/^[=+\-−@]/u.test(character.normalize('NFKC')) && guardText(character) === character) {
        missed.push(point.toString(16));
      }
    }
    expect(missed).toEqual([]);
  });
});

it('writes an absent cell as an empty one, and ends a line as RFC 4180 says', () => {
  expect(encodeCsvRow(['a', null, 'b"c'])).toBe('"a","","b""c"\r\n');
});
