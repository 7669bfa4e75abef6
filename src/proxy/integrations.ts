import type { Selectable } from 'kysely';
import type { IntegrationStatus, IntegrationsTable, ReconnectReason, Tx } from '../store/index.ts';

/** A Zendesk account and the policy under which it is called. */
export interface Integration {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly systemType: 'ZENDESK';
  readonly subdomain: string;
  readonly credentialId: string | null;
  readonly allowedOperations: readonly string[];
  readonly status: IntegrationStatus;
  /** Why Zendesk does not accept the credential any more, and since when; `null` where it does as far as is known. */
  readonly reconnect: { readonly reason: ReconnectReason; readonly since: Date } | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The integration, or `null` where the tenant has none of this id. */
export async function findIntegration(
  tx: Tx,
  tenantId: string,
  integrationId: string,
): Promise<Integration | null> {
  const row = await tx
    .selectFrom('integrations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', integrationId)
    .executeTakeFirst();
  return row === undefined ? null : toIntegration(row);
}

/** {@link findIntegration}, locked against change until the transaction ends. */
export async function holdIntegration(
  tx: Tx,
  tenantId: string,
  integrationId: string,
): Promise<Integration | null> {
  const row = await tx
    .selectFrom('integrations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', integrationId)
    .forShare()
    .executeTakeFirst();
  return row === undefined ? null : toIntegration(row);
}

/** The integration of a row. */
export function toIntegration(row: Selectable<IntegrationsTable>): Integration {
  const { reconnect_reason: reason, reconnect_since: since } = row;
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    systemType: row.system_type,
    subdomain: row.subdomain,
    credentialId: row.credential_id,
    allowedOperations: row.allowed_operations,
    status: row.status,
    reconnect: reason === null || since === null ? null : { reason, since },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
