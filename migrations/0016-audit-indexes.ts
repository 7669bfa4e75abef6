import { type Kysely, sql } from 'kysely';

/**
 * Narrower indexes of the audit log: most of what an append costs the database is their entries. What only one
 * tenant can have needs no tenant beside it. No two entries that end in the index of an event are the same, nor
 * does it help to look for such where a page is full.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const INDEXES: ReadonlyMap<string, string> = new Map([
  ['by_actor', '(tenant_id, actor_id, index) WITH (deduplicate_items = off)'],
  ['by_operation', '(tenant_id, operation, index) WITH (deduplicate_items = off)'],
  ['by_integration', '(integration_id, index) WITH (deduplicate_items = off)'],
  // Events of a range of time are put in their order by the index of their own in any case.
  ['by_time', '(tenant_id, occurred_at)'],
  ['by_resource', '(tenant_id, resource, index) WITH (deduplicate_items = off) WHERE resource IS NOT NULL'],
  [
    'by_request',
    '(tenant_id, request_id, index) WITH (deduplicate_items = off) WHERE request_id IS NOT NULL',
  ],
  [
    'by_denial',
    '(tenant_id, denial_reason, index) WITH (deduplicate_items = off) WHERE denial_reason IS NOT NULL',
  ],
  ['by_intent', '(intent_id) WHERE intent_id IS NOT NULL'],
]);

const STATEMENTS: readonly string[] = [
  'ALTER TABLE audit_events ADD UNIQUE (id)',
  'ALTER TABLE audit_events DROP CONSTRAINT audit_events_tenant_id_id_key',
  ...[...INDEXES].flatMap(([name, keys]) => [
    `DROP INDEX audit_events_${name}`,
    `CREATE INDEX audit_events_${name} ON audit_events ${keys}`,
  ]),
];
