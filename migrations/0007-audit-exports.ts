import { type Kysely, sql } from 'kysely';

/**
 * What auditors ask of the log: exports under way, each with the lease of the process that checks it; columns
 * to look events up by, taken out of the leaves that exist; and news of a log for those who follow it. A
 * notification costs every commit of the database a common lock, so only logs that somebody follows give any.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

/** Members of the leaf have no escapes in them; `encode` takes any bytes, also those of a row that was tampered with. */
function member(name: string, alphabet: string): string {
  return `GENERATED ALWAYS AS (substring(encode(leaf, 'escape') from '"${name}":"(${alphabet}+)"')) STORED`;
}

const STATEMENTS: readonly string[] = [
  `ALTER TABLE audit_events
     ADD COLUMN resource text ${member('resource', '[A-Za-z0-9_:.-]')},
     ADD COLUMN request_id text ${member('requestId', '[A-Za-z0-9_-]')},
     ADD COLUMN denial_reason text ${member('denialReason', '[A-Z0-9_]')}`,
  // The appender tells them from now on: that the database parsed each leaf for them was a quarter of an append.
  `ALTER TABLE audit_events
     ALTER COLUMN resource DROP EXPRESSION,
     ALTER COLUMN request_id DROP EXPRESSION,
     ALTER COLUMN denial_reason DROP EXPRESSION`,
  `CREATE INDEX audit_events_by_resource ON audit_events (tenant_id, resource, index) WHERE resource IS NOT NULL`,
  `CREATE INDEX audit_events_by_request ON audit_events (tenant_id, request_id, index) WHERE request_id IS NOT NULL`,
  `CREATE INDEX audit_events_by_denial ON audit_events (tenant_id, denial_reason, index)
     WHERE denial_reason IS NOT NULL`,

  `ALTER TABLE audit_heads ADD COLUMN followed_until timestamptz`,
  `CREATE FUNCTION tell_audit_followers() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     PERFORM pg_notify('sealdesk_audit_appended', NEW.tenant_id);
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER audit_heads_followed AFTER UPDATE OF size ON audit_heads
     FOR EACH ROW WHEN (NEW.followed_until > now()) EXECUTE FUNCTION tell_audit_followers()`,

  `CREATE TABLE audit_exports (
     id text PRIMARY KEY,
     tenant_id text NOT NULL REFERENCES tenants,
     requested_by text NOT NULL,
     state text NOT NULL CHECK (state IN ('CHECKING', 'READY', 'FAILED')),
     range_from bigint NOT NULL CHECK (range_from >= 0),
     range_to bigint NOT NULL CHECK (range_to >= range_from),
     checked_to bigint NOT NULL CHECK (checked_to BETWEEN range_from AND range_to),
     epoch integer NOT NULL,
     size bigint NOT NULL CHECK (size >= range_to),
     root bytea NOT NULL,
     note text NOT NULL,
     previous_size bigint CHECK (previous_size BETWEEN 0 AND size),
     broken_index bigint,
     lease_epoch bigint NOT NULL DEFAULT 0,
     lease_holder text,
     lease_until timestamptz,
     created_at timestamptz NOT NULL,
     finished_at timestamptz,
     expires_at timestamptz NOT NULL
   ) WITH (fillfactor = 50)`,
  `CREATE INDEX audit_exports_by_tenant ON audit_exports (tenant_id, id)`,
  `CREATE INDEX audit_exports_under_way ON audit_exports (created_at) WHERE state = 'CHECKING'`,
  `CREATE INDEX audit_exports_by_end ON audit_exports (expires_at)`,
  `ALTER TABLE audit_exports ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY own_tenant ON audit_exports
     USING (tenant_id = current_setting('sealdesk.tenant_id', true))
     WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
];
