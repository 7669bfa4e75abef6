/** Plans as callers see them. */
import {
  BLOCK_REASONS,
  type BlockReason,
  type Difference,
  type Plan,
  type PlanItem,
  type PlanStep,
  type PlanStepKind,
  type StoredItem,
  type StoredStep,
  WARNINGS,
  type WarningCode,
} from '../../provisioning/index.ts';
import type { PlanItemState, PlanStepState } from '../../store/index.ts';

export type PlanView = Omit<
  Plan,
  'tenantId' | 'warnings' | 'stopWanted' | 'createdBy' | 'appliedBy' | 'applyEventId' | 'items'
> & {
  readonly people: number;
  readonly warnings: readonly PlanWarningView[];
  /** Whether it was cancelled while it is applied, and stops after the step under way. */
  readonly isStopping: boolean;
};

export interface PlanWarningView {
  readonly code: WarningCode;
  readonly message: string;
  readonly count: number | null;
  readonly names: readonly string[];
}

export interface PlanItemView {
  readonly position: number;
  readonly state: PlanItemState;
  /** Zendesk's id of somebody who is there, or was made. */
  readonly userId: number | null;
  readonly name: string | null;
  readonly email: string | null;
  readonly blocked: { readonly reason: BlockReason; readonly message: string } | null;
  readonly warnings: readonly PlanWarningView[];
  readonly differences: readonly Difference[];
  readonly failure: string | null;
  readonly steps: readonly PlanStepView[];
}

export interface PlanStepView {
  readonly kind: PlanStepKind;
  readonly state: PlanStepState;
  readonly field: string | null;
  /** As people read it. */
  readonly from: string | null;
  readonly to: string | null;
  readonly count: number | null;
  readonly failure: string | null;
  readonly upstreamStatus: number | null;
  /** The event of the log that stands before the change. */
  readonly intentId: string | null;
}

export function toPlanView(plan: Plan): PlanView {
  const { tenantId: _1, createdBy: _2, appliedBy: _3, applyEventId: _4, ...told } = plan;
  const { stopWanted: isStopping, items: people, warnings, ...shown } = told;
  const views = warnings.map((code) => ({ code, message: WARNINGS[code], count: null, names: [] }));
  return { ...shown, people, isStopping, warnings: views };
}

export function toItemView(stored: StoredItem, item: PlanItem, steps: readonly StoredStep[]): PlanItemView {
  const { wish, person, blocked } = item;
  return {
    position: stored.position,
    state: stored.state,
    userId: stored.zendeskId,
    name: person?.name ?? (wish.kind === 'PROVISION' ? wish.name : null),
    email: person?.email ?? (wish.kind === 'PROVISION' ? wish.email : null),
    blocked: blocked === null ? null : { reason: blocked, message: BLOCK_REASONS[blocked] },
    warnings: item.warnings.map((warning) => ({ ...warning, message: WARNINGS[warning.code] })),
    differences: item.differences,
    failure: stored.failure,
    steps: item.steps.map((step, index) =>
      toStepView(
        step,
        steps.find((one) => one.step === index),
      ),
    ),
  };
}

function toStepView(step: PlanStep, stored: StoredStep | undefined): PlanStepView {
  return {
    kind: step.kind,
    ...changeOf(step, stored),
    state: stored?.state ?? 'PENDING',
    failure: stored?.failure ?? null,
    upstreamStatus: stored?.upstreamStatus ?? null,
    intentId: stored?.intentId ?? null,
  };
}

const NOTHING = { field: null, from: null, to: null, count: null } as const;

function changeOf(
  step: PlanStep,
  stored: StoredStep | undefined,
): Pick<PlanStepView, 'field' | 'from' | 'to' | 'count'> {
  switch (step.kind) {
    case 'CREATE_USER':
      return { ...NOTHING, field: 'role', to: step.wish.role };
    case 'CHANGE_ROLE':
      return { ...NOTHING, field: 'role', from: roleText(step.from), to: roleText(step.to) };
    case 'SET_EXTERNAL_ID':
      return { ...NOTHING, field: 'externalId', from: step.from, to: step.to };
    case 'SET_ORGANIZATION':
      return { ...NOTHING, field: 'organization', from: textOf(step.from), to: textOf(step.to) };
    case 'ADD_GROUP':
      return { ...NOTHING, field: 'group', to: step.name };
    case 'REMOVE_GROUP':
      return { ...NOTHING, field: 'group', from: step.name };
    case 'SET_DEFAULT_GROUP':
      return { ...NOTHING, field: 'defaultGroup', from: textOf(step.from), to: step.name };
    case 'REASSIGN_TICKETS': {
      const { heir, openTickets } = step;
      const to = heir.kind === 'AGENT' ? `user ${heir.userId}` : `group ${heir.groupId}`;
      const isBegun = stored !== undefined && (stored.state !== 'PENDING' || stored.count > 0);
      return { ...NOTHING, field: 'assignee', to, count: isBegun ? stored.count : openTickets };
    }
    case 'SUSPEND':
    case 'UNSUSPEND': {
      const to = step.kind === 'SUSPEND';
      return { ...NOTHING, field: 'suspended', from: String(!to), to: String(to) };
    }
    case 'END_SESSIONS':
      return NOTHING;
    default:
      return step satisfies never;
  }
}

function roleText({ role, customRoleId }: { readonly role: string; readonly customRoleId: number | null }) {
  return customRoleId === null ? role : `${role} (custom role ${customRoleId})`;
}

function textOf(id: number | null): string | null {
  return id === null ? null : String(id);
}
