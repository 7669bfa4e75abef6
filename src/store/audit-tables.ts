/** The tables of what vouches for the audit log, and of its exports. */
import type { ColumnType, Generated } from 'kysely';
import type { Blob, Nullable, NullableTimestamp, SafeInteger, Timestamp } from './column-types.ts';

/** A signed checkpoint of the log; `note` is its text and signatures (C2SP signed-note). */
export interface AuditCheckpointsTable {
  tenant_id: string;
  epoch: number;
  size: SafeInteger;
  root: Blob;
  note: string;
  created_at: Generated<Date>;
}

/** An epoch that an accepted restore opened; the first one of a log has no row. */
export interface AuditEpochsTable {
  tenant_id: string;
  epoch: number;
  /** Of the event that opened it and names the epoch before. */
  first_index: SafeInteger;
  opened_at: Generated<Date>;
}

/** What was found altered in an epoch; while it is the newest one, nothing is appended. */
export interface AuditAlarmsTable {
  tenant_id: string;
  epoch: number;
  kind: string;
  /** The first event concerned, where one can be named. */
  index: ColumnType<number | null, number | null | undefined, never>;
  raised_at: Generated<Date>;
}

/** A row of `audit_events` that did not hold and that a restore put a marker in the place of. */
export interface AuditDisplacedEventsTable {
  tenant_id: string;
  /** The epoch that the restore opened. */
  epoch: number;
  index: SafeInteger;
  /** The row. */
  event: ColumnType<unknown, unknown, never>;
}

/** Who looks after a log now, and how far; hints, nothing rests on them. */
export interface AuditWatchesTable {
  tenant_id: string;
  lease_holder: Nullable<string>;
  lease_until: NullableTimestamp;
  /** Events before it were checked in the pass under way. */
  checked_to: ColumnType<number, number | undefined, number>;
  due_at: Generated<Date>;
  anchored_epoch: Generated<number>;
  anchored_size: ColumnType<number, number | undefined, number>;
  /** Since when the anchor cannot be written. */
  anchor_failed_at: NullableTimestamp;
}

export type AuditExportState = 'CHECKING' | 'READY' | 'FAILED';

/** A range of a log that is being checked, or can be fetched. */
export interface AuditExportsTable {
  id: string;
  tenant_id: string;
  /** An API key. */
  requested_by: string;
  state: AuditExportState;
  range_from: SafeInteger;
  range_to: SafeInteger;
  /** Events of the range before this index were checked. */
  checked_to: SafeInteger;
  /** Of the checkpoint that the range is held against, whose text is `note`. */
  epoch: number;
  size: SafeInteger;
  root: Blob;
  note: string;
  previous_size: Nullable<number>;
  /** The first event that does not hold, where the export has failed. */
  broken_index: Nullable<number>;
  lease_epoch: ColumnType<number, number | undefined, number>;
  lease_holder: Nullable<string>;
  lease_until: NullableTimestamp;
  created_at: Timestamp;
  finished_at: NullableTimestamp;
  expires_at: Timestamp;
}
