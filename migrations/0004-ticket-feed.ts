import { type Kysely, sql } from 'kysely';

/**
 * The change feed: where each integration's feed stands at its source, who may append to it, what is known
 * of each ticket, and the log, a stream for each lineage of client keys. Of tickets only ids, times and
 * keyed hashes are here; what a webhook told of values is sealed, and so is every entry.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const OF_FEED = `integration_id text NOT NULL,
     tenant_id text NOT NULL,
     FOREIGN KEY (tenant_id, integration_id) REFERENCES ticket_feeds (tenant_id, integration_id) ON DELETE CASCADE`;

const STATEMENTS: readonly string[] = [
  `ALTER TABLE integrations ADD UNIQUE (tenant_id, id)`,

  `CREATE TABLE ticket_feeds (
     integration_id text PRIMARY KEY,
     tenant_id text NOT NULL,
     status text NOT NULL CHECK (status IN ('ENABLED', 'DISABLED')),
     enabled_at timestamptz NOT NULL,
     webhook_id text,
     webhook_secret bytea,
     webhook_version integer NOT NULL DEFAULT 0,
     webhook_fault text,
     export_start bigint NOT NULL,
     export_cursor text,
     export_polled_at timestamptz,
     export_complete_until timestamptz,
     export_fault text,
     load_fault text,
     appended bigint NOT NULL DEFAULT 0,
     repaired bigint NOT NULL DEFAULT 0,
     UNIQUE (tenant_id, integration_id),
     CHECK ((webhook_id IS NULL) = (webhook_secret IS NULL)),
     FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id) ON DELETE CASCADE
   ) WITH (fillfactor = 50)`,
  `CREATE TABLE feed_heads (
     ${OF_FEED},
     lease_epoch bigint NOT NULL DEFAULT 0,
     lease_holder text,
     lease_until timestamptz,
     PRIMARY KEY (integration_id)
   ) WITH (fillfactor = 50)`,

  `CREATE TABLE feed_tickets (
     ${OF_FEED},
     ticket_id bigint NOT NULL,
     state text NOT NULL CHECK (state IN ('PRESENT', 'DELETED', 'ERASED')),
     updated_at timestamptz NOT NULL,
     generated_at bigint,
     snapshot_hash text NOT NULL,
     PRIMARY KEY (integration_id, ticket_id)
   )`,
  `CREATE TABLE feed_dirty_tickets (
     ${OF_FEED},
     ticket_id bigint NOT NULL,
     marked_at timestamptz NOT NULL,
     generation bigint NOT NULL DEFAULT 1,
     by_webhook boolean NOT NULL,
     by_export boolean NOT NULL,
     gone text CHECK (gone IN ('DELETED', 'ERASED')),
     expected_at timestamptz,
     exported_at bigint,
     tries integer NOT NULL DEFAULT 0,
     not_before timestamptz NOT NULL,
     PRIMARY KEY (integration_id, ticket_id)
   ) WITH (fillfactor = 50)`,
  `CREATE INDEX feed_dirty_tickets_by_time ON feed_dirty_tickets (integration_id, not_before, marked_at)`,
  `CREATE TABLE feed_webhook_invocations (
     ${OF_FEED},
     invocation_id text NOT NULL,
     ticket_id bigint NOT NULL,
     event_type text NOT NULL,
     hint bytea,
     is_pending boolean NOT NULL DEFAULT true,
     received_at timestamptz NOT NULL,
     PRIMARY KEY (integration_id, invocation_id)
   )`,
  `CREATE INDEX feed_webhook_invocations_pending
     ON feed_webhook_invocations (integration_id, ticket_id, received_at)
     WHERE is_pending`,
  `CREATE INDEX feed_webhook_invocations_by_time ON feed_webhook_invocations (integration_id, received_at)`,

  `CREATE TABLE feed_streams (
     ${OF_FEED},
     lineage_id text NOT NULL,
     state text NOT NULL CHECK (state IN ('OPEN', 'DORMANT', 'KEYLESS')),
     sequence bigint NOT NULL CHECK (sequence >= oldest),
     oldest bigint NOT NULL CHECK (oldest >= 0),
     bytes bigint NOT NULL DEFAULT 0,
     opened_at timestamptz NOT NULL,
     read_at timestamptz NOT NULL,
     PRIMARY KEY (integration_id, lineage_id)
   ) WITH (fillfactor = 50)`,
  `CREATE INDEX feed_streams_by_lineage ON feed_streams (tenant_id, lineage_id)`,
  `CREATE TABLE feed_entries (
     ${OF_FEED},
     lineage_id text NOT NULL,
     recipient_key_id text NOT NULL,
     sequence bigint NOT NULL CHECK (sequence > 0),
     occurred_at timestamptz NOT NULL,
     audit_event_id text NOT NULL,
     envelope text NOT NULL,
     PRIMARY KEY (integration_id, lineage_id, sequence, recipient_key_id)
   )`,
  // Ciphertext does not compress; trying to costs on every write and read.
  `ALTER TABLE feed_entries ALTER COLUMN envelope SET STORAGE EXTERNAL`,
  `CREATE TABLE feed_positions (
     ${OF_FEED},
     lineage_id text NOT NULL,
     recipient_key_id text NOT NULL,
     sequence bigint NOT NULL,
     issued_at timestamptz NOT NULL,
     envelope text NOT NULL,
     PRIMARY KEY (integration_id, lineage_id, recipient_key_id)
   ) WITH (fillfactor = 50)`,
  `ALTER TABLE feed_positions ALTER COLUMN envelope SET STORAGE EXTERNAL`,

  ...[
    'ticket_feeds',
    'feed_heads',
    'feed_tickets',
    'feed_dirty_tickets',
    'feed_webhook_invocations',
    'feed_streams',
    'feed_entries',
    'feed_positions',
  ].flatMap((table) => [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY own_tenant ON ${table}
       USING (tenant_id = current_setting('sealdesk.tenant_id', true))
       WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
  ]),
];
