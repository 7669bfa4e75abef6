/** The shape of the tables of provisioning, as Kysely sees it. */
import type { Generated } from 'kysely';
import type { Blob, Nullable, NullableTimestamp, Timestamp } from './column-types.ts';

/**
 * READY: may be applied until it expires. APPLYING: under way, or its process died. INTERRUPTED: kept from going
 * on, and goes on when it is applied again. APPLIED, PARTLY_APPLIED and CANCELLED are final.
 */
export type PlanState = 'READY' | 'APPLYING' | 'INTERRUPTED' | 'APPLIED' | 'PARTLY_APPLIED' | 'CANCELLED';
/**
 * Of one person. PENDING and RUNNING are to be done; UNCHANGED and BLOCKED were so from the beginning; STALE: moved
 * before its turn, and nothing was done; LEFT: cancelled before its end.
 */
export type PlanItemState =
  | 'PENDING'
  | 'RUNNING'
  | 'DONE'
  | 'FAILED'
  | 'STALE'
  | 'LEFT'
  | 'UNCHANGED'
  | 'BLOCKED';
/**
 * SENT: its intent is in the log, and what became of it is not known here. ALREADY: it was so when its turn came.
 * SKIPPED: one before it failed, or the plan was cancelled.
 */
export type PlanStepState = 'PENDING' | 'SENT' | 'DONE' | 'ALREADY' | 'FAILED' | 'SKIPPED';

/** What an integration allows its plans. */
export interface ProvisioningSettingsTable {
  integration_id: string;
  tenant_id: string;
  /** Zendesk's ids. */
  break_glass_user_ids: Generated<string[]>;
  max_changes: Generated<number>;
  updated_at: Timestamp;
}

export interface ProvisioningPlansTable {
  id: string;
  tenant_id: string;
  integration_id: string;
  kind: string;
  state: PlanState;
  /** A keyed hash of what the plan found and touches. */
  fingerprint: string;
  /** People whom it would change. */
  changes: number;
  items: number;
  /** Upper-case tokens. */
  warnings: string[];
  /** Agents and admins of the account when it was made. */
  staff: Nullable<number>;
  created_by: string;
  created_at: Timestamp;
  expires_at: Timestamp;
  /** The API key that applied it; the next two are there together with it. */
  applied_by: Nullable<string>;
  apply_event_id: Nullable<string>;
  applied_at: NullableTimestamp;
  finished_at: NullableTimestamp;
  /** Why it does not go on, an error code. */
  failure: Nullable<string>;
  stop_wanted: Generated<boolean>;
  lease_holder: Nullable<string>;
  lease_until: NullableTimestamp;
}

export interface ProvisioningItemsTable {
  tenant_id: string;
  plan_id: string;
  /** From 0, in the order of the input. */
  position: number;
  state: PlanItemState;
  /** Of somebody who is there, or was made. */
  zendesk_id: Nullable<string>;
  /** An error code. */
  failure: Nullable<string>;
  /** Who it is and what is to become of them, sealed for this row. */
  sealed: Blob;
}

export interface ProvisioningStepsTable {
  tenant_id: string;
  plan_id: string;
  position: number;
  /** From 0. */
  step: number;
  state: PlanStepState;
  /** The INTENT event of the last try. */
  intent_id: Nullable<string>;
  /** An error code. */
  failure: Nullable<string>;
  upstream_status: Nullable<number>;
  /** Tickets that were handed over. */
  count: Generated<number>;
}
