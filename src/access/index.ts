/** Who may do what: tenants, API keys and their roles, client keys, the recipient of an answer, inbound rate limits. */
export { type ActiveKey, listActiveKeys, readKemPublicKeys } from './active-keys.ts';
export { addressBucket } from './address-bucket.ts';
export { type ApiKeySecret, createApiKeySecret, parseApiKey } from './api-key-text.ts';
export {
  type ApiKey,
  findApiKey,
  insertApiKey,
  listApiKeys,
  type NewApiKey,
  revokeApiKey,
} from './api-keys.ts';
export { authenticateApiKey, type Caller } from './caller.ts';
export {
  CLIENT_KEY_END_REASONS,
  CLIENT_KEY_MOVES,
  type ClientKey,
  type ClientKeyEndReason,
} from './client-key.ts';
export {
  type ClientKeyAct,
  confirmClientKey,
  findClientKey,
  findTenantOfClientKey,
  insertClientKey,
  isClientKeyTouchDue,
  listClientKeys,
  MAX_PENDING_KEYS,
  mapClientKey,
  type NewClientKey,
  PENDING_LIFETIME_MS,
  revokeClientKey,
  touchClientKey,
} from './client-keys.ts';
export { createInboundLimiter, type InboundLimiter, type InboundLimiterOptions } from './inbound-limiter.ts';
export { findEndedKeys } from './key-endings.ts';
export { boundRecipient, chooseRecipient, type Recipient } from './recipient.ts';
export { assertRole, isRole, ROLES, type Role } from './role.ts';
export { assertStillEntitled, assertStillPlaintext, assertStillValid } from './still-entitled.ts';
export {
  findInstallationTenant,
  findTenant,
  insertTenant,
  listTenants,
  type NewTenant,
  type Tenant,
} from './tenants.ts';
