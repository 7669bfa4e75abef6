import { type Kysely, sql } from 'kysely';

/**
 * Rotation of the gateway's own keys: signing keys that are published before they sign, with the step that
 * their predecessor signed; and what is under way to bring stored secrets from an old vault or KMS key to
 * the present one. That nothing is left sealed to a vault key that is gone is held by foreign keys.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  `ALTER TABLE signing_keys DROP CONSTRAINT signing_keys_status_check`,
  `ALTER TABLE signing_keys
     ADD CONSTRAINT signing_keys_status_check CHECK (status IN ('PENDING', 'ACTIVE', 'RETIRED', 'REVOKED')),
     ADD COLUMN published_at timestamptz NOT NULL DEFAULT now(),
     ADD COLUMN succeeds text,
     ADD COLUMN transition bytea,
     ADD CHECK ((succeeds IS NULL) = (transition IS NULL))`,
  `UPDATE signing_keys SET published_at = not_before`,
  `CREATE UNIQUE INDEX signing_keys_one_pending ON signing_keys (tenant_id) WHERE status = 'PENDING'`,

  ...['credential_secrets', 'access_tokens'].flatMap((table) => [
    `ALTER TABLE ${table} ADD COLUMN vault_purpose text NOT NULL GENERATED ALWAYS AS ('vault') STORED`,
    `CREATE INDEX ${table}_by_vault_key ON ${table} (tenant_id, vault_key_version)`,
    `ALTER TABLE ${table} ADD FOREIGN KEY (tenant_id, vault_purpose, vault_key_version)
       REFERENCES tenant_secrets (tenant_id, purpose, version)`,
  ]),

  `CREATE TABLE key_rotations (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     tenant_id text NOT NULL REFERENCES tenants,
     what text NOT NULL CHECK (what IN ('VAULT', 'KMS')),
     from_refs text[] NOT NULL,
     to_ref text NOT NULL,
     total integer NOT NULL CHECK (total >= 0),
     state text NOT NULL CHECK (state IN ('RUNNING', 'DONE', 'SUPERSEDED')),
     failure text,
     started_at timestamptz NOT NULL,
     finished_at timestamptz,
     lease_holder text,
     lease_until timestamptz,
     CHECK ((state = 'RUNNING') = (finished_at IS NULL))
   )`,
  `CREATE UNIQUE INDEX key_rotations_one_running ON key_rotations (tenant_id, what) WHERE state = 'RUNNING'`,
  `CREATE INDEX key_rotations_by_tenant ON key_rotations (tenant_id, id)`,
  `ALTER TABLE key_rotations ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY own_tenant ON key_rotations
     USING (tenant_id = current_setting('sealdesk.tenant_id', true))
     WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
];
