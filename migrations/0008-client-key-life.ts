import { type Kysely, sql } from 'kysely';

/**
 * The life of a client key: which key it follows and how the one gave way to the other, who vouched for it,
 * until when answers are sealed to it, and the events of the audit log that prove when it was mapped and ended.
 * A key that was mapped stays in the table as it was made, so that the history can be held against the log.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  `ALTER TABLE client_keys
     ADD COLUMN predecessor_id text,
     ADD COLUMN rotation_mode text CHECK (rotation_mode IN ('STRICT', 'OVERLAP')),
     ADD COLUMN vouched_by text CHECK (vouched_by IN ('PREDECESSOR', 'ADMIN')),
     ADD COLUMN expires_at timestamptz,
     ADD COLUMN overlap_until timestamptz,
     ADD COLUMN mapped_event_id text,
     ADD COLUMN ended_by text,
     ADD COLUMN ended_event_id text,
     ADD FOREIGN KEY (tenant_id, predecessor_id) REFERENCES client_keys (tenant_id, id),
     ADD CHECK ((predecessor_id IS NULL) = (rotation_mode IS NULL)),
     ADD CHECK ((predecessor_id IS NULL) = (vouched_by IS NULL))`,
  `CREATE INDEX client_keys_by_lineage ON client_keys (tenant_id, lineage_id)`,
  `CREATE UNIQUE INDEX client_keys_one_successor ON client_keys (tenant_id, lineage_id)
     WHERE predecessor_id IS NOT NULL AND status IN ('PENDING', 'CONFIRMED')`,
  `CREATE UNIQUE INDEX client_keys_one_active ON client_keys (tenant_id, lineage_id) WHERE status = 'ACTIVE'`,

  `CREATE FUNCTION refuse_client_key_swap() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     IF TG_OP = 'DELETE' THEN
       IF OLD.mapped_at IS NULL THEN RETURN OLD; END IF;
     ELSIF (NEW.id, NEW.tenant_id, NEW.lineage_id, NEW.kem_kid, NEW.sig_kid, NEW.kem_public_key, NEW.sig_public_key)
         = (OLD.id, OLD.tenant_id, OLD.lineage_id, OLD.kem_kid, OLD.sig_kid, OLD.kem_public_key, OLD.sig_public_key)
       AND (OLD.mapped_at IS NULL
         OR (NEW.mapped_at, NEW.mapped_event_id) IS NOT DISTINCT FROM (OLD.mapped_at, OLD.mapped_event_id)) THEN
       RETURN NEW;
     END IF;
     RAISE EXCEPTION 'a client key is never exchanged, and never forgotten once it was mapped'
       USING ERRCODE = 'insufficient_privilege';
   END $$`,
  `CREATE TRIGGER client_keys_kept BEFORE UPDATE OR DELETE ON client_keys
     FOR EACH ROW EXECUTE FUNCTION refuse_client_key_swap()`,

  `CREATE FUNCTION refuse_client_key_change() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION 'a client key that has ended is never revived, and what a mapping granted never changed'
       USING ERRCODE = 'insufficient_privilege';
   END $$`,
  `CREATE TRIGGER client_keys_ended BEFORE UPDATE ON client_keys FOR EACH ROW
     WHEN (
       (OLD.status = 'REVOKED' AND NEW.status <> 'REVOKED')
       OR (OLD.status = 'RETIRED' AND NEW.status NOT IN ('RETIRED', 'REVOKED'))
       OR (OLD.status IN ('RETIRED', 'REVOKED') AND OLD.overlap_until IS NULL AND NEW.overlap_until IS NOT NULL)
       OR (OLD.status = 'ACTIVE' AND NEW.status IN ('PENDING', 'CONFIRMED'))
       OR (OLD.mapped_at IS NOT NULL AND NEW.expires_at IS DISTINCT FROM OLD.expires_at)
       OR NEW.overlap_until > OLD.overlap_until
     )
     EXECUTE FUNCTION refuse_client_key_change()`,

  // Of keys and of policies: what few events of a log tell, and what is asked for as a whole.
  `CREATE INDEX audit_events_of_history ON audit_events (tenant_id, index)
     WHERE action IN ('client-key.map', 'client-key.rotate', 'client-key.revoke', 'policy.allow', 'policy.withdraw')`,
];
