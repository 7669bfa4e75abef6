/** The shape of the tables of the change feed, as Kysely sees it. */
import type { ColumnType, Generated } from 'kysely';
import type { Nullable, NullableBlob, NullableTimestamp, SafeInteger, Timestamp } from './column-types.ts';

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
  /** Where that version belonged, which decides whom it is told. */
  organization_id: Nullable<number>;
  requester_id: Nullable<number>;
  /** Null where that is not known, as of versions from before it was kept. */
  is_public: Nullable<boolean>;
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

/** A ticket that a restricted lineage was shown before the feed knew it. */
export interface FeedShownTicketsTable {
  integration_id: string;
  tenant_id: string;
  lineage_id: string;
  ticket_id: SafeInteger;
}
