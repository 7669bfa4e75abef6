/** CSV as others read it; it shares nothing with the program. */

/** The rows of RFC 4180 text. Throws where it is anything else. */
export function readCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] !== '"') throw new Error(`A field begins without a quote at ${at}`);
    const end = endOfField(text, at + 1);
    row.push(text.slice(at + 1, end).replaceAll('""', '"'));
    at = end + 1;
    if (text[at] === ',') {
      at += 1;
      continue;
    }
    if (!text.startsWith('\r\n', at)) throw new Error(`A field is followed by neither at ${at}`);
    rows.push(row);
    row = [];
    at += 2;
  }
  if (row.length > 0) throw new Error('The last line has no end');
  return rows;
}

function endOfField(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  throw new Error('A field has no end');
}

/**
 * The rows as a forgiving spreadsheet finds them with a separator that may not be the one of the text: what
 * follows a closing quote belongs to the same cell, and a cell may begin anywhere.
 */
export function readLikeSpreadsheet(text: string, separator: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  let cell = '';
  let isQuoted = false;
  let isFresh = true;
  const endCell = (): void => {
    rows.at(-1)?.push(cell);
    cell = '';
    isFresh = true;
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else isQuoted = false;
    } else if (character === '"' && isFresh) {
      isQuoted = true;
      isFresh = false;
    } else if (character === separator) endCell();
    else if (character === '\r' || character === '\n') {
      endCell();
      rows.push([]);
    } else {
      cell += character;
      isFresh = false;
    }
  }
  endCell();
  return rows;
}
