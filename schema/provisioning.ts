/** Plans of giving and taking access: what they would change, and how far they are applied. */
import type {
  PlanCounts,
  PlanItemView,
  PlanStepView,
  PlanView,
  PlanWarningView,
} from '../src/service/index.ts';
import {
  BLOCK_REASONS,
  type Difference,
  type PLAN_KINDS,
  PROTECTED,
  WARNINGS,
} from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

const READ_COST = 100;

const KIND_DESCRIPTIONS = {
  PROVISION_USER: 'Gives one person access.',
  PROVISION_MANY: 'Gives many people access.',
  CHANGE_USER_ROLE: 'Gives a person another role.',
  ASSIGN_GROUPS: 'Puts an agent into groups, or takes one out.',
  SUSPEND_USER: 'Shuts a person out.',
  UNSUSPEND_USER: 'Lets a person in again.',
  DEPROVISION_USER: 'Takes all access from a person who leaves.',
} as const satisfies Record<(typeof PLAN_KINDS)[number], string>;

const described = <Name extends string>(descriptions: Readonly<Record<Name, string>>) =>
  Object.fromEntries(
    Object.entries<string>(descriptions).map(([name, description]) => [name, { description }]),
  ) as Record<Name, { description: string }>;

const ProvisioningKind = builder.enumType('ProvisioningKind', {
  description: 'What a plan is for.',
  values: described(KIND_DESCRIPTIONS),
});
const ProvisioningState = builder.enumType('ProvisioningState', {
  description: 'How far a plan is.',
  values: {
    READY: { description: 'Made, and applied to nobody; may be applied until it expires.' },
    APPLYING: { description: 'Being applied, one person after the other.' },
    INTERRUPTED: {
      description: 'Something keeps it from going on, as `failure` says. Applied again it goes on.',
    },
    APPLIED: { description: 'Everybody whom it would change is changed.' },
    PARTLY_APPLIED: { description: 'Over, but some people could not be changed; each says why.' },
    CANCELLED: { description: 'Given up. What was done before stays.' },
  },
});
const ProvisioningItemState = builder.enumType('ProvisioningItemState', {
  description: 'How far one person of a plan is.',
  values: {
    PENDING: { description: 'Nothing was done yet.' },
    RUNNING: { description: 'Some steps are done.' },
    DONE: { description: 'All steps are done.' },
    FAILED: { description: 'A step failed; those after it are skipped.' },
    STALE: { description: 'Moved in Zendesk before its turn; nothing was done.' },
    LEFT: { description: 'The plan was cancelled before it was done.' },
    UNCHANGED: { description: 'Everything is as wished already.' },
    BLOCKED: { description: 'Cannot be done, as `blocked` says.' },
  },
});
const ProvisioningStepState = builder.enumType('ProvisioningStepState', {
  description: 'How far one step is.',
  values: {
    PENDING: { description: 'Waits to be sent, or for the rest of it.' },
    SENT: { description: 'Was sent, and what became of it is not known yet.' },
    DONE: { description: 'Is done.' },
    ALREADY: { description: 'Was so already when its turn came.' },
    FAILED: { description: 'Failed; nothing was changed by it.' },
    SKIPPED: { description: 'A step before it failed, or the plan was cancelled.' },
  },
});
const ProvisioningStepKind = builder.enumType('ProvisioningStepKind', {
  description: 'What a step does.',
  values: {
    CREATE_USER: { description: 'Creates the person. Needs `create_user`.' },
    CHANGE_ROLE: { description: 'Gives another role. Needs `update_user`.' },
    SET_EXTERNAL_ID: { description: 'Sets your own reference. Needs `update_user`.' },
    SET_ORGANIZATION: { description: 'Sets the organization. Needs `update_user`.' },
    ADD_GROUP: { description: 'Adds to a group. Needs `manage_groups`.' },
    REMOVE_GROUP: { description: 'Takes out of a group. Needs `manage_groups`.' },
    SET_DEFAULT_GROUP: { description: 'Makes a group the first of all. Needs `manage_groups`.' },
    REASSIGN_TICKETS: { description: 'Hands open tickets over. Needs `update_ticket`.' },
    SUSPEND: { description: 'Shuts the person out. Needs `suspend_user`.' },
    UNSUSPEND: { description: 'Lets the person in again. Needs `suspend_user`.' },
    END_SESSIONS: { description: 'Signs the person out everywhere. Needs `end_sessions`.' },
  },
});
const ProvisioningBlockReason = builder.enumType('ProvisioningBlockReason', {
  description: 'Why a wish cannot be granted.',
  values: described(BLOCK_REASONS),
});
const ProvisioningWarningCode = builder.enumType('ProvisioningWarningCode', {
  description: 'What to know before a plan is applied.',
  values: described(WARNINGS),
});

