import { type Kysely, sql } from 'kysely';

/**
 * Logging in by a client key: what a key may do that logs in by itself, nothing unless its mapping says so, and
 * the tokens that were used, each kept until it would be refused for its age.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  `ALTER TABLE client_keys ADD COLUMN login_roles text[], ADD COLUMN login_operations text[],
     ADD CHECK (login_operations IS NULL OR login_roles IS NOT NULL)`,
  `CREATE TRIGGER client_keys_login_kept BEFORE UPDATE ON client_keys FOR EACH ROW
     WHEN (OLD.mapped_at IS NOT NULL
       AND (NEW.login_roles, NEW.login_operations) IS DISTINCT FROM (OLD.login_roles, OLD.login_operations))
     EXECUTE FUNCTION refuse_client_key_change()`,

  `CREATE TABLE login_tokens (
     tenant_id text NOT NULL,
     client_key_id text NOT NULL,
     jti text NOT NULL,
     expires_at timestamptz NOT NULL,
     PRIMARY KEY (tenant_id, client_key_id, jti),
     FOREIGN KEY (tenant_id, client_key_id) REFERENCES client_keys (tenant_id, id) ON DELETE CASCADE
   )`,
  `CREATE INDEX login_tokens_by_time ON login_tokens (expires_at)`,
  `ALTER TABLE login_tokens ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY own_tenant ON login_tokens
     USING (tenant_id = current_setting('sealdesk.tenant_id', true))
     WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
];
