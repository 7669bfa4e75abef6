/**
 * CSV that parsers and people can both open: RFC 4180, every field in quotes, and in no field anything that a
 * spreadsheet would run. Text that could become a formula is preceded by an apostrophe, as OWASP's "CSV
 * Injection" has it, and not at the start of a field alone: a spreadsheet set to semicolons or tabs, or one
 * that takes quotes for text, begins a cell of its own in the middle of ours.
 *
 * Nothing is lost by it: {@link parseGuardedText} gives every text back as it was.
 */

/** Where a reader of whatever settings may begin a cell: at the start, after a separator, a quote, an end of line. */
const CELL_START = String.raw`(?<=^|[;,"\t\r\n])`;
/** What spreadsheets may pass over in front of a formula: spaces, and characters that show nothing or that they do not know. */
const PASSED_OVER = String.raw`(?:(?![\t\r\n])[\p{Z}\p{C}\p{DI}])*`;
/** Equals, plus, minus and at, and all whose NFKC form begins with one of them or with the minus sign. */
const TRIGGER = String.raw`[=⁼₌⩵⩶﹦＝+⁺₊﬩﹢＋\-−⁻₋﹣－@﹫＠]`;
/** Apostrophes that stand there already count as text, so that ours can be told from them. */
const FORMULA = `'*${PASSED_OVER}${TRIGGER}`;
/** Some readers strip these from the start of a field, and begin the cell after them. */
const STRIPPED = String.raw`'*[\t\r\n]`;

const UNGUARDED = new RegExp(`${CELL_START}(?=${FORMULA})|^(?=${STRIPPED})`, 'gu');
const GUARDED = new RegExp(`${CELL_START}'(?=${FORMULA})|^'(?=${STRIPPED})`, 'gu');

/** `text` with an apostrophe before all that a spreadsheet could take for a formula. */
export function guardText(text: string): string {
  return text.replaceAll(UNGUARDED, "'");
}

/** The text that {@link guardText} made `guarded` of. */
export function parseGuardedText(guarded: string): string {
  return guarded.replaceAll(GUARDED, '');
}

/** One line of CSV with its end, of cells that hold any text; `null` is an empty one. */
export function encodeCsvRow(cells: readonly (string | null)[]): string {
  const fields = cells.map((cell) => `"${guardText(cell ?? '').replaceAll('"', '""')}"`);
  return `${fields.join(',')}\r\n`;
}
