import { equalBytes, SealdeskError } from '../base/index.ts';
import type { ApiKeyDelivery, TenantKind, Tx } from '../store/index.ts';
import { parseApiKey } from './api-key-text.ts';
import { touchApiKey } from './api-keys.ts';
import type { ClientKey } from './client-key.ts';
import { findStandingKey } from './lineage.ts';
import { parseRoles, type Role } from './role.ts';

/** Who logged in, by which key, and how far it goes. */
export interface Caller {
  /** An API key, or a client key that signed its own login. */
  readonly kind: 'API_KEY' | 'CLIENT_KEY';
  /** The id of that key, `api_…` or `key_…`. */
  readonly id: string;
  readonly tenantId: string;
  readonly tenantKind: TenantKind;
  /** Of an API key that is bound to a restricted client key, {@link RESTRICTED_ROLES} only. */
  readonly roles: readonly Role[];
  /** The operations that the key is narrowed to, `null` where it is not. */
  readonly allowedOperations: readonly string[] | null;
  /**
   * The client key whose lineage answers are sealed to, the caller's own where it is one; `null` for an API key that
   * is bound to none.
   */
  readonly clientKeyId: string | null;
  /** The key that stood for that one's lineage when the caller was looked up: itself, or a successor of what an API key is bound to. */
  readonly boundKey: ClientKey | null;
  /** `null` for the default of the installation. */
  readonly requestsPerMinute: number | null;
  /** How what is of Zendesk leaves by GraphQL where the request does not ask for it sealed. */
  readonly delivery: ApiKeyDelivery;
}

/** What whoever is restricted may be: all else shows or changes what is the whole tenant's. */
const RESTRICTED_ROLES: readonly Role[] = ['AGENT', 'DASHBOARD'];

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
  const boundKey =
    row.client_key_id === null ? null : await findStandingKey(tx, row.tenant_id, row.client_key_id, now);
  const roles = parseRoles(row.roles);
  return {
    kind: 'API_KEY',
    id: row.id,
    tenantId: row.tenant_id,
    tenantKind: row.tenant_kind,
    roles: boundKey?.restriction == null ? roles : roles.filter((role) => RESTRICTED_ROLES.includes(role)),
    allowedOperations: row.allowed_operations,
    clientKeyId: row.client_key_id,
    boundKey,
    requestsPerMinute: row.requests_per_minute,
    delivery: row.delivery,
  };
}
