/** The changes that make plans of giving and taking access, apply them and give them up. */
import { builder } from './builder.ts';
import { ProvisioningPlan } from './provisioning.ts';
import { UserRole } from './zendesk/enums.ts';

/** A plan reads Zendesk: as much as four calls of the graph. */
const PLAN_COST = 1_000;
const CANCEL_COST = 100;

const RoleOfPerson = {
  type: UserRole,
  required: false,
  description: 'END_USER where left out. Agents and admins take a seat.',
} as const;

const PersonInput = builder.inputType('ProvisioningPersonInput', {
  description: 'Somebody to give access to. null is as good as left out.',
  fields: (t) => ({
    email: t.string({ required: true, description: 'The address, by which Zendesk knows people apart.' }),
    name: t.string({ required: true, description: 'The name of somebody new.' }),
    role: t.field(RoleOfPerson),
    customRoleId: t.id({ required: false, description: 'Zendesk’s id of an agent’s custom role.' }),
    externalId: t.string({ required: false, description: 'Your own reference.' }),
    organizationId: t.id({ required: false, description: 'The organization.' }),
    groupIds: t.idList({ required: false, description: 'Groups to add an agent to, at most 50.' }),
    defaultGroupId: t.id({ required: false, description: 'The group of an agent that comes first.' }),
  }),
});
const ALLOW_EXISTING =
  'true: somebody who has the address already is changed to what is wished. Otherwise differences are told, and nothing is changed.';
const SKIP_VERIFY = 'true: Zendesk sends no mail to new addresses.';
const HEIR = 'The agent who gets the open tickets.';
const HEIR_GROUP =
  'The group that gets the open tickets, without an agent; not together with `reassignTicketsTo`.';

const ProvisionUserInput = builder.inputType('ProvisionUserInput', {
  description: 'One person to give access to.',
  fields: (t) => ({
    integrationId: t.id({ required: true, description: 'The integration.' }),
    email: t.string({ required: true, description: 'The address, by which Zendesk knows people apart.' }),
    name: t.string({ required: true, description: 'The name of somebody new.' }),
    role: t.field(RoleOfPerson),
    customRoleId: t.id({ required: false, description: 'Zendesk’s id of an agent’s custom role.' }),
    externalId: t.string({ required: false, description: 'Your own reference.' }),
    organizationId: t.id({ required: false, description: 'The organization.' }),
    groupIds: t.idList({ required: false, description: 'Groups to add an agent to, at most 50.' }),
    defaultGroupId: t.id({ required: false, description: 'The group of an agent that comes first.' }),
    allowExisting: t.boolean({ required: false, description: ALLOW_EXISTING }),
    skipVerifyEmail: t.boolean({ required: false, description: SKIP_VERIFY }),
  }),
});
const ProvisionManyInput = builder.inputType('ProvisionManyInput', {
  description: 'Many people to give access to.',
  fields: (t) => ({
    integrationId: t.id({ required: true, description: 'The integration.' }),
    people: t.field({
      type: [PersonInput],
      required: true,
      description: 'The people, at most 1 000; no address twice.',
    }),
    allowExisting: t.boolean({ required: false, description: ALLOW_EXISTING }),
    skipVerifyEmail: t.boolean({ required: false, description: SKIP_VERIFY }),
    maxChanges: t.int({
      required: false,
      description:
        'How many people the plan may change, up to 1 000; what the integration allows where left out, 50 unless an ADMIN set another.',
    }),
  }),
});
const ChangeUserRoleInput = builder.inputType('ChangeUserRoleInput', {
  description: 'Another role for a person.',
  fields: (t) => ({
    integrationId: t.id({ required: true, description: 'The integration.' }),
    userId: t.id({ required: true, description: 'The person.' }),
    role: t.field({ type: UserRole, required: true, description: 'The role.' }),
    customRoleId: t.id({
      required: false,
      description: 'Zendesk’s id of a custom role; an agent keeps the present one where left out.',
    }),
    reassignTicketsTo: t.id({ required: false, description: HEIR }),
    reassignTicketsToGroup: t.id({ required: false, description: HEIR_GROUP }),
  }),
});
const AssignGroupsInput = builder.inputType('AssignGroupsInput', {
  description: 'Groups of an agent.',
  fields: (t) => ({
    integrationId: t.id({ required: true, description: 'The integration.' }),
    userId: t.id({ required: true, description: 'The agent or admin.' }),
    add: t.idList({ required: false, description: 'Groups to add to, at most 50.' }),
    remove: t.idList({ required: false, description: 'Groups to take out of, at most 50.' }),
    defaultGroupId: t.id({ required: false, description: 'The group that comes first.' }),
  }),
});
const SuspendUserInput = builder.inputType('SuspendUserInput', {
  description: 'A person to shut out, or to let in again.',
  fields: (t) => ({
    integrationId: t.id({ required: true, description: 'The integration.' }),
    userId: t.id({ required: true, description: 'The person.' }),
  }),
});
const DeprovisionUserInput = builder.inputType('DeprovisionUserInput', {
  description: 'A person who leaves.',
  fields: (t) => ({
    integrationId: t.id({ required: true, description: 'The integration.' }),
    userId: t.id({ required: true, description: 'The person.' }),
    reassignTicketsTo: t.id({ required: false, description: HEIR }),
    reassignTicketsToGroup: t.id({ required: false, description: HEIR_GROUP }),
  }),
});

