import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** The database server of the tests. */
const ADMIN_URL = process.env['SEALDESK_TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

/** A PostgreSQL database of a benchmark's own, dropped when disposed. */
export interface BenchDatabase extends AsyncDisposable {
  readonly connectionString: string;
}

export async function openBenchDatabase(): Promise<BenchDatabase> {
  const name = `sealdesk_bench_${randomUUID().replaceAll('-', '')}`;
  await execute(ADMIN_URL, `CREATE DATABASE ${name}`);
  const url = new URL(ADMIN_URL);
  url.pathname = `/${name}`;
  return {
    connectionString: url.href,
    async [Symbol.asyncDispose]() {
      await execute(ADMIN_URL, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** The rows of one statement, run over a connection of its own, past the rows' policies. */
export async function execute(
  connectionString: string,
  statement: string,
  values: readonly unknown[] = [],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(statement, [...values])).rows;
  } finally {
    await client.end();
  }
}
