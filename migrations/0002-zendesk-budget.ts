import { type Kysely, sql } from 'kysely';

/** The request budgets of Zendesk accounts, shared by all processes: a row for each tenant, account and bucket. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  `CREATE TABLE zendesk_budgets (
     tenant_id text NOT NULL REFERENCES tenants,
     origin text NOT NULL,
     bucket text NOT NULL,
     state jsonb,
     updated_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (tenant_id, origin, bucket)
   ) WITH (fillfactor = 50)`,
  `ALTER TABLE zendesk_budgets ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY own_tenant ON zendesk_budgets
     USING (tenant_id = current_setting('sealdesk.tenant_id', true))
     WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
];