const ProvisioningWarning = builder.objectRef<PlanWarningView>('ProvisioningWarning').implement({
  description: 'Something to know before a plan is applied.',
  extensions: PROTECTED,
  fields: (t) => ({
    code: t.expose('code', { type: ProvisioningWarningCode, description: 'What it is.' }),
    message: t.exposeString('message', { description: 'The same in words.' }),
    count: t.exposeInt('count', {
      nullable: true,
      description: 'How many tickets, groups or seats; null where it is about no number.',
    }),
    names: t.stringList({ description: 'Names of groups.', resolve: ({ names }) => [...names] }),
  }),
});

const ProvisioningBlock = builder
  .objectRef<NonNullable<PlanItemView['blocked']>>('ProvisioningBlock')
  .implement({
    description: 'Why a person is not changed.',
    extensions: PROTECTED,
    fields: (t) => ({
      reason: t.expose('reason', { type: ProvisioningBlockReason, description: 'What it is.' }),
      message: t.exposeString('message', { description: 'The same in words.' }),
    }),
  });

const ProvisioningDifference = builder.objectRef<Difference>('ProvisioningDifference').implement({
  description: 'What of somebody who is there already is not as wished, and was left as it is.',
  extensions: PROTECTED,
  fields: (t) => ({
    field: t.exposeString('field', { description: 'Which attribute.' }),
    is: t.exposeString('is', { nullable: true, description: 'What Zendesk has.' }),
    wished: t.exposeString('wished', { nullable: true, description: 'What the plan was to make of it.' }),
  }),
});

const ProvisioningStep = builder.objectRef<PlanStepView>('ProvisioningStep').implement({
  description: 'One change of one person.',
  extensions: PROTECTED,
  fields: (t) => ({
    kind: t.expose('kind', { type: ProvisioningStepKind, description: 'What it does.' }),
    state: t.expose('state', { type: ProvisioningStepState, description: 'How far it is.' }),
    field: t.exposeString('field', { nullable: true, description: 'Which attribute it changes.' }),
    from: t.exposeString('from', { nullable: true, description: 'What the plan found.' }),
    to: t.exposeString('to', { nullable: true, description: 'What it makes of it.' }),
    count: t.exposeInt('count', {
      nullable: true,
      description:
        'Tickets: how many were open when the plan was made, and once it is begun how many went over.',
    }),
    failure: t.exposeString('failure', {
      nullable: true,
      description: 'Why the last try failed, a code of docs/errors.md.',
    }),
    upstreamStatus: t.exposeInt('upstreamStatus', {
      nullable: true,
      description: 'The HTTP status of that failure, where Zendesk answered.',
    }),
    intentId: t.exposeID('intentId', {
      nullable: true,
      description: 'The audit event that stands before the last try.',
    }),
  }),
});

const ProvisioningItem = builder.objectRef<PlanItemView>('ProvisioningItem').implement({
  description: 'One person of a plan.',
  extensions: PROTECTED,
  fields: (t) => ({
    position: t.exposeInt('position', { description: 'The place in the input, from 0.' }),
    state: t.expose('state', { type: ProvisioningItemState, description: 'How far it is.' }),
    userId: t.id({
      nullable: true,
      description: 'Zendesk’s own number of the person; null for who is not there yet.',
      resolve: ({ userId }) => (userId === null ? null : String(userId)),
    }),
    name: t.exposeString('name', { nullable: true, description: 'The name as people read it.' }),
    email: t.exposeString('email', { nullable: true, description: 'The primary address.' }),
    blocked: t.expose('blocked', {
      type: ProvisioningBlock,
      nullable: true,
      description: 'Why nothing is changed; null where something is, or nothing needs to be.',
    }),
    warnings: t.field({
      type: [ProvisioningWarning],
      description: 'What to know of this person.',
      resolve: ({ warnings }) => [...warnings],
    }),
    differences: t.field({
      type: [ProvisioningDifference],
      description: 'Of somebody who is there already: what is not as wished, and was not to be changed.',
      resolve: ({ differences }) => [...differences],
    }),
    failure: t.exposeString('failure', {
      nullable: true,
      description: 'Why it could not be done, a code of docs/errors.md.',
    }),
    steps: t.field({
      type: [ProvisioningStep],
      description: 'What is changed, in order.',
      resolve: ({ steps }) => [...steps],
    }),
  }),
});

