/** The shape of the tables of the directory and its access sync, as Kysely sees it. */
import type { Generated } from 'kysely';
import type { Nullable, NullableBlob, NullableTimestamp, SafeInteger, Timestamp } from './column-types.ts';

/** DELETED: Zendesk shows the user no more, or it was erased here. */
export type DirectoryUserStatus = 'ACTIVE' | 'SUSPENDED' | 'DELETED';

interface OfIntegration {
  integration_id: string;
  tenant_id: string;
}

/** What is sealed of a row and how it came to be so. */
interface SealedRow {
  /** The texts of the row, sealed as one for `sealed_version`; null where they were erased. */
  sealed: NullableBlob;
  sealed_version: Generated<number>;
  /** Keyed hash of all that the row was made of: the same again is no change. */
  digest: NullableBlob;
  /** The last run that saw it, of those that see everything. */
  seen_run: string;
  /** When a run last found it changed. */
  changed_at: Timestamp;
  /** When it was first missed or found deleted. */
  deleted_at: NullableTimestamp;
}

export interface DirectoryUsersTable extends OfIntegration, SealedRow {
  zendesk_id: SafeInteger;
  /** As Zendesk names it: `end-user`, `agent`, `admin`. */
  role: string;
  /** Zendesk's number for what the role stands for. */
  role_type: Nullable<number>;
  custom_role_id: Nullable<number>;
  /** Since when it is known to have role and custom role. */
  role_since: Timestamp;
  /** Whether a sync saw the change; otherwise it may have had the role for longer. */
  is_role_since_exact: Generated<boolean>;
  status: DirectoryUserStatus;
  organization_id: Nullable<number>;
  default_group_id: Nullable<number>;
  /** Null where Zendesk does not tell. */
  has_two_factor: Nullable<boolean>;
  /** The last login at Zendesk. */
  last_seen_at: NullableTimestamp;
  /** At Zendesk. */
  created_at: NullableTimestamp;
  updated_at: NullableTimestamp;
  first_seen_run: string;
  /** HMAC of the normalised address, 32 bytes; several users may have the same. */
  email_index: NullableBlob;
  external_id_index: NullableBlob;
  /** Set where nothing but the id is kept. */
  erased_at: NullableTimestamp;
}

/** A change of role that a sync saw. */
export interface DirectoryRoleChangesTable extends OfIntegration {
  zendesk_id: SafeInteger;
  seen_at: Timestamp;
  run_id: string;
  from_role: string;
  from_custom_role_id: Nullable<number>;
  to_role: string;
  to_custom_role_id: Nullable<number>;
}

/** A group, an organization or a custom role. */
export interface DirectoryNamedTable extends OfIntegration, SealedRow {
  zendesk_id: SafeInteger;
}

/** That a user is in a group. */
export interface DirectoryMembershipsTable extends OfIntegration {
  zendesk_id: SafeInteger;
  user_id: SafeInteger;
  group_id: SafeInteger;
  is_default: boolean;
  seen_run: string;
}

/** Where the next incremental run begins. */
export interface AccessSyncStatesTable extends OfIntegration {
  users_cursor: Nullable<string>;
  /** When the last run that came to its end began. */
  synced_at: NullableTimestamp;
}

export interface AccessSyncSchedulesTable extends OfIntegration {
  cron: string;
  time_zone: string;
  /** The API key of the caller who set it. */
  created_by: string;
  created_at: Timestamp;
  next_run_at: Timestamp;
}

export type AccessSyncKind = 'FULL' | 'INCREMENTAL';
export type AccessSyncTrigger = 'REQUEST' | 'SCHEDULE';
export type AccessSyncState = 'QUEUED' | 'RUNNING' | 'WAITING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
export type AccessSyncPhase =
  | 'CUSTOM_ROLES'
  | 'GROUPS'
  | 'ORGANIZATIONS'
  | 'USERS'
  | 'MISSING_USERS'
  | 'MEMBERSHIPS'
  | 'DONE';

export interface AccessSyncRunsTable extends OfIntegration {
  id: string;
  kind: AccessSyncKind;
  trigger: AccessSyncTrigger;
  requested_by: string;
  state: AccessSyncState;
  phase: AccessSyncPhase;
  /** Where the next page of the phase begins; null: at its start. */
  cursor: Nullable<string>;
  /** Records of the phase so far. */
  seen: Generated<number>;
  users_seen: Generated<number>;
  /** About how many users the run will see; null where that cannot be told. */
  users_expected: Nullable<number>;
  /** Users. */
  added: Generated<number>;
  changed: Generated<number>;
  removed: Generated<number>;
  pages: Generated<number>;
  /** In a row, without a page between. */
  failures: Generated<number>;
  /** An error code: why it failed or waits. */
  reason: Nullable<string>;
  /** What to do about it, our own words. */
  advice: Nullable<string>;
  is_cancel_requested: Generated<boolean>;
  lease_epoch: Generated<number>;
  lease_holder: Nullable<string>;
  lease_until: NullableTimestamp;
  requested_at: Timestamp;
  /** Not to be worked on before. */
  not_before: Timestamp;
  started_at: NullableTimestamp;
  progressed_at: NullableTimestamp;
  finished_at: NullableTimestamp;
}
