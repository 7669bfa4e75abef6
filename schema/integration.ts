import type { IntegrationView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

const SystemType = builder.enumType('SystemType', {
  description: 'What kind of system an integration leads to.',
  values: { ZENDESK: { description: 'Zendesk Support.' } },
});
const IntegrationStatus = builder.enumType('IntegrationStatus', {
  description: 'Whether an integration is in use.',
  values: {
    ACTIVE: { description: 'In use.' },
    DISABLED: { description: 'An admin switched it off.' },
  },
});

const ZendeskConfig = builder.objectRef<Pick<IntegrationView, 'subdomain'>>('ZendeskConfig').implement({
  description: 'Which Zendesk account it is.',
  fields: (t) => ({
    subdomain: t.exposeString('subdomain', { description: 'The part before .zendesk.com.' }),
  }),
});

export const Integration = builder.objectRef<IntegrationView>('Integration');

builder.node(Integration, {
  description: 'One Zendesk account and the policy under which it is called.',
  id: { resolve: (integration) => integration.id },
  loadOne: (id, { call, services }) => services.getIntegration(call, id),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name that an admin gave it.' }),
    systemType: t.field({
      type: SystemType,
      description: 'What kind of system it leads to.',
      resolve: (integration) => integration.systemType,
    }),
    config: t.field({
      type: ZendeskConfig,
      description: 'Which account it leads to.',
      resolve: (integration) => integration,
    }),
    credentialId: t.exposeID('credentialId', {
      nullable: true,
      description: 'The credential that Zendesk is called with; null until one is named.',
    }),
    allowedOperations: t.stringList({
      description: 'What may be run. Empty permits nothing.',
      resolve: (integration) => [...integration.allowedOperations],
    }),
    status: t.field({
      type: IntegrationStatus,
      description: 'Whether it is in use.',
      resolve: (integration) => integration.status,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was added.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
});

builder.queryFields((t) => ({
  integration: t.field({
    type: Integration,
    description:
      'One integration, and through it the tickets and people of its Zendesk account. For ADMIN, AGENT and DASHBOARD.',
    args: { id: t.arg.id({ required: true, description: 'The integration.' }) },
    resolve: (_root, { id }, { call, services, session }) => services.openIntegration(call, session, id),
  }),
  integrations: t.connection(
    {
      type: Integration,
      description: 'The integrations of the tenant, oldest first.',
      complexity: connectionCost,
      resolve: async (_root, args, { call, services }) =>
        connectionResult(await services.listIntegrations(call, args)),
    },
    {},
  ),
}));

const ZendeskConfigInput = builder.inputType('ZendeskConfigInput', {
  description: 'Which Zendesk account.',
  fields: (t) => ({
    subdomain: t.string({ required: true, description: 'The part before .zendesk.com.' }),
  }),
});
const CreateIntegrationInput = builder.inputType('CreateIntegrationInput', {
  description: 'A Zendesk account to add.',
  fields: (t) => ({
    systemType: t.field({ type: SystemType, required: true, description: 'What kind of system it is.' }),
    name: t.string({ required: false, description: 'The subdomain where left out.' }),
    config: t.field({ type: ZendeskConfigInput, required: true, description: 'Which account it is.' }),
    credentialId: t.id({
      required: false,
      description: 'The credential to call it with; it may follow later.',
    }),
    allowedOperations: t.stringList({
      required: false,
      description: 'Operations of docs/operations.md that may be run; none where left out.',
    }),
  }),
});
const UpdateIntegrationInput = builder.inputType('UpdateIntegrationInput', {
  description: 'What to change of an integration; what is left out stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The integration.' }),
    name: t.string({ required: false, description: 'Another name.' }),
    credentialId: t.id({ required: false, description: 'Another credential of the same account.' }),
    allowedOperations: t.stringList({
      required: false,
      description: 'The whole list of operations that may be run, in place of the present one.',
    }),
    enabled: t.boolean({ required: false, description: 'false switches it off, true on again.' }),
  }),
});
const IntegrationPayload = builder.simpleObject('IntegrationPayload', {
  description: 'What a change of an integration did.',
  fields: (payload) => ({
    integration: payload.field({ type: Integration, description: 'The integration as it is now.' }),
  }),
});

builder.mutationFields((t) => ({
  createIntegration: t.field({
    nullable: true,
    type: IntegrationPayload,
    description: 'Adds a Zendesk account. For ADMIN.',
    args: {
      input: t.arg({ type: CreateIntegrationInput, required: true, description: 'The account to add.' }),
    },
    resolve: (_root, { input }, { call, services }) => services.createIntegration(call, input),
  }),
  updateIntegration: t.field({
    nullable: true,
    type: IntegrationPayload,
    description: 'Changes the members that are given. For ADMIN.',
    args: { input: t.arg({ type: UpdateIntegrationInput, required: true, description: 'What to change.' }) },
    resolve: (_root, { input }, { call, services }) => services.updateIntegration(call, input),
  }),
  deleteIntegration: t.field({
    nullable: true,
    type: builder.simpleObject('DeleteIntegrationPayload', {
      description: 'What `deleteIntegration` did.',
      fields: (payload) => ({ deletedId: payload.id({ description: 'The id that is gone.' }) }),
    }),
    description: 'Removes an integration; its credential and its audit entries stay. For ADMIN.',
    args: { id: t.arg.id({ required: true, description: 'The integration.' }) },
    resolve: (_root, { id }, { call, services }) => services.deleteIntegration(call, { id }),
  }),
  testIntegration: t.field({
    nullable: true,
    type: builder.simpleObject('TestIntegrationPayload', {
      description: 'What `testIntegration` found.',
      fields: (payload) => ({
        ok: payload.boolean({ description: 'Whether Zendesk accepts the credential.' }),
        reason: payload.string({ nullable: true, description: 'A stable token for what is wrong.' }),
        message: payload.string({ description: 'What was found, in plain words.' }),
        remedy: payload.string({ nullable: true, description: 'What to do about it.' }),
      }),
    }),
    description:
      'Calls Zendesk with the credential of the integration and says what is wrong, if anything. For ADMIN.',
    args: { id: t.arg.id({ required: true, description: 'The integration.' }) },
    resolve: (_root, { id }, { call, services }) => services.testIntegration(call, { id }),
  }),
}));
