import type { Selectable } from 'kysely';
import { isId, SealdeskError } from '../base/index.ts';
import {
  type ApiKeyDelivery,
  type ApiKeysTable,
  clausesOf,
  type KeysetPage,
  type Tx,
} from '../store/index.ts';
import { assertBindable } from './client-keys.ts';
import { assertName, assertOperationNames, assertRequestsPerMinute, invalid } from './fields.ts';
import { assertRolesOfTenant, parseRoles, type Role } from './role.ts';
import { findTenant } from './tenants.ts';

/** How often the last use of a key is noted. */
export const TOUCH_INTERVAL_MS = 60_000;

/** An API key as its tenant sees it; the secret is not part of it. */
export interface ApiKey {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly allowedOperations: readonly string[] | null;
  readonly clientKeyId: string | null;
  readonly requestsPerMinute: number | null;
  /** How what is of Zendesk leaves by GraphQL. */
  readonly delivery: ApiKeyDelivery;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface NewApiKey {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly secretSha256: Uint8Array;
  readonly roles: readonly Role[];
  /** Narrows what the integrations permit; left out or `null`, it does not. */
  readonly allowedOperations?: readonly string[] | null | undefined;
  readonly clientKeyId?: string | null | undefined;
  readonly requestsPerMinute?: number | null | undefined;
  /** `SEALED` where left out. */
  readonly delivery?: ApiKeyDelivery | undefined;
  readonly expiresAt?: Date | null | undefined;
  /** The id of the API key, or the name of the command, that made it. */
  readonly createdBy: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Throws VALIDATION_FAILED for a field at fault (also for roles that this tenant may not give),
 * NOT_FOUND for a tenant or client key that is not there, KEY_REVOKED for a client key that ended,
 * CONFLICT for one that is not confirmed.
 */
export async function insertApiKey(tx: Tx, apiKey: NewApiKey): Promise<ApiKey> {
  const { id, tenantId, name, roles, createdBy, now } = apiKey;
  const { allowedOperations = null, clientKeyId = null, requestsPerMinute = null, expiresAt = null } = apiKey;
  const { delivery = 'SEALED' } = apiKey;
  if (!isId('apiKey', id)) throw new TypeError('"id" must be the id of an API key');
  assertName(name);
  if (allowedOperations !== null) assertOperationNames(allowedOperations);
  if (requestsPerMinute !== null) assertRequestsPerMinute(requestsPerMinute);
  if (expiresAt !== null && !(expiresAt.getTime() > now)) throw invalid('expiresAt', 'must be in the future');
  const tenant = await findTenant(tx, tenantId);
  if (tenant === null) throw new SealdeskError('NOT_FOUND', 'There is no such tenant.');
  assertRolesOfTenant(tenant.kind, roles);
  if (clientKeyId !== null) await assertBindable(tx, tenantId, clientKeyId, now);
  const row = await tx
    .insertInto('api_keys')
    .values({
      id,
      tenant_id: tenantId,
      name,
      secret_sha256: apiKey.secretSha256,
      roles: [...roles],
      allowed_operations: allowedOperations === null ? null : [...allowedOperations],
      client_key_id: clientKeyId,
      requests_per_minute: requestsPerMinute,
      delivery,
      created_by: createdBy,
      created_at: new Date(now),
      expires_at: expiresAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return fromRow(row);
}

/** The API key, revoked and expired ones too, or `null`. */
export async function findApiKey(tx: Tx, tenantId: string, apiKeyId: string): Promise<ApiKey | null> {
  const row = await tx
    .selectFrom('api_keys')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', apiKeyId)
    .executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

/** All API keys of the tenant, revoked and expired ones too. */
export async function listApiKeys(tx: Tx, tenantId: string, page: KeysetPage): Promise<readonly ApiKey[]> {
  const { within, order, limit } = clausesOf(page);
  const rows = await tx
    .selectFrom('api_keys')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where(within)
    .orderBy('id', order)
    .limit(limit)
    .execute();
  return rows.map(fromRow);
}

/** Ends the API key; the first time counts when it is done twice. Throws NOT_FOUND. */
export async function revokeApiKey(tx: Tx, tenantId: string, apiKeyId: string, now: number): Promise<ApiKey> {
  const row = await tx
    .updateTable('api_keys')
    .set((column) => ({ revoked_at: column.fn.coalesce('revoked_at', column.val(new Date(now))) }))
    .where('tenant_id', '=', tenantId)
    .where('id', '=', apiKeyId)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new SealdeskError('NOT_FOUND', 'There is no such API key.');
  return fromRow(row);
}

/** Notes the use of an API key unless `lastUsedAt`, as just read, is younger than {@link TOUCH_INTERVAL_MS}. */
export async function touchApiKey(
  tx: Tx,
  apiKeyId: string,
  lastUsedAt: Date | null,
  now: number,
): Promise<void> {
  const due = new Date(now - TOUCH_INTERVAL_MS);
  if (lastUsedAt !== null && lastUsedAt > due) return;
  await tx
    .updateTable('api_keys')
    .set({ last_used_at: new Date(now) })
    .where('id', '=', apiKeyId)
    .where((row) => row.or([row('last_used_at', 'is', null), row('last_used_at', '<=', due)]))
    .execute();
}

function fromRow(row: Selectable<ApiKeysTable>): ApiKey {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    roles: parseRoles(row.roles),
    allowedOperations: row.allowed_operations,
    clientKeyId: row.client_key_id,
    requestsPerMinute: row.requests_per_minute,
    delivery: row.delivery,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
