import { type Kysely, sql } from 'kysely';

/**
 * The directory: the people of each integration's account as its last access sync saw them, what they belong
 * to, and the runs and schedules of that sync. All that names a person or a thing of the customer's is sealed
 * (`sealed`, one record a row) or a keyed hash (`…_index` to look it up by, `digest` to see that it changed).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const OF_INTEGRATION = `integration_id text NOT NULL,
     tenant_id text NOT NULL,
     FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id) ON DELETE CASCADE`;

/** What is sealed of a row, and what of it can be compared. An erased row has neither. */
const SEALED = `sealed bytea,
     sealed_version integer NOT NULL DEFAULT 0,
     digest bytea,
     seen_run text NOT NULL,
     changed_at timestamptz NOT NULL,
     deleted_at timestamptz`;

const STATEMENTS: readonly string[] = [
  `CREATE TABLE directory_users (
     ${OF_INTEGRATION},
     zendesk_id bigint NOT NULL,
     role text NOT NULL,
     role_type smallint,
     custom_role_id bigint,
     role_since timestamptz NOT NULL,
     is_role_since_exact boolean NOT NULL DEFAULT false,
     status text NOT NULL CHECK (status IN ('ACTIVE', 'SUSPENDED', 'DELETED')),
     organization_id bigint,
     default_group_id bigint,
     has_two_factor boolean,
     last_seen_at timestamptz,
     created_at timestamptz,
     updated_at timestamptz,
     first_seen_run text NOT NULL,
     ${SEALED},
     email_index bytea,
     external_id_index bytea,
     erased_at timestamptz,
     PRIMARY KEY (integration_id, zendesk_id),
     CHECK ((status = 'DELETED') = (deleted_at IS NOT NULL)),
     CHECK (erased_at IS NULL OR (status = 'DELETED' AND sealed IS NULL AND digest IS NULL
       AND email_index IS NULL AND external_id_index IS NULL))
   ) WITH (fillfactor = 90)`,
  `CREATE INDEX directory_users_by_email ON directory_users (integration_id, email_index)
     WHERE email_index IS NOT NULL`,
  `CREATE INDEX directory_users_by_external_id ON directory_users (integration_id, external_id_index)
     WHERE external_id_index IS NOT NULL`,
  `CREATE INDEX directory_users_by_organization ON directory_users (integration_id, organization_id, zendesk_id)
     WHERE organization_id IS NOT NULL`,
  `CREATE INDEX directory_users_staff ON directory_users (integration_id, zendesk_id) WHERE role <> 'end-user'`,
  `CREATE INDEX directory_users_deleted ON directory_users (deleted_at)
     WHERE deleted_at IS NOT NULL AND erased_at IS NULL`,
  // Ciphertext does not compress; trying to costs on every write.
  `ALTER TABLE directory_users ALTER COLUMN sealed SET STORAGE EXTERNAL`,

  `CREATE TABLE directory_role_changes (
     ${OF_INTEGRATION},
     zendesk_id bigint NOT NULL,
     seen_at timestamptz NOT NULL,
     run_id text NOT NULL,
     from_role text NOT NULL,
     from_custom_role_id bigint,
     to_role text NOT NULL,
     to_custom_role_id bigint,
     PRIMARY KEY (integration_id, zendesk_id, seen_at)
   )`,

  ...['directory_groups', 'directory_organizations', 'directory_custom_roles'].map(
    (table) => `CREATE TABLE ${table} (
     ${OF_INTEGRATION},
     zendesk_id bigint NOT NULL,
     ${SEALED},
     PRIMARY KEY (integration_id, zendesk_id)
   )`,
  ),
  `CREATE TABLE directory_memberships (
     ${OF_INTEGRATION},
     zendesk_id bigint NOT NULL,
     user_id bigint NOT NULL,
     group_id bigint NOT NULL,
     is_default boolean NOT NULL,
     seen_run text NOT NULL,
     PRIMARY KEY (integration_id, zendesk_id)
   )`,
  `CREATE INDEX directory_memberships_by_user ON directory_memberships (integration_id, user_id)`,
  `CREATE INDEX directory_memberships_by_group ON directory_memberships (integration_id, group_id)`,

  `CREATE TABLE access_sync_states (
     ${OF_INTEGRATION},
     users_cursor text,
     synced_at timestamptz,
     PRIMARY KEY (integration_id)
   )`,
  `CREATE TABLE access_sync_schedules (
     ${OF_INTEGRATION},
     cron text NOT NULL,
     time_zone text NOT NULL,
     created_by text NOT NULL,
     created_at timestamptz NOT NULL,
     next_run_at timestamptz NOT NULL,
     PRIMARY KEY (integration_id)
   )`,
  `CREATE INDEX access_sync_schedules_due ON access_sync_schedules (next_run_at)`,
  `CREATE TABLE access_sync_runs (
     id text PRIMARY KEY,
     ${OF_INTEGRATION},
     kind text NOT NULL CHECK (kind IN ('FULL', 'INCREMENTAL')),
     trigger text NOT NULL CHECK (trigger IN ('REQUEST', 'SCHEDULE')),
     requested_by text NOT NULL,
     state text NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'WAITING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
     phase text NOT NULL CHECK (phase IN ('CUSTOM_ROLES', 'GROUPS', 'ORGANIZATIONS', 'USERS', 'MISSING_USERS', 'MEMBERSHIPS', 'DONE')),
     cursor text,
     seen integer NOT NULL DEFAULT 0,
     users_seen integer NOT NULL DEFAULT 0,
     users_expected integer,
     added integer NOT NULL DEFAULT 0,
     changed integer NOT NULL DEFAULT 0,
     removed integer NOT NULL DEFAULT 0,
     pages integer NOT NULL DEFAULT 0,
     failures integer NOT NULL DEFAULT 0,
     reason text,
     advice text,
     is_cancel_requested boolean NOT NULL DEFAULT false,
     lease_epoch bigint NOT NULL DEFAULT 0,
     lease_holder text,
     lease_until timestamptz,
     requested_at timestamptz NOT NULL,
     not_before timestamptz NOT NULL,
     started_at timestamptz,
     progressed_at timestamptz,
     finished_at timestamptz,
     CHECK ((state IN ('SUCCEEDED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL))
   ) WITH (fillfactor = 50)`,
  `CREATE INDEX access_sync_runs_by_integration ON access_sync_runs (integration_id, id)`,
  `CREATE UNIQUE INDEX access_sync_runs_one_under_way ON access_sync_runs (integration_id)
     WHERE state IN ('QUEUED', 'RUNNING', 'WAITING')`,

  ...[
    'directory_users',
    'directory_role_changes',
    'directory_groups',
    'directory_organizations',
    'directory_custom_roles',
    'directory_memberships',
    'access_sync_states',
    'access_sync_schedules',
    'access_sync_runs',
  ].flatMap((table) => [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY own_tenant ON ${table}
       USING (tenant_id = current_setting('sealdesk.tenant_id', true))
       WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
  ]),
];
