/** One change of a plan, with what it finds and what it makes of it. */
import type { PersonRole } from './person.ts';
import type { Heir, ProvisionWish } from './wish.ts';

export interface RoleValue {
  readonly role: PersonRole;
  readonly customRoleId: number | null;
}

export type PlanStep =
  | { readonly kind: 'CREATE_USER'; readonly wish: ProvisionWish }
  | { readonly kind: 'CHANGE_ROLE'; readonly from: RoleValue; readonly to: RoleValue }
  | { readonly kind: 'SET_EXTERNAL_ID'; readonly from: string | null; readonly to: string }
  | { readonly kind: 'SET_ORGANIZATION'; readonly from: number | null; readonly to: number }
  | { readonly kind: 'ADD_GROUP'; readonly groupId: number; readonly name: string }
  | { readonly kind: 'REMOVE_GROUP'; readonly groupId: number; readonly name: string }
  | {
      readonly kind: 'SET_DEFAULT_GROUP';
      readonly from: number | null;
      readonly groupId: number;
      readonly name: string;
    }
  | { readonly kind: 'REASSIGN_TICKETS'; readonly heir: Heir; readonly openTickets: number }
  | { readonly kind: 'SUSPEND' }
  | { readonly kind: 'UNSUSPEND' }
  | { readonly kind: 'END_SESSIONS' };

export type PlanStepKind = PlanStep['kind'];

/** The operation of the catalogue that a step runs as. */
export const STEP_OPERATIONS = Object.freeze({
  CREATE_USER: 'create_user',
  CHANGE_ROLE: 'update_user',
  SET_EXTERNAL_ID: 'update_user',
  SET_ORGANIZATION: 'update_user',
  ADD_GROUP: 'manage_groups',
  REMOVE_GROUP: 'manage_groups',
  SET_DEFAULT_GROUP: 'manage_groups',
  REASSIGN_TICKETS: 'update_ticket',
  SUSPEND: 'suspend_user',
  UNSUSPEND: 'suspend_user',
  END_SESSIONS: 'end_sessions',
} as const satisfies Record<PlanStepKind, string>);

export type StepOperation = (typeof STEP_OPERATIONS)[PlanStepKind];

/** Steps that could lock somebody out. */
export const LOCKING_STEPS: readonly PlanStepKind[] = Object.freeze(['CHANGE_ROLE', 'SUSPEND']);
