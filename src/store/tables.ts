/** The shape of every table, as Kysely sees it. `bytea` columns read as Uint8Array on both databases. */
import type { ColumnType, Generated } from 'kysely';
import type {
  AuditAlarmsTable,
  AuditCheckpointsTable,
  AuditDisplacedEventsTable,
  AuditEpochsTable,
  AuditExportsTable,
  AuditWatchesTable,
} from './audit-tables.ts';
import type {
  Blob,
  Nullable,
  NullableBlob,
  NullableTimestamp,
  SafeInteger,
  Timestamp,
} from './column-types.ts';
import type { ZendeskAuthorizationsTable } from './connect-tables.ts';
import type {
  AccessSyncRunsTable,
  AccessSyncSchedulesTable,
  AccessSyncStatesTable,
  DirectoryMembershipsTable,
  DirectoryNamedTable,
  DirectoryRoleChangesTable,
  DirectoryUsersTable,
} from './directory-tables.ts';
import type {
  FeedDirtyTicketsTable,
  FeedEntriesTable,
  FeedHeadsTable,
  FeedPositionsTable,
  FeedShownTicketsTable,
  FeedStreamsTable,
  FeedTicketsTable,
  FeedWebhookInvocationsTable,
  TicketFeedsTable,
} from './feed-tables.ts';
import type {
  ProvisioningItemsTable,
  ProvisioningPlansTable,
  ProvisioningSettingsTable,
  ProvisioningStepsTable,
} from './provisioning-tables.ts';

export type TenantKind = 'INSTALLATION' | 'CUSTOMER';
export type SecretPurpose = 'vault' | 'envelope-signing' | 'audit-signing' | 'mac-root' | 'storage' | 'index';
/** PENDING: published, signs later. RETIRED: signs no more, what it signed stays good. REVOKED: nothing of it is good. */
export type SigningKeyState = 'PENDING' | 'ACTIVE' | 'RETIRED' | 'REVOKED';
export type ClientKeyStatus = 'PENDING' | 'CONFIRMED' | 'ACTIVE' | 'RETIRED' | 'REVOKED';
export type ClientKeyRotationMode = 'STRICT' | 'OVERLAP';
/** Who asked for a successor: the holder of the key before it by a proof, or an ADMIN. */
export type ClientKeyVoucher = 'PREDECESSOR' | 'ADMIN';
export type CredentialType = 'oauth2_token' | 'oauth2_client' | 'basic_auth' | 'api_key';
/** NEEDS_RECONNECT: Zendesk does not accept its credential any more, and is not asked until it has another. */
export type IntegrationStatus = 'ACTIVE' | 'DISABLED' | 'NEEDS_RECONNECT';
/**
 * Why a connection has to be made again. REFUSED: Zendesk does not accept the credential. EXPIRED: its refresh
 * token ended unused. LOST_IN_REFRESH: the tokens that were to replace it were given out and never stored.
 */
export type ReconnectReason = 'REFUSED' | 'EXPIRED' | 'LOST_IN_REFRESH';
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
  status: SigningKeyState;
  not_before: Timestamp;
  not_after: NullableTimestamp;
  published_at: Generated<Date>;
  /** The thumbprint of the key that signed the step to this one; null where the chain begins. */
  succeeds: Nullable<string>;
  /** That signature, ML-DSA-65. */
  transition: NullableBlob;
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
  /** The key whose place it takes; the next three are there together or not at all. */
  predecessor_id: Nullable<string>;
  rotation_mode: Nullable<ClientKeyRotationMode>;
  vouched_by: Nullable<ClientKeyVoucher>;
  /** When it ends by itself. */
  expires_at: NullableTimestamp;
  /** Until when a key that gave way by OVERLAP is still sealed to. */
  overlap_until: NullableTimestamp;
  /** The events of the audit log that tell of the mapping and of the end, and who ended it. */
  mapped_event_id: Nullable<string>;
  ended_by: Nullable<string>;
  ended_event_id: Nullable<string>;
  /** What it may do when it logs in by itself, null where it may not log in. */
  login_roles: Nullable<string[]>;
  /** The operations that its logins are narrowed to, null where they are not. */
  login_operations: Nullable<string[]>;
  /** The one integration that a restricted key is good for, null where the key is not restricted. */
  scope_integration_id: Nullable<string>;
  /** Zendesk's ids: of a restricted key exactly one of the two. */
  scope_organization_id: Nullable<number>;
  scope_requester_id: Nullable<number>;
}

