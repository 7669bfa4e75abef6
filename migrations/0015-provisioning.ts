import { type Kysely, sql } from 'kysely';

/**
 * Provisioning: what an integration allows its plans, the plans themselves, the people of each, and how far each
 * step of applying them came. Who they are and what is to become of them is sealed; ids of Zendesk, states and
 * codes are not.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const TABLES = [
  'provisioning_settings',
  'provisioning_plans',
  'provisioning_items',
  'provisioning_steps',
] as const;

const STATEMENTS: readonly string[] = [
  `CREATE TABLE provisioning_settings (
     integration_id text PRIMARY KEY,
     tenant_id text NOT NULL,
     break_glass_user_ids text[] NOT NULL DEFAULT '{}' CHECK (cardinality(break_glass_user_ids) <= 100),
     max_changes integer NOT NULL DEFAULT 50 CHECK (max_changes BETWEEN 1 AND 1000),
     updated_at timestamptz NOT NULL,
     FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id) ON DELETE CASCADE
   )`,

  `CREATE TABLE provisioning_plans (
     id text PRIMARY KEY,
     tenant_id text NOT NULL,
     integration_id text NOT NULL,
     kind text NOT NULL,
     state text NOT NULL CHECK (state IN
       ('READY', 'APPLYING', 'INTERRUPTED', 'APPLIED', 'PARTLY_APPLIED', 'CANCELLED')),
     fingerprint text NOT NULL,
     changes integer NOT NULL CHECK (changes BETWEEN 0 AND 1000),
     items integer NOT NULL CHECK (items BETWEEN 1 AND 1000),
     warnings text[] NOT NULL,
     staff integer,
     created_by text NOT NULL,
     created_at timestamptz NOT NULL,
     expires_at timestamptz NOT NULL,
     applied_by text,
     apply_event_id text,
     applied_at timestamptz,
     finished_at timestamptz,
     failure text,
     stop_wanted boolean NOT NULL DEFAULT false,
     lease_holder text,
     lease_until timestamptz,
     UNIQUE (tenant_id, id),
     CHECK (state <> 'READY' OR applied_at IS NULL),
     CHECK ((applied_at IS NULL) = (applied_by IS NULL)),
     CHECK ((applied_at IS NULL) = (apply_event_id IS NULL)),
     FOREIGN KEY (tenant_id, integration_id) REFERENCES integrations (tenant_id, id) ON DELETE CASCADE
   ) WITH (fillfactor = 50)`,
  `CREATE INDEX provisioning_plans_by_integration ON provisioning_plans (tenant_id, integration_id, id)`,
  `CREATE INDEX provisioning_plans_under_way ON provisioning_plans (created_at) WHERE state = 'APPLYING'`,
  `CREATE INDEX provisioning_plans_by_end ON provisioning_plans (expires_at)`,

  `CREATE TABLE provisioning_items (
     tenant_id text NOT NULL,
     plan_id text NOT NULL,
     position integer NOT NULL CHECK (position BETWEEN 0 AND 999),
     state text NOT NULL CHECK (state IN
       ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'STALE', 'LEFT', 'UNCHANGED', 'BLOCKED')),
     zendesk_id text,
     failure text,
     sealed bytea NOT NULL,
     PRIMARY KEY (tenant_id, plan_id, position),
     FOREIGN KEY (tenant_id, plan_id) REFERENCES provisioning_plans (tenant_id, id) ON DELETE CASCADE
   ) WITH (fillfactor = 50)`,
  `CREATE INDEX provisioning_items_to_do ON provisioning_items (tenant_id, plan_id, position)
     WHERE state IN ('PENDING', 'RUNNING')`,

  `CREATE TABLE provisioning_steps (
     tenant_id text NOT NULL,
     plan_id text NOT NULL,
     position integer NOT NULL,
     step integer NOT NULL CHECK (step BETWEEN 0 AND 255),
     state text NOT NULL CHECK (state IN ('PENDING', 'SENT', 'DONE', 'ALREADY', 'FAILED', 'SKIPPED')),
     intent_id text,
     failure text,
     upstream_status integer,
     count integer NOT NULL DEFAULT 0 CHECK (count >= 0),
     PRIMARY KEY (tenant_id, plan_id, position, step),
     CHECK (state <> 'SENT' OR intent_id IS NOT NULL),
     FOREIGN KEY (tenant_id, plan_id, position)
       REFERENCES provisioning_items (tenant_id, plan_id, position) ON DELETE CASCADE
   ) WITH (fillfactor = 50)`,

  ...TABLES.flatMap((table) => [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY own_tenant ON ${table}
       USING (tenant_id = current_setting('sealdesk.tenant_id', true))
       WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
  ]),
];