/** What all that make a plan have in common. */
const A_PLAN = { type: ProvisioningPlan, nullable: true, complexity: PLAN_COST } as const;

builder.mutationFields((t) => ({
  provisionUser: t.field({
    ...A_PLAN,
    description: 'Plans to give one person access. Needs `create_user`. For ADMIN.',
    args: { input: t.arg({ type: ProvisionUserInput, required: true, description: 'The person.' }) },
    resolve: (_root, { input }, { call, services }) => services.provisionUser(call, input),
  }),
  provisionMany: t.field({
    ...A_PLAN,
    description: 'Plans to give many people access. Needs `create_user`. For ADMIN.',
    args: { input: t.arg({ type: ProvisionManyInput, required: true, description: 'The people.' }) },
    resolve: (_root, { input }, { call, services }) => services.provisionMany(call, input),
  }),
  changeUserRole: t.field({
    ...A_PLAN,
    description: 'Plans to give a person another role. Needs `update_user`. For ADMIN.',
    args: { input: t.arg({ type: ChangeUserRoleInput, required: true, description: 'Whom, and which.' }) },
    resolve: (_root, { input }, { call, services }) => services.changeUserRole(call, input),
  }),
  assignGroups: t.field({
    ...A_PLAN,
    description: 'Plans to put an agent into groups or take one out. Needs `manage_groups`. For ADMIN.',
    args: { input: t.arg({ type: AssignGroupsInput, required: true, description: 'Whom, and which.' }) },
    resolve: (_root, { input }, { call, services }) => services.assignGroups(call, input),
  }),
  suspendUser: t.field({
    ...A_PLAN,
    description: 'Plans to shut a person out. Needs `suspend_user`. For ADMIN.',
    args: { input: t.arg({ type: SuspendUserInput, required: true, description: 'Whom.' }) },
    resolve: (_root, { input }, { call, services }) => services.suspendUser(call, input),
  }),
  unsuspendUser: t.field({
    ...A_PLAN,
    description: 'Plans to let a person in again. Needs `suspend_user`. For ADMIN.',
    args: { input: t.arg({ type: SuspendUserInput, required: true, description: 'Whom.' }) },
    resolve: (_root, { input }, { call, services }) => services.unsuspendUser(call, input),
  }),
  deprovisionUser: t.field({
    ...A_PLAN,
    description:
      'Plans to take all access from a person who leaves: open tickets to whom is named, then the role END_USER, suspension, and the end of all sessions. Needs `update_user`, `suspend_user`, `end_sessions`, and `update_ticket` where tickets are handed over. For ADMIN.',
    args: { input: t.arg({ type: DeprovisionUserInput, required: true, description: 'Whom.' }) },
    resolve: (_root, { input }, { call, services }) => services.deprovisionUser(call, input),
  }),
  applyPlan: t.field({
    ...A_PLAN,
    description:
      'Applies a plan, unless Zendesk moved since it was made: then PLAN_STALE, and nothing is applied. A plan of one person is answered when it is over, as a rule; one of many at once, and `provisioningPlan` tells how far it is. Sent again it applies nothing twice. For ADMIN.',
    args: { planId: t.arg.id({ required: true, description: 'The plan.' }) },
    resolve: (_root, { planId }, { call, services }) => services.applyPlan(call, { id: planId }),
  }),
  cancelPlan: t.field({
    type: ProvisioningPlan,
    nullable: true,
    complexity: CANCEL_COST,
    description:
      'Gives a plan up. One that is being applied stops after the step under way; what was done stays. For ADMIN.',
    args: { planId: t.arg.id({ required: true, description: 'The plan.' }) },
    resolve: (_root, { planId }, { call, services }) => services.cancelPlan(call, { id: planId }),
  }),
}));
