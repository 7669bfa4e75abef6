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
  abandonTokenRefresh,
  type ClaimTokenRefreshInput,
  claimTokenRefresh,
  pauseTokenRefresh,
  readAccessToken,
  readTokenPause,
  releaseTokenRefresh,
  type StoreAccessTokenInput,
  type StoredAccessToken,
  storeAccessToken,
  type TokenRefreshClaim,
} from './access-tokens.ts';
export type { CheckpointSigner } from './checkpoint-signer.ts';
export {
  type CredentialPlace,
  type CredentialSealer,
  type NewCredentialSecret,
  openCredentialSecret,
  type PrepareCredentialSealerInput,
  prepareCredentialSealer,
  type SealCredentialSecretInput,
  type SealedCredentialSecret,
  sealCredentialSecret,
} from './credential-sealing.ts';
export {
  CREDENTIAL_TYPES,
  type CredentialSecret,
  credentialWarning,
  expiryOfSecret,
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
  lockCredential,
  type OpenableCredential,
  type ReplaceCredentialSecretInput,
  readCredential,
  readCredentialSecret,
  readOpenableCredential,
  replaceCredentialSecret,
  touchCredential,
} from './credentials.ts';
export {
  claimRotation,
  findRunningRotation,
  findUnclaimedRotations,
  finishRotation,
  insertKeyRotation,
  type KeyRotation,
  listKeyRotations,
  releaseRotation,
} from './key-rotations.ts';
export { type Keyring, type OpenKeyringOptions, openKeyring } from './keyring.ts';
export { proveKmsKey } from './prove-kms-key.ts';
export {
  countByKmsKey,
  countByVaultKey,
  countResting,
  findTenantsElsewhere,
  type KmsKeyUse,
  listRestingAccessTokens,
  listRestingCredentials,
  type RestingGoal,
  replaceRestingAccessToken,
  replaceRestingCredential,
  restingSecrets,
  type VaultKeyUse,
} from './resting.ts';
export { rewrapAccessToken, rewrapCredentialSecret } from './rewrap.ts';
export {
  destroyRetiredSeeds,
  findUnsettledTenants,
  insertSigningKey,
  readSigningKeys,
  revokeSigningKeys,
  type SigningKeyRecord,
  settleSigningKeys,
  signingKeysAt,
} from './signing-keys.ts';
export type { TenantKeys, TenantSigningKey, TextLocation, VaultKey } from './tenant-keys.ts';
export {
  deleteSecretVersions,
  insertSecretRows,
  insertTenantSecrets,
  makeTenantSecret,
  type PreparedTenantSecrets,
  type PrepareTenantSecretsInput,
  prepareTenantSecrets,
  readTenantSecrets,
  replaceSecretRow,
  rewrapTenantSecret,
  type TenantSecretRow,
} from './tenant-secrets.ts';
