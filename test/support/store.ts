/**
 * A fresh, migrated store on either database. PGlite runs in memory; PostgreSQL gets a database of its
 * own, dropped afterwards. Outside CI the PostgreSQL suites skip where no server answers; in CI they fail.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe } from 'vitest';
import { openStore, type Store, type StoreLocation } from '../../src/store/index.ts';

export type DatabaseKind = 'pglite' | 'postgres';

const ADMIN_URL = process.env['SEALDESK_TEST_DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

async function withAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: ADMIN_URL, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const postgresAnswers = await withAdmin(async () => true).catch(() => false);

/** In CI nothing is skipped for want of a server. */
export const isCi = process.env['CI'] !== undefined && process.env['CI'] !== '';

/** Declares the same suite once for each database. */
export function describeOnBothDatabases(name: string, suite: (kind: DatabaseKind) => void): void {
  describe(`${name} (PGlite)`, () => suite('pglite'));
  describeOnPostgres(`${name} (PostgreSQL)`, () => suite('postgres'));
}

/** Declares a suite that needs many processes on one database. */
export function describeOnPostgres(name: string, suite: () => void): void {
  describe.skipIf(!postgresAnswers && !isCi)(name, suite);
}

export interface TestDatabase extends AsyncDisposable {
  readonly location: StoreLocation;
  /** The connection string of a PostgreSQL database, `null` for PGlite. */
  readonly connectionString: string | null;
}

/** An empty database of its own, gone when disposed. */
export async function createTestDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  if (kind === 'pglite') {
    return { location: { kind: 'memory' }, connectionString: null, async [Symbol.asyncDispose]() {} };
  }
  const name = `sealdesk_test_${randomUUID().replaceAll('-', '')}`;
  await withAdmin((client) => client.query(`CREATE DATABASE ${name}`));
  const url = new URL(ADMIN_URL);
  url.pathname = `/${name}`;
  return {
    location: { kind: 'postgres', connectionString: url.href },
    connectionString: url.href,
    async [Symbol.asyncDispose]() {
      await withAdmin((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

export interface TestStore extends AsyncDisposable {
  readonly store: Store;
  readonly connectionString: string | null;
}

/** A migrated store on an empty database of its own. */
export async function openTestStore(kind: DatabaseKind): Promise<TestStore> {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await createTestDatabase(kind));
  const store = resources.use(await openStore({ location: database.location }));
  const kept = resources.move();
  return {
    store,
    connectionString: database.connectionString,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
