import { type Kysely, sql } from 'kysely';

/**
 * Indexes of the audit log that cost an append less: most of what it costs the database is their entries. Those that
 * end in the index of an event hold no duplicates, so PostgreSQL need not look for any before it splits a full page.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const INDEXES: ReadonlyMap<string, string> = new Map([
  ['by_actor', '(tenant_id, actor_id, index) WITH (deduplicate_items = off)'],
  [
    'by_operation',
    '(tenant_id, operation, index) WITH (deduplicate_items = off) WHERE operation IS NOT NULL',
  ],
  [
    'by_integration',
    '(tenant_id, integration_id, index) WITH (deduplicate_items = off) WHERE integration_id IS NOT NULL',
  ],
  // Events of a range of time are sorted by their index after they were found in any case.
  ['by_time', '(tenant_id, occurred_at)'],
  ['by_resource', '(tenant_id, resource, index) WITH (deduplicate_items = off) WHERE resource IS NOT NULL'],
  [
    'by_request',
    '(tenant_id, request_id, index) WITH (deduplicate_items = off) WHERE request_id IS NOT NULL',
  ],
]);

const STATEMENTS: readonly string[] = [...INDEXES].flatMap(([name, keys]) => [
  `DROP INDEX audit_events_${name}`,
  `CREATE INDEX audit_events_${name} ON audit_events ${keys}`,
]);
