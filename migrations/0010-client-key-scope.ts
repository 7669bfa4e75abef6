import { type Kysely, sql } from 'kysely';

/**
 * Client keys that are good for one organization or one requester of one integration, and what the change feed
 * must know for them: where a ticket's last version belonged, and which tickets a lineage was shown that the feed
 * has not told of yet. Ids only.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS: readonly string[] = [
  `ALTER TABLE client_keys
     ADD COLUMN scope_integration_id text,
     ADD COLUMN scope_organization_id bigint CHECK (scope_organization_id > 0),
     ADD COLUMN scope_requester_id bigint CHECK (scope_requester_id > 0),
     ADD CHECK (num_nonnulls(scope_organization_id, scope_requester_id) = num_nonnulls(scope_integration_id))`,
  `CREATE TRIGGER client_keys_scope_kept BEFORE UPDATE ON client_keys FOR EACH ROW
     WHEN (OLD.mapped_at IS NOT NULL
       AND (NEW.scope_integration_id, NEW.scope_organization_id, NEW.scope_requester_id)
         IS DISTINCT FROM (OLD.scope_integration_id, OLD.scope_organization_id, OLD.scope_requester_id))
     EXECUTE FUNCTION refuse_client_key_change()`,

  `ALTER TABLE feed_tickets
     ADD COLUMN organization_id bigint,
     ADD COLUMN requester_id bigint,
     ADD COLUMN is_public boolean`,

  `CREATE TABLE feed_shown_tickets (
     integration_id text NOT NULL,
     tenant_id text NOT NULL,
     lineage_id text NOT NULL,
     ticket_id bigint NOT NULL,
     PRIMARY KEY (integration_id, lineage_id, ticket_id),
     FOREIGN KEY (tenant_id, integration_id) REFERENCES ticket_feeds (tenant_id, integration_id) ON DELETE CASCADE
   )`,
  `ALTER TABLE feed_shown_tickets ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY own_tenant ON feed_shown_tickets
     USING (tenant_id = current_setting('sealdesk.tenant_id', true))
     WITH CHECK (tenant_id = current_setting('sealdesk.tenant_id', true))`,
];
