/** Plans of giving and taking access: the pure planner, and what of plans lies in the database. */
export { encodeFacts, type Facts } from './facts.ts';
export {
  countItems,
  insertItems,
  itemLocation,
  leaveItems,
  listItems,
  listSteps,
  nameItem,
  type StoredItem,
  type StoredStep,
  setItem,
  setStep,
  skipSteps,
} from './items.ts';
export { movedSince } from './moved.ts';
export { type Account, isStaff, PERSON_ROLES, type Person, type PersonRole } from './person.ts';
export {
  BLOCK_REASONS,
  type BlockReason,
  type Difference,
  type PlanItem,
  type PlanWarning,
  WARNINGS,
  type WarningCode,
} from './plan-item.ts';
export {
  claimPlan,
  deleteExpiredPlans,
  findUnattendedPlans,
  type PlanClaim,
  type PlanHold,
  type PlanToRun,
  readHold,
  releasePlan,
} from './plan-lease.ts';
export {
  LOCKING_STEPS,
  type PlanStep,
  type PlanStepKind,
  type RoleValue,
  STEP_OPERATIONS,
  type StepOperation,
} from './plan-step.ts';
export { planWish, type Reality } from './plan-wish.ts';
export {
  countPlans,
  endPlan,
  findPlan,
  holdPlan,
  insertPlan,
  listPlans,
  type NewPlan,
  PLAN_KINDS,
  type Plan,
  type PlanKey,
  type PlanKind,
  startPlan,
  wantStop,
} from './plans.ts';
export {
  DEFAULT_MAX_CHANGES,
  MAX_BREAK_GLASS,
  MOST_CHANGES,
  type ProvisioningSettings,
  readBreakGlassIds,
  readProvisioningSettings,
  saveProvisioningSettings,
} from './settings.ts';
export {
  type AssignGroupsWish,
  type ChangeRoleWish,
  customRoleIdOf,
  type DeprovisionWish,
  groupIdsOf,
  type Heir,
  heirOf,
  type ProvisionWish,
  type SuspendWish,
  userIdOf,
  type Wish,
} from './wish.ts';
