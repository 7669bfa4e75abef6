/** Words that must not come to rest anywhere, every way to spell them, and where to look. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { sql } from 'kysely';
import type { Store } from '../../src/store/index.ts';

/** UTF-8, UTF-16 in both byte orders, hexadecimal in both cases, and base64 and base64url at each alignment. */
export function spellingsOf(word: string): readonly Buffer[] {
  const bytes = Buffer.from(word);
  const little = Buffer.from(word, 'utf16le');
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((offset) => {
    // Whatever stands before and after in the same text changes the outer characters only.
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replaceAll('=', '');
    return text.slice(offset === 0 ? 0 : offset + 1, (bytes.length + offset) % 3 === 0 ? undefined : -1);
  });
  const base64Url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [
    bytes,
    little,
    Buffer.from(little).swap16(),
    ...[hex, hex.toUpperCase(), ...base64, ...base64Url].map((text) => Buffer.from(text)),
  ];
}

/** Which of `words` stand in `haystack` in any spelling. */
export function findWords(haystack: Buffer | string, words: readonly string[]): readonly string[] {
  const bytes = typeof haystack === 'string' ? Buffer.from(haystack) : haystack;
  return words.filter((word) => spellingsOf(word).some((spelling) => bytes.includes(spelling)));
}

/** Which of `words` stand in a file under `folder`, each with its file. */
export async function findInFolder(folder: string, words: readonly string[]): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    for (const word of findWords(await readFile(file), words))
      found.push(`${word} in ${file.slice(folder.length)}`);
  }
  return found;
}

/** Every row of every table, as its text and as the bytes of its `bytea` columns. */
export async function dumpTables(store: Store): Promise<Buffer> {
  return store.withSystem('tenant-administration', async (tx) => {
    const { rows: columns } = await sql<{ table: string; column: string; type: string }>`
      SELECT quote_ident(table_name) AS table, quote_ident(column_name) AS column, data_type AS type
      FROM information_schema.columns WHERE table_schema = current_schema()`.execute(tx);
    const parts: Buffer[] = [];
    for (const table of new Set(columns.map((one) => one.table))) {
      const { rows } = await sql<{ row: string }>`SELECT t::text AS row FROM ${sql.raw(table)} AS t`.execute(
        tx,
      );
      parts.push(...rows.map(({ row }) => Buffer.from(row)));
    }
    for (const { table, column } of columns.filter(({ type }) => type === 'bytea')) {
      const { rows } = await sql<{ value: Uint8Array | null }>`
        SELECT ${sql.raw(column)} AS value FROM ${sql.raw(table)}`.execute(tx);
      parts.push(...rows.map(({ value }) => Buffer.from(value ?? [])));
    }
    return Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')]));
  });
}

/** An error as a debugger, a crash or a careless log line would print it. */
export function printError(error: unknown): string {
  return `${inspect(error, { depth: 20, showHidden: true })}\n${JSON.stringify(error)}\n${String(error)}`;
}
