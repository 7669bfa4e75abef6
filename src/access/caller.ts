import { equalBytes, SealdeskError } from '../base/index.ts';
import type { ApiKeyDelivery, TenantKind, Tx } from '../store/index.ts';
import { parseApiKey } from './api-key-text.ts';
import { parseRoles, touchApiKey } from './api-keys.ts';
import type { ClientKey } from './client-key.ts';
import { findClientKey } from './client-keys.ts';
import type { Role } from './role.ts';

/** Who a valid API key speaks for, and how far. */
export interface Caller {
  readonly apiKeyId: string;
  readonly tenantId: string;
  readonly tenantKind: TenantKind;
  readonly roles: readonly Role[];
  /** The operations that the key is narrowed to, `null` where it is not. */
  readonly allowedOperations: readonly string[] | null;
  /** The client key that answers are sealed to, `null` where the key is bound to none. */
  readonly clientKeyId: string | null;
  /** That client key as it was when the caller was looked up. */
  readonly boundKey: ClientKey | null;
  /** `null` for the default of the installation. */
  readonly requestsPerMinute: number | null;
  /** How what is of Zendesk leaves by GraphQL where the request does not ask for it sealed. */
  readonly delivery: ApiKeyDelivery;
}

/** Stand in for a key that is not there, so that every refusal takes the same path. */
const NO_KEY_ID = 'api_00000000000000000000000000';
const NO_SECRET = new Uint8Array(32);

/**
 * The caller whose API key `text` is; `now` in milliseconds since 1970. For
 * `withSystem('api-key-lookup')`. Notes the key's use, at most once a minute.
 *
 * Throws UNAUTHENTICATED, with one text for a malformed, an unknown and a wrong key; that a key has
 * expired or was revoked is told only to who has its secret.
 */
export async function authenticateApiKey(tx: Tx, text: string, now: number): Promise<Caller> {
  const parsed = parseApiKey(text);
  const row = await tx
    .selectFrom('api_keys')
    .innerJoin('tenants', 'tenants.id', 'api_keys.tenant_id')
    .selectAll('api_keys')
    .select('tenants.kind as tenant_kind')
    .where('api_keys.id', '=', parsed?.apiKeyId ?? NO_KEY_ID)
    .executeTakeFirst();
  const isSame = equalBytes(row?.secret_sha256 ?? NO_SECRET, parsed?.secretSha256 ?? NO_SECRET);
  if (row === undefined || parsed === null || !isSame) {
    throw new SealdeskError(
      'UNAUTHENTICATED',
      'The API key is not valid. Send the whole key as it was shown when created.',
    );
  }
  if (row.revoked_at !== null) {
    throw new SealdeskError('UNAUTHENTICATED', 'The API key was revoked. An ADMIN can create another.');
  }
  if (row.expires_at !== null && row.expires_at.getTime() <= now) {
    throw new SealdeskError('UNAUTHENTICATED', 'The API key has expired. An ADMIN can create another.');
  }
  await touchApiKey(tx, row.id, row.last_used_at, now);
  return {
    apiKeyId: row.id,
    tenantId: row.tenant_id,
    tenantKind: row.tenant_kind,
    roles: parseRoles(row.roles),
    allowedOperations: row.allowed_operations,
    clientKeyId: row.client_key_id,
    boundKey: row.client_key_id === null ? null : await findClientKey(tx, row.tenant_id, row.client_key_id),
    requestsPerMinute: row.requests_per_minute,
    delivery: row.delivery,
  };
}
