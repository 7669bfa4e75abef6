import { type Kysely, sql } from 'kysely';

/**
 * The inner nodes of each tenant's audit tree over eight leaves and more, so that a proof reads few rows. Logs that
 * exist get theirs here, level by level, from the hashes of their leaves.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  await sql`SET LOCAL enable_seqscan = off`.execute(db);
  const { rows: logs } = await sql<{ tenant_id: string; size: number }>`
    SELECT tenant_id, max(index) + 1 AS size FROM audit_events GROUP BY tenant_id`.execute(db);
  for (const { tenant_id, size } of logs) await fillTree(db, tenant_id, Number(size));
  await sql`SET LOCAL enable_seqscan = on`.execute(db);
  for (const statement of STATEMENTS_AFTER) await sql.raw(statement).execute(db);
}

/** Nodes that one statement computes, at most. */
const BATCH = 2_048;

const STATEMENTS: readonly string[] = [
  // Events and nodes are written beside a head only, whose reference to its tenant is enough: that of each event
  // was more than a third of the cost of an append.
  `ALTER TABLE audit_events DROP CONSTRAINT audit_events_tenant_id_fkey`,
  `CREATE TABLE audit_nodes (
     tenant_id text NOT NULL,
     level smallint NOT NULL,
     index bigint NOT NULL CHECK (index >= 0),
     hash bytea NOT NULL,
     PRIMARY KEY (tenant_id, level, index)
   )`,
];

const STATEMENTS_AFTER: readonly string[] = [
  // The lower ones were steps on the way: they are made of their leaves where they are asked for.
  `DELETE FROM audit_nodes WHERE level < 3`,
  `ALTER TABLE audit_nodes ADD CHECK (level >= 3)`,
  `CREATE TRIGGER audit_nodes_append_only BEFORE UPDATE OR DELETE ON audit_nodes
     FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()`,
  `CREATE TRIGGER audit_nodes_no_truncate BEFORE TRUNCATE ON audit_nodes
     FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`,
  `ALTER TABLE audit_nodes ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY own_tenant ON audit_nodes
     USING (tenant_id = current_setting('sealdesk.tenant_id', true))
     WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
];

/** A node is SHA-256(0x01 ‖ left ‖ right) (RFC 9162 §2.1.1); only perfect ones are stored. */
async function fillTree(db: Kysely<unknown>, tenantId: string, size: number): Promise<void> {
  for (let level = 1, count = half(size); count > 0; level += 1, count = half(count)) {
    const below =
      level === 1
        ? sql`SELECT index, leaf_hash AS hash FROM audit_events WHERE tenant_id = ${tenantId}`
        : sql`SELECT index, hash FROM audit_nodes WHERE tenant_id = ${tenantId} AND level = ${level - 1}`;
    for (let from = 0; from < count; from += BATCH) {
      // Grouped and not joined, so that no statistics, which a new table has not, can lead the planner astray.
      await sql`
        INSERT INTO audit_nodes (tenant_id, level, index, hash)
        SELECT ${tenantId}, ${level}::smallint, index / 2, sha256('\\x01'::bytea || string_agg(hash, ''::bytea ORDER BY index))
        FROM (${below}) b WHERE index BETWEEN ${2 * from}::bigint AND ${2 * Math.min(from + BATCH, count) - 1}::bigint
        GROUP BY index / 2 HAVING count(*) = 2`.execute(db);
    }
  }
}

function half(count: number): number {
  return Math.floor(count / 2);
}
