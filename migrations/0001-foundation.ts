import { type Kysely, sql } from 'kysely';

/**
 * Tenants, their sealed secrets, API and client keys, credentials, integrations and the audit log.
 * Every table with a `tenant_id` is closed by row-level security to the role of the tenants' work;
 * the store creates that role and grants it what `src/store/tenant-role.ts` lists.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  `CREATE TABLE tenants (
     id text PRIMARY KEY,
     tenant_id text NOT NULL GENERATED ALWAYS AS (id) STORED,
     kind text NOT NULL CHECK (kind IN ('INSTALLATION', 'CUSTOMER')),
     name text NOT NULL,
     kms_key_ref text,
     created_at timestamptz NOT NULL DEFAULT now()
   )`,
  `CREATE UNIQUE INDEX tenants_one_installation ON tenants (kind) WHERE kind = 'INSTALLATION'`,

  `CREATE TABLE tenant_secrets (
     tenant_id text NOT NULL REFERENCES tenants,
     purpose text NOT NULL CHECK (purpose IN
       ('vault', 'envelope-signing', 'audit-signing', 'mac-root', 'storage', 'index')),
     version integer NOT NULL CHECK (version > 0),
     sealed bytea NOT NULL,
     encrypted_data_key bytea NOT NULL,
     kms_key_ref text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (tenant_id, purpose, version)
   )`,

  `CREATE TABLE signing_keys (
     id text PRIMARY KEY,
     tenant_id text NOT NULL REFERENCES tenants,
     kid text NOT NULL,
     version integer NOT NULL,
     public_key bytea NOT NULL,
     status text NOT NULL CHECK (status IN ('ACTIVE', 'RETIRED')),
     not_before timestamptz NOT NULL,
     not_after timestamptz,
     UNIQUE (tenant_id, version),
     UNIQUE (tenant_id, kid)
   )`,

  `CREATE TABLE client_keys (
     id text PRIMARY KEY,
     tenant_id text NOT NULL REFERENCES tenants,
     lineage_id text NOT NULL,
     status text NOT NULL CHECK (status IN ('PENDING', 'CONFIRMED', 'ACTIVE', 'RETIRED', 'REVOKED')),
     name text,
     kem_kid text NOT NULL,
     sig_kid text NOT NULL,
     kem_public_key bytea NOT NULL,
     sig_public_key bytea NOT NULL,
     registered_by text NOT NULL,
     mapped_by text,
     created_at timestamptz NOT NULL DEFAULT now(),
     pending_until timestamptz,
     confirmed_at timestamptz,
     mapped_at timestamptz,
     ended_at timestamptz,
     end_reason text,
     last_used_at timestamptz,
     UNIQUE (tenant_id, id),
     UNIQUE (tenant_id, kem_kid),
     UNIQUE (tenant_id, sig_kid)
   )`,

  `CREATE TABLE api_keys (
     id text PRIMARY KEY,
     tenant_id text NOT NULL REFERENCES tenants,
     name text NOT NULL,
     secret_sha256 bytea NOT NULL,
     roles text[] NOT NULL,
     allowed_operations text[],
     client_key_id text,
     requests_per_minute integer CHECK (requests_per_minute > 0),
     created_by text NOT NULL,
     created_at timestamptz NOT NULL DEFAULT now(),
     expires_at timestamptz,
     last_used_at timestamptz,
     revoked_at timestamptz,
     FOREIGN KEY (tenant_id, client_key_id) REFERENCES client_keys (tenant_id, id)
   )`,
  `CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id, id)`,

  `CREATE TABLE credentials (
     id text PRIMARY KEY,
     tenant_id text NOT NULL REFERENCES tenants,
     name text,
     type text NOT NULL CHECK (type IN ('oauth2_token', 'oauth2_client', 'basic_auth', 'api_key')),
     version integer NOT NULL CHECK (version > 0),
     created_at timestamptz NOT NULL DEFAULT now(),
     subdomain text,
     rotated_at timestamptz,
     expires_at timestamptz,
     last_used_at timestamptz,
     UNIQUE (tenant_id, id)
   )`,
  `CREATE TABLE credential_secrets (
     credential_id text PRIMARY KEY,
     tenant_id text NOT NULL,
     version integer NOT NULL,
     vault_key_version integer NOT NULL,
     sealed bytea NOT NULL,
     encrypted_data_key bytea NOT NULL,
     kms_key_ref text NOT NULL,
     FOREIGN KEY (tenant_id, credential_id) REFERENCES credentials (tenant_id, id) ON DELETE CASCADE
   )`,
  `CREATE TABLE access_tokens (
     credential_id text PRIMARY KEY,
     tenant_id text NOT NULL,
     credential_version integer NOT NULL,
     version integer NOT NULL DEFAULT 0,
     vault_key_version integer,
     sealed bytea,
     encrypted_data_key bytea,
     kms_key_ref text,
     expires_at timestamptz,
     refresh_attempt text,
     refresh_until timestamptz,
     FOREIGN KEY (tenant_id, credential_id) REFERENCES credentials (tenant_id, id) ON DELETE CASCADE
   )`,

  `CREATE TABLE integrations (
     id text PRIMARY KEY,
     tenant_id text NOT NULL REFERENCES tenants,
     name text NOT NULL,
     system_type text NOT NULL CHECK (system_type IN ('ZENDESK')),
     subdomain text NOT NULL,
     credential_id text,
     allowed_operations text[] NOT NULL DEFAULT '{}',
     status text NOT NULL CHECK (status IN ('ACTIVE', 'DISABLED')),
     created_at timestamptz NOT NULL DEFAULT now(),
     updated_at timestamptz NOT NULL DEFAULT now(),
     FOREIGN KEY (tenant_id, credential_id) REFERENCES credentials (tenant_id, id)
   )`,
  `CREATE INDEX integrations_by_tenant ON integrations (tenant_id, id)`,
  `CREATE INDEX integrations_by_credential ON integrations (credential_id)`,

  `CREATE TABLE audit_events (
     tenant_id text NOT NULL REFERENCES tenants,
     index bigint NOT NULL CHECK (index >= 0),
     id text NOT NULL,
     leaf bytea NOT NULL,
     leaf_hash bytea NOT NULL,
     occurred_at timestamptz NOT NULL,
     actor_id text NOT NULL,
     phase text NOT NULL CHECK (phase IN ('INTENT', 'OUTCOME', 'SINGLE')),
     intent_id text,
     action text NOT NULL,
     outcome text,
     integration_id text,
     operation text,
     PRIMARY KEY (tenant_id, index),
     UNIQUE (tenant_id, id)
   )`,
  `CREATE INDEX audit_events_by_actor ON audit_events (tenant_id, actor_id, index)`,
  `CREATE INDEX audit_events_by_operation ON audit_events (tenant_id, operation, index)`,
  `CREATE INDEX audit_events_by_integration ON audit_events (tenant_id, integration_id, index)`,
  `CREATE INDEX audit_events_by_intent ON audit_events (tenant_id, intent_id) WHERE intent_id IS NOT NULL`,
  `CREATE INDEX audit_events_by_time ON audit_events (tenant_id, occurred_at, index)`,
  `CREATE TABLE audit_heads (
     tenant_id text PRIMARY KEY REFERENCES tenants,
     size bigint NOT NULL CHECK (size >= 0),
     frontier bytea NOT NULL,
     root bytea NOT NULL,
     mac bytea NOT NULL,
     updated_at timestamptz NOT NULL
   )`,
  `CREATE TABLE open_intents (
     intent_id text PRIMARY KEY,
     tenant_id text NOT NULL REFERENCES tenants,
     opened_at timestamptz NOT NULL
   )`,
  `CREATE INDEX open_intents_by_age ON open_intents (opened_at)`,

  `CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
   END $$`,
  `CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
     FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()`,
  `CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
     FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`,
  `CREATE TRIGGER audit_heads_no_removal BEFORE DELETE OR TRUNCATE ON audit_heads
     FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`,

  ...[
    'tenants',
    'tenant_secrets',
    'signing_keys',
    'client_keys',
    'api_keys',
    'credentials',
    'credential_secrets',
    'access_tokens',
    'integrations',
    'audit_events',
    'audit_heads',
    'open_intents',
  ].flatMap((table) => [
    `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY own_tenant ON ${table}
       USING (tenant_id = current_setting('sealdesk.tenant_id', true))
       WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
  ]),
];
