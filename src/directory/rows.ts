/** Rows that go to the database as one JSON text, many in one statement. */

/** What a column of such a row may hold. Bytes go as base64, for `decode(…, 'base64')`. */
export type RowValue = string | number | boolean | Date | null;

/** `rows` as the text of a JSON array, for `jsonb_to_recordset`. */
export function encodeRows(rows: readonly Readonly<Record<string, RowValue>>[]): string {
  return JSON.stringify(rows);
}
