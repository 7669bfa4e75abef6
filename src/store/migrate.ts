/** Brings the database to the newest migration, whoever else tries at the same time. */
import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations } from '../../migrations/index.ts';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';
import { ensureTenantRole } from './tenant-role.ts';

/** An arbitrary number that no other program of the database uses: "sealdesk" in base 36, cut to 53 bits. */
const ADVISORY_LOCK = 2_228_147_632_708;

/** The names of the migrations that this call applied. */
export async function migrate(database: Database, role: string): Promise<readonly string[]> {
  return database.db.connection().execute(async (connection) => {
    // PGlite is one process with one connection: nobody to keep out.
    if (database.kind === 'pglite') return applyAll(connection, role);
    // Another process may be at it for long, as an index of a long log takes long.
    await sql`SET statement_timeout = 0`.execute(connection);
    try {
      return await applyAlone(connection, role);
    } finally {
      await sql`RESET statement_timeout`.execute(connection);
    }
  });
}

async function applyAlone(connection: Kysely<Tables>, role: string): Promise<readonly string[]> {
  await sql`SELECT pg_advisory_lock(${ADVISORY_LOCK})`.execute(connection);
  try {
    return await applyAll(connection, role);
  } finally {
    await sql`SELECT pg_advisory_unlock(${ADVISORY_LOCK})`.execute(connection);
  }
}

async function applyAll(connection: Kysely<Tables>, role: string): Promise<readonly string[]> {
  const migrator = new Migrator({
    db: connection,
    provider: { getMigrations: async () => ({ ...migrations }) },
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  await ensureTenantRole(connection, role);
  return results.map(({ migrationName }) => migrationName);
}
