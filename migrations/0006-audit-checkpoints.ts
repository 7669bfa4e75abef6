import { type Kysely, sql } from 'kysely';

/**
 * What vouches for the audit log: signed checkpoints, the epochs that accepted restores opened, alarms of
 * what was found altered, rows that a restore moved out of the log, and who looks after which log now.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const APPEND_ONLY = ['audit_checkpoints', 'audit_epochs', 'audit_alarms', 'audit_displaced_events'];

const STATEMENTS: readonly string[] = [
  `CREATE TABLE audit_checkpoints (
     tenant_id text NOT NULL REFERENCES tenants,
     epoch integer NOT NULL CHECK (epoch > 0),
     size bigint NOT NULL CHECK (size > 0),
     root bytea NOT NULL CHECK (octet_length(root) = 32),
     note text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
     PRIMARY KEY (tenant_id, epoch, size)
   )`,
  // Signatures do not compress; trying to costs on every write.
  `ALTER TABLE audit_checkpoints ALTER COLUMN note SET STORAGE EXTERNAL`,
  `CREATE TABLE audit_epochs (
     tenant_id text NOT NULL REFERENCES tenants,
     epoch integer NOT NULL CHECK (epoch > 1),
     first_index bigint NOT NULL CHECK (first_index >= 0),
     opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
     PRIMARY KEY (tenant_id, epoch)
   )`,
  `CREATE TABLE audit_alarms (
     tenant_id text NOT NULL REFERENCES tenants,
     epoch integer NOT NULL CHECK (epoch > 0),
     kind text NOT NULL,
     index bigint,
     raised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
     PRIMARY KEY (tenant_id, epoch, kind)
   )`,
  `CREATE TABLE audit_displaced_events (
     tenant_id text NOT NULL REFERENCES tenants,
     epoch integer NOT NULL CHECK (epoch > 1),
     index bigint NOT NULL,
     event jsonb NOT NULL,
     PRIMARY KEY (tenant_id, epoch, index)
   )`,
  `CREATE TABLE audit_watches (
     tenant_id text PRIMARY KEY REFERENCES tenants,
     lease_holder text,
     lease_until timestamptz,
     checked_to bigint NOT NULL DEFAULT 0,
     due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
     anchored_epoch integer NOT NULL DEFAULT 1,
     anchored_size bigint NOT NULL DEFAULT 0,
     anchor_failed_at timestamptz
   ) WITH (fillfactor = 50)`,

  // An alarm stops the log where every append looks anyway. Under the head's lock, so that none that is raised while an
  // operator opens an epoch stops that; and with the owner's rights, since the role of the tenants' work has none to
  // change the mark.
  `ALTER TABLE audit_heads ADD COLUMN stopped_epoch integer`,
  `CREATE FUNCTION stop_audit_log() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
   SET search_path = pg_catalog, pg_temp AS $$
   BEGIN
     EXECUTE format('SELECT 1 FROM %I.audit_heads WHERE tenant_id = $1 FOR UPDATE', TG_TABLE_SCHEMA)
       USING NEW.tenant_id;
     EXECUTE format('UPDATE %1$I.audit_heads SET stopped_epoch = greatest(stopped_epoch, $2) WHERE tenant_id = $1
       AND $2 >= coalesce((SELECT max(epoch) FROM %1$I.audit_epochs WHERE tenant_id = $1), 1)', TG_TABLE_SCHEMA)
       USING NEW.tenant_id, NEW.epoch;
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER audit_alarms_stop AFTER INSERT ON audit_alarms FOR EACH ROW EXECUTE FUNCTION stop_audit_log()`,

  // An operator who accepts a restored log moves out what does not hold. The role of the tenants' work has no
  // right to update or delete here, whatever it sets.
  `CREATE FUNCTION refuse_audit_change_but_restore() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     IF current_setting('sealdesk.restores_audit_log_of', true) = OLD.tenant_id THEN
       RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
     END IF;
     RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
   END $$`,
  ...['audit_events', 'audit_nodes'].flatMap((table) => [
    `DROP TRIGGER ${table}_append_only ON ${table}`,
    `CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE ON ${table}
       FOR EACH ROW EXECUTE FUNCTION refuse_audit_change_but_restore()`,
  ]),

  ...APPEND_ONLY.flatMap((table) => [
    `CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE ON ${table}
       FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()`,
    `CREATE TRIGGER ${table}_no_truncate BEFORE TRUNCATE ON ${table}
       FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`,
  ]),
  ...[...APPEND_ONLY, 'audit_watches'].flatMap((table) => [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY own_tenant ON ${table}
       USING (tenant_id = current_setting('sealdesk.tenant_id', true))
       WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
  ]),
];
