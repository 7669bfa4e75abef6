/**
 * How the answers to an API key leave: sealed, or, where an ADMIN chose so when the key was made, in the
 * clear. Keys made before have theirs sealed.
 */
import type { Kysely } from 'kysely';
import { sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE api_keys ADD COLUMN delivery text NOT NULL DEFAULT 'SEALED'
    CHECK (delivery IN ('SEALED', 'PLAINTEXT'))`.execute(db);
}
