import { type Kysely, sql } from 'kysely';

/**
 * An alarm is of an epoch that is or was. One of an epoch to come would stop every epoch up to it, whatever an operator
 * accepts, and the role of the tenants' work may insert alarms. With the rights of whoever inserts: row-level security
 * then shows no other tenant's epochs.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  `CREATE FUNCTION refuse_alarm_of_epoch_to_come() RETURNS trigger LANGUAGE plpgsql
   SET search_path = pg_catalog, pg_temp AS $$
   DECLARE
     newest integer;
   BEGIN
     EXECUTE format('SELECT coalesce(max(epoch), 1) FROM %I.audit_epochs WHERE tenant_id = $1', TG_TABLE_SCHEMA)
       INTO newest USING NEW.tenant_id;
     IF NEW.epoch > newest THEN
       RAISE EXCEPTION 'an alarm may not be of an epoch to come' USING ERRCODE = 'check_violation';
     END IF;
     RETURN NEW;
   END $$`,
  `CREATE TRIGGER audit_alarms_of_known_epoch BEFORE INSERT ON audit_alarms
     FOR EACH ROW EXECUTE FUNCTION refuse_alarm_of_epoch_to_come()`,
];