/** A login token that was used. */
export interface LoginTokensTable {
  tenant_id: string;
  client_key_id: string;
  jti: string;
  /** From when on it is refused for its age. */
  expires_at: Timestamp;
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

/** VAULT: from one version of a tenant's vault key to the next. KMS: from one key of the KMS to another. */
export type KeyRotationKind = 'VAULT' | 'KMS';
/** RUNNING: records are still being re-wrapped. DONE: nothing rests on the old key. SUPERSEDED: another took its place. */
export type KeyRotationState = 'RUNNING' | 'DONE' | 'SUPERSEDED';

/** Bringing a tenant's stored secrets from old keys to the present one, and who does it. */
export interface KeyRotationsTable {
  id: Generated<number>;
  tenant_id: string;
  what: KeyRotationKind;
  /** Versions of the vault key, or references to KMS keys. */
  from_refs: string[];
  to_ref: string;
  /** Records that rested on an old key when it began. */
  total: number;
  state: KeyRotationState;
  /** Why the last attempt did not go on, an error code. */
  failure: Nullable<string>;
  started_at: Timestamp;
  finished_at: NullableTimestamp;
  lease_holder: Nullable<string>;
  lease_until: NullableTimestamp;
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
  vault_purpose: ColumnType<string, never, never>;
  sealed: Blob;
  encrypted_data_key: Blob;
  kms_key_ref: string;
}

/**
 * The sealed tokens that were fetched with a credential, and who is fetching the next. Version 0 is the pair that an
 * `oauth2_token` credential holds itself: nothing is sealed here then, but it is told when it ends.
 */
export interface AccessTokensTable {
  credential_id: string;
  tenant_id: string;
  credential_version: number;
  version: Generated<number>;
  vault_key_version: Nullable<number>;
  vault_purpose: ColumnType<string, never, never>;
  sealed: NullableBlob;
  encrypted_data_key: NullableBlob;
  kms_key_ref: Nullable<string>;
  expires_at: NullableTimestamp;
  /** When the refresh token ends, null where there is none or it is not known. */
  refresh_expires_at: NullableTimestamp;
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
  /** Both are there or neither; they stay while an admin has switched the integration off. */
  reconnect_reason: Nullable<ReconnectReason>;
  reconnect_since: NullableTimestamp;
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
  resource: Nullable<string>;
  request_id: Nullable<string>;
  denial_reason: Nullable<string>;
}

export interface AuditHeadsTable {
  tenant_id: string;
  size: SafeInteger;
  /** The roots of the perfect subtrees of the log, largest first: 32 bytes each. */
  frontier: Blob;
  root: Blob;
  mac: Blob;
  updated_at: Timestamp;
  /** Until then appends are told of, for those who follow the log. */
  followed_until: NullableTimestamp;
  /** The epoch of the newest alarm that stops the log, `null` where none does. */
  stopped_epoch: number | null;
}

/** The perfect subtrees of a log's tree of eight leaves and more, level 3 and up: the leaves [index · 2^level, (index + 1) · 2^level). */
export interface AuditNodesTable {
  tenant_id: string;
  /** 1 or more; level 0 is `audit_events.leaf_hash`. */
  level: number;
  index: SafeInteger;
  /** 32 bytes. */
  hash: Blob;
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
  key_rotations: KeyRotationsTable;
  client_keys: ClientKeysTable;
  login_tokens: LoginTokensTable;
  api_keys: ApiKeysTable;
  credentials: CredentialsTable;
  credential_secrets: CredentialSecretsTable;
  access_tokens: AccessTokensTable;
  integrations: IntegrationsTable;
  audit_events: AuditEventsTable;
  audit_heads: AuditHeadsTable;
  audit_nodes: AuditNodesTable;
  audit_exports: AuditExportsTable;
  open_intents: OpenIntentsTable;
  audit_checkpoints: AuditCheckpointsTable;
  audit_epochs: AuditEpochsTable;
  audit_alarms: AuditAlarmsTable;
  audit_displaced_events: AuditDisplacedEventsTable;
  audit_watches: AuditWatchesTable;
  zendesk_budgets: ZendeskBudgetsTable;
  ticket_feeds: TicketFeedsTable;
  feed_heads: FeedHeadsTable;
  feed_tickets: FeedTicketsTable;
  feed_dirty_tickets: FeedDirtyTicketsTable;
  feed_webhook_invocations: FeedWebhookInvocationsTable;
  feed_streams: FeedStreamsTable;
  feed_entries: FeedEntriesTable;
  feed_positions: FeedPositionsTable;
  feed_shown_tickets: FeedShownTicketsTable;
  zendesk_authorizations: ZendeskAuthorizationsTable;
  directory_users: DirectoryUsersTable;
  directory_role_changes: DirectoryRoleChangesTable;
  directory_groups: DirectoryNamedTable;
  directory_organizations: DirectoryNamedTable;
  directory_custom_roles: DirectoryNamedTable;
  directory_memberships: DirectoryMembershipsTable;
  access_sync_states: AccessSyncStatesTable;
  access_sync_schedules: AccessSyncSchedulesTable;
  access_sync_runs: AccessSyncRunsTable;
  provisioning_settings: ProvisioningSettingsTable;
  provisioning_plans: ProvisioningPlansTable;
  provisioning_items: ProvisioningItemsTable;
  provisioning_steps: ProvisioningStepsTable;
}