const ProvisioningCounts = builder.objectRef<PlanCounts>('ProvisioningCounts').implement({
  description: 'How many people of a plan are where.',
  extensions: PROTECTED,
  fields: (t) => ({
    pending: t.int({
      description: 'To be changed still.',
      resolve: (counts) => (counts.PENDING ?? 0) + (counts.RUNNING ?? 0),
    }),
    done: t.int({ description: 'Changed.', resolve: (counts) => counts.DONE ?? 0 }),
    failed: t.int({ description: 'Could not be changed.', resolve: (counts) => counts.FAILED ?? 0 }),
    stale: t.int({
      description: 'Moved in Zendesk before their turn.',
      resolve: (counts) => counts.STALE ?? 0,
    }),
    left: t.int({ description: 'Left when the plan was cancelled.', resolve: (counts) => counts.LEFT ?? 0 }),
    unchanged: t.int({
      description: 'As wished from the beginning.',
      resolve: (counts) => counts.UNCHANGED ?? 0,
    }),
    blocked: t.int({ description: 'That cannot be done.', resolve: (counts) => counts.BLOCKED ?? 0 }),
  }),
});

export const ProvisioningPlan = builder.objectRef<PlanView>('ProvisioningPlan').implement({
  description:
    'What would be changed of whom, held against Zendesk when it was made. Nothing happens until `applyPlan`.',
  extensions: PROTECTED,
  fields: (t) => ({
    id: t.exposeID('id', { description: 'To apply it by, and to look at it again.' }),
    integrationId: t.exposeID('integrationId', { description: 'The integration whose people it is about.' }),
    kind: t.expose('kind', { type: ProvisioningKind, description: 'What it is for.' }),
    state: t.expose('state', { type: ProvisioningState, description: 'How far it is.' }),
    isStopping: t.exposeBoolean('isStopping', {
      description: 'Whether it was cancelled while it is applied, and stops after the step under way.',
    }),
    fingerprint: t.exposeString('fingerprint', {
      description: 'A keyed hash of what it found and touches: two plans with the same one found the same.',
    }),
    changes: t.exposeInt('changes', { description: 'People whom it would change.' }),
    people: t.exposeInt('people', { description: 'All its people, whether changed or not.' }),
    staff: t.exposeInt('staff', {
      nullable: true,
      description:
        'Agents and admins of the account when it was made, each with a seat; null where Zendesk did not tell.',
    }),
    warnings: t.field({
      type: [ProvisioningWarning],
      description: 'What to know of the account.',
      resolve: ({ warnings }) => [...warnings],
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When nothing is left of it: 24 hours after it was made, applied or ended.',
    }),
    appliedAt: t.expose('appliedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last applied; null where it was not.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was over; null where it is not.',
    }),
    failure: t.exposeString('failure', {
      nullable: true,
      description: 'What interrupts it, a code of docs/errors.md.',
    }),
    counts: t.field({
      type: ProvisioningCounts,
      complexity: READ_COST,
      description: 'How many of its people are where.',
      resolve: ({ id }, _args, { call, services }) => services.countPlanItems(call, id),
    }),
    items: t.connection(
      {
        type: ProvisioningItem,
        complexity: connectionCost,
        description: 'Its people, in the order of the input.',
        resolve: async ({ id }, page, { call, services }) =>
          connectionResult(await services.listPlanItems(call, id, page)),
      },
      { extensions: PROTECTED },
      { extensions: PROTECTED },
    ),
  }),
});

builder.queryFields((t) => ({
  provisioningPlan: t.field({
    type: ProvisioningPlan,
    complexity: READ_COST,
    description: 'A plan, and how far it is applied. For ADMIN.',
    args: { id: t.arg.id({ required: true, description: 'The plan.' }) },
    resolve: (_root, { id }, { call, services }) => services.getProvisioningPlan(call, id),
  }),
  provisioningPlans: t.connection(
    {
      type: ProvisioningPlan,
      complexity: connectionCost,
      description: 'The plans of an integration that have not expired, oldest first. For ADMIN.',
      args: {
        integrationId: t.arg.id({ required: true, description: 'The integration.' }),
        state: t.arg({ type: ProvisioningState, required: false, description: 'Those of one state only.' }),
      },
      resolve: async (_root, args, { call, services }) =>
        connectionResult(await services.listProvisioningPlans(call, { ...args })),
    },
    {},
  ),
}));
