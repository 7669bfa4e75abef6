/** The shape of every table, as Kysely sees it. `bytea` columns read as Uint8Array on both databases. */
import type { ColumnType, Generated } from 'kysely';

type Timestamp = ColumnType<Date, Date, Date>;
type NullableTimestamp = ColumnType<Date | null, Date | null | undefined, Date | null>;
type Blob = ColumnType<Uint8Array, Uint8Array, Uint8Array>;
type NullableBlob = ColumnType<Uint8Array | null, Uint8Array | null | undefined, Uint8Array | null>;
/** `bigint` column: read and written as a JavaScript number; the store parses it and refuses what is not a safe integer. */
type SafeInteger = ColumnType<number, number, number>;
type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>;

export type TenantKind = 'INSTALLATION' | 'CUSTOMER';
export type SecretPurpose = 'vault' | 'envelope-signing' | 'audit-signing' | 'mac-root' | 'storage' | 'index';
export type ClientKeyStatus = 'PENDING' | 'CONFIRMED' | 'ACTIVE' | 'RETIRED' | 'REVOKED';
export type CredentialType = 'oauth2_token' | 'oauth2_client' | 'basic_auth' | 'api_key';
export type IntegrationStatus = 'ACTIVE' | 'DISABLED';
/** How what is of Zendesk leaves by GraphQL: sealed to a client key, or in the clear. */
export type ApiKeyDelivery = 'SEALED' | 'PLAINTEXT';
export type AuditPhase = 'INTENT' | 'OUTCOME' | 'SINGLE';

export interface TenantsTable {
  id: string;
  tenant_id: ColumnType<string, never, never>;
  kind: TenantKind;
  name: string;
  kms_key_ref: Nullable<string>;
  created_at: Generated<Date>;
}

export interface TenantSecretsTable {
  tenant_id: string;
  purpose: SecretPurpose;
  version: number;
  sealed: Blob;
  encrypted_data_key: Blob;
  kms_key_ref: string;
  created_at: Generated<Date>;
}

export interface SigningKeysTable {
  id: string;
  tenant_id: string;
  kid: string;
  version: number;
  public_key: Blob;
  status: 'ACTIVE' | 'RETIRED';
  not_before: Timestamp;
  not_after: NullableTimestamp;
}

export interface ClientKeysTable {
  id: string;
  tenant_id: string;
  /** The id of the first key of this key's line of successors. */
  lineage_id: string;
  status: ClientKeyStatus;
  name: Nullable<string>;
  kem_kid: string;
  sig_kid: string;
  kem_public_key: Blob;
  sig_public_key: Blob;
  registered_by: string;
  mapped_by: Nullable<string>;
  created_at: Generated<Date>;
  pending_until: NullableTimestamp;
  confirmed_at: NullableTimestamp;
  mapped_at: NullableTimestamp;
  ended_at: NullableTimestamp;
  end_reason: Nullable<string>;
  last_used_at: NullableTimestamp;
}

export interface ApiKeysTable {
  id: string;
  tenant_id: string;
  name: string;
  secret_sha256: Blob;
  roles: string[];
  allowed_operations: Nullable<string[]>;
  client_key_id: Nullable<string>;
  requests_per_minute: Nullable<number>;
  delivery: Generated<ApiKeyDelivery>;
  created_by: string;
  created_at: Generated<Date>;
  expires_at: NullableTimestamp;
  last_used_at: NullableTimestamp;
  revoked_at: NullableTimestamp;
}

export interface CredentialsTable {
  id: string;
  tenant_id: string;
  name: Nullable<string>;
  type: CredentialType;
  version: number;
  created_at: Generated<Date>;
  /** The Zendesk account that it was first used for, and the only one that it is ever sent to. */
  subdomain: Nullable<string>;
  rotated_at: NullableTimestamp;
  expires_at: NullableTimestamp;
  last_used_at: NullableTimestamp;
}

/** The sealed secret of a credential's current version; a rotation overwrites the older one. */
export interface CredentialSecretsTable {
  credential_id: string;
  tenant_id: string;
  version: number;
  vault_key_version: number;
  sealed: Blob;
  encrypted_data_key: Blob;
  kms_key_ref: string;
}

/** The sealed access token fetched for an `oauth2_client` credential, and who is fetching the next one. */
export interface AccessTokensTable {
  credential_id: string;
  tenant_id: string;
  credential_version: number;
  version: Generated<number>;
  vault_key_version: Nullable<number>;
  sealed: NullableBlob;
  encrypted_data_key: NullableBlob;
  kms_key_ref: Nullable<string>;
  expires_at: NullableTimestamp;
  refresh_attempt: Nullable<string>;
  refresh_until: NullableTimestamp;
}

export interface IntegrationsTable {
  id: string;
  tenant_id: string;
  name: string;
  system_type: 'ZENDESK';
  subdomain: string;
  credential_id: Nullable<string>;
  allowed_operations: Generated<string[]>;
  status: IntegrationStatus;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

/** `leaf` is the event; the other columns repeat what filters need. */
export interface AuditEventsTable {
  tenant_id: string;
  index: SafeInteger;
  id: string;
  leaf: Blob;
  leaf_hash: Blob;
  occurred_at: Timestamp;
  actor_id: string;
  phase: AuditPhase;
  intent_id: Nullable<string>;
  action: string;
  outcome: Nullable<string>;
  integration_id: Nullable<string>;
  operation: Nullable<string>;
}

export interface AuditHeadsTable {
  tenant_id: string;
  size: SafeInteger;
  /** The roots of the perfect subtrees of the log, largest first: 32 bytes each. */
  frontier: Blob;
  root: Blob;
  mac: Blob;
  updated_at: Timestamp;
}

export interface OpenIntentsTable {
  intent_id: string;
  tenant_id: string;
  opened_at: Timestamp;
}

/** One bucket of the request budget of a Zendesk account; `state` is JSON of src/zendesk. */
export interface ZendeskBudgetsTable {
  tenant_id: string;
  origin: string;
  bucket: string;
  state: ColumnType<unknown, unknown, unknown>;
  updated_at: Generated<Date>;
}

export interface Tables {
  tenants: TenantsTable;
  tenant_secrets: TenantSecretsTable;
  signing_keys: SigningKeysTable;
  client_keys: ClientKeysTable;
  api_keys: ApiKeysTable;
  credentials: CredentialsTable;
  credential_secrets: CredentialSecretsTable;
  access_tokens: AccessTokensTable;
  integrations: IntegrationsTable;
  audit_events: AuditEventsTable;
  audit_heads: AuditHeadsTable;
  open_intents: OpenIntentsTable;
  zendesk_budgets: ZendeskBudgetsTable;
}
