import { type Kysely, sql } from 'kysely';

/**
 * Connecting by OAuth: what was begun at Zendesk and how it ended. The state that comes back is known by its hash
 * only; what must be kept to finish (the verifier, the client's secret, the tokens until they are a credential) is
 * sealed, and gone as soon as it is over. It outlives its integration, so that what was granted for one that is
 * deleted meanwhile is taken back.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  `CREATE TABLE zendesk_authorizations (
     id text PRIMARY KEY,
     tenant_id text NOT NULL REFERENCES tenants,
     integration_id text NOT NULL,
     requested_by text NOT NULL,
     state_hash bytea NOT NULL UNIQUE CHECK (octet_length(state_hash) = 32),
     status text NOT NULL CHECK (status IN
       ('PENDING', 'EXCHANGING', 'GRANTED', 'CONNECTED', 'DENIED', 'FAILED', 'EXPIRED')),
     scopes text[] NOT NULL,
     secrets bytea,
     pair bytea,
     failure text,
     missing_scopes text[] NOT NULL DEFAULT '{}',
     credential_id text,
     replaced_credential_id text,
     left_until timestamptz,
     created_at timestamptz NOT NULL,
     expires_at timestamptz NOT NULL,
     attended_until timestamptz,
     finished_at timestamptz,
     CHECK ((secrets IS NOT NULL) = (status IN ('PENDING', 'EXCHANGING', 'GRANTED'))),
     CHECK ((pair IS NOT NULL) = (status = 'GRANTED')),
     CHECK ((attended_until IS NOT NULL) = (status IN ('EXCHANGING', 'GRANTED')))
   )`,
  `CREATE INDEX zendesk_authorizations_by_tenant ON zendesk_authorizations (tenant_id, id)`,
  `CREATE INDEX zendesk_authorizations_waiting ON zendesk_authorizations (expires_at) WHERE status = 'PENDING'`,
  `CREATE INDEX zendesk_authorizations_under_way ON zendesk_authorizations (attended_until)
     WHERE status IN ('EXCHANGING', 'GRANTED')`,
  `CREATE INDEX zendesk_authorizations_by_age ON zendesk_authorizations (created_at)`,
  `ALTER TABLE zendesk_authorizations ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY own_tenant ON zendesk_authorizations
     USING (tenant_id = current_setting('sealdesk.tenant_id', true))
     WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
];
