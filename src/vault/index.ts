/** The keys of tenants and the credentials sealed with them: made, wrapped, unwrapped for a while, stored. */
export {
  type AccessToken,
  type AccessTokenPlace,
  type AccessTokenSealer,
  openAccessToken,
  prepareAccessTokenSealer,
  type SealedAccessToken,
} from './access-token-sealing.ts';
export {
  type ClaimTokenRefreshInput,
  claimTokenRefresh,
  readAccessToken,
  releaseTokenRefresh,
  type StoreAccessTokenInput,
  type StoredAccessToken,
  storeAccessToken,
  type TokenRefreshClaim,
} from './access-tokens.ts';
export {
  openCredentialSecret,
  type SealCredentialSecretInput,
  type SealedCredentialSecret,
  sealCredentialSecret,
} from './credential-sealing.ts';
export {
  CREDENTIAL_TYPES,
  type CredentialSecret,
  credentialWarning,
  isCredentialType,
  parseCredentialSecret,
} from './credential-secret.ts';
export {
  type Credential,
  type CredentialKey,
  deleteCredential,
  holdCredentialVersion,
  type InsertCredentialInput,
  insertCredential,
  isTouchDue,
  listCredentials,
  type OpenableCredential,
  type ReplaceCredentialSecretInput,
  readCredential,
  readCredentialSecret,
  readOpenableCredential,
  replaceCredentialSecret,
  touchCredential,
} from './credentials.ts';
export { type Keyring, type OpenKeyringOptions, openKeyring } from './keyring.ts';
export type { TenantKeys, TenantSigningKey, TextLocation, VaultKey } from './tenant-keys.ts';
export {
  insertTenantSecrets,
  type PreparedTenantSecrets,
  type PrepareTenantSecretsInput,
  prepareTenantSecrets,
} from './tenant-secrets.ts';
