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

export type FeedStatus = 'ENABLED' | 'DISABLED';
/** PRESENT: visible in Zendesk. DELETED: may be restored. ERASED: gone for good. */
export type FeedTicketState = 'PRESENT' | 'DELETED' | 'ERASED';
/** OPEN: changes are sealed for it. DORMANT: nobody has read it for long. KEYLESS: its lineage has no active key. */
export type FeedStreamState = 'OPEN' | 'DORMANT' | 'KEYLESS';

/** The change feed of an integration and where it stands at its sources. */
export interface TicketFeedsTable {
  integration_id: string;
  tenant_id: string;
  status: FeedStatus;
  enabled_at: Timestamp;
  /** Zendesk's id of the webhook, null where the feed has none. */
  webhook_id: Nullable<string>;
  /** Its signing secret, sealed for this row, column and `webhook_version`. */
  webhook_secret: NullableBlob;
  webhook_version: Generated<number>;
  /** Why there is no webhook, an upper-case token. */
  webhook_fault: Nullable<string>;
  /** Unix seconds from which the export begins where there is no cursor. */
  export_start: SafeInteger;
  export_cursor: Nullable<string>;
  export_polled_at: NullableTimestamp;
  /** Of every ticket whose last change was before it, the export has shown that change. */
  export_complete_until: NullableTimestamp;
  /** Why the export does not go on, an error code. */
  export_fault: Nullable<string>;
  /** Why tickets cannot be loaded, an error code. */
  load_fault: Nullable<string>;
  appended: ColumnType<number, number | undefined, number>;
  repaired: ColumnType<number, number | undefined, number>;
}

/** The lock of an integration's log, and who may append to it. */
export interface FeedHeadsTable {
  integration_id: string;
  tenant_id: string;
  lease_epoch: ColumnType<number, number | undefined, number>;
  lease_holder: Nullable<string>;
  lease_until: NullableTimestamp;
}

/** The last version of a ticket that was appended. */
export interface FeedTicketsTable {
  integration_id: string;
  tenant_id: string;
  ticket_id: SafeInteger;
  state: FeedTicketState;
  updated_at: Timestamp;
  generated_at: Nullable<number>;
  /** Keyed hash of the snapshot, base64url. */
  snapshot_hash: string;
}

/** A ticket that may have a newer version than the last one appended. */
export interface FeedDirtyTicketsTable {
  integration_id: string;
  tenant_id: string;
  ticket_id: SafeInteger;
  marked_at: Timestamp;
  /** Grows with every mark, so that a mark made while the ticket was loaded is not lost. */
  generation: ColumnType<number, number | undefined, number>;
  by_webhook: boolean;
  by_export: boolean;
  /** What a source said of a ticket that is no longer shown. */
  gone: Nullable<'DELETED' | 'ERASED'>;
  /** The newest time of change that a source told of: what is loaded may not be older. */
  expected_at: NullableTimestamp;
  /** The newest `generated_timestamp` that the export told of, for the same. */
  exported_at: Nullable<number>;
  tries: ColumnType<number, number | undefined, number>;
  not_before: Timestamp;
}

/** A webhook call that was accepted; `hint` is what it told of values, sealed, until the version is appended. */
export interface FeedWebhookInvocationsTable {
  integration_id: string;
  tenant_id: string;
  invocation_id: string;
  ticket_id: SafeInteger;
  event_type: string;
  hint: NullableBlob;
  is_pending: Generated<boolean>;
  received_at: Timestamp;
}

/** The stream of a lineage of client keys. */
export interface FeedStreamsTable {
  integration_id: string;
  tenant_id: string;
  lineage_id: string;
  state: FeedStreamState;
  /** Of the last entry, 0 before the first. */
  sequence: SafeInteger;
  /** The oldest place that can be gone on from: entries after it are in the log. */
  oldest: SafeInteger;
  /** Characters of the envelopes in the log. */
  bytes: ColumnType<number, number | undefined, number>;
  opened_at: Timestamp;
  /** To the minute. */
  read_at: Timestamp;
}

/** A sealed entry: one for each number and each active key of the lineage. */
export interface FeedEntriesTable {
  integration_id: string;
  tenant_id: string;
  lineage_id: string;
  recipient_key_id: string;
  sequence: SafeInteger;
  occurred_at: Timestamp;
  audit_event_id: string;
  /** JSON. */
  envelope: string;
}

/** The newest signed position of a stream. */
export interface FeedPositionsTable {
  integration_id: string;
  tenant_id: string;
  lineage_id: string;
  recipient_key_id: string;
  sequence: SafeInteger;
  issued_at: Timestamp;
  /** JSON. */
  envelope: string;
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
  ticket_feeds: TicketFeedsTable;
  feed_heads: FeedHeadsTable;
  feed_tickets: FeedTicketsTable;
  feed_dirty_tickets: FeedDirtyTicketsTable;
  feed_webhook_invocations: FeedWebhookInvocationsTable;
  feed_streams: FeedStreamsTable;
  feed_entries: FeedEntriesTable;
  feed_positions: FeedPositionsTable;
}
