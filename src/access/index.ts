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
  type ClientKeyLogin,
  isReceiving,
  LOGIN_ROLES,
  OVERLAP_MS,
  type Succession,
} from './client-key.ts';
export {
  type ClientKeyCounts,
  type ClientKeyFilter,
  countClientKeys,
  listClientKeys,
  listMappedKeys,
} from './client-key-lists.ts';
export {
  callerOfKey,
  findLoginKey,
  isSignedBy,
  type LoginKey,
  redeemLogin,
  sweepLoginTokens,
} from './client-key-login.ts';
export {
  type ClientKeyAct,
  confirmClientKey,
  findClientKey,
  findTenantOfClientKey,
  insertClientKey,
  isClientKeyTouchDue,
  MAX_PENDING_KEYS,
  type NewClientKey,
  PENDING_LIFETIME_MS,
  type RecordedKeyAct,
  revokeClientKey,
  touchClientKey,
  touchClientKeys,
} from './client-keys.ts';
export { createInboundLimiter, type InboundLimiter, type InboundLimiterOptions } from './inbound-limiter.ts';
export { findEndedKeys } from './key-endings.ts';
export { ofLineage } from './lineage-member.ts';
export { type MapClientKeyAct, mapClientKey } from './map-client-key.ts';
export {
  boundRecipient,
  chooseRecipient,
  explainRefusal,
  REMINDER_MS,
  type Recipient,
  restrictionFor,
} from './recipient.ts';
export type { Restriction } from './restriction.ts';
export { assertRole, isRole, ROLES, type Role } from './role.ts';
export { findWaitingSuccessor, type Rotation, revokeVouched, startRotation } from './rotation.ts';
export { assertStillEntitled, assertStillPlaintext, assertStillValid } from './still-entitled.ts';
export {
  findInstallationTenant,
  findTenant,
  holdTenant,
  insertTenant,
  listTenants,
  type NewTenant,
  setTenantKmsKey,
  type Tenant,
} from './tenants.ts';
