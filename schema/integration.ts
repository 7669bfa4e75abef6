import type { IntegrationView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

const SystemType = builder.enumType('SystemType', { values: ['ZENDESK'] as const });
const IntegrationStatus = builder.enumType('IntegrationStatus', {
  values: {
    ACTIVE: {},
    DISABLED: { description: 'An admin switched it off.' },
  },
});

const ZendeskConfig = builder.objectRef<Pick<IntegrationView, 'subdomain'>>('ZendeskConfig').implement({
  fields: (t) => ({ subdomain: t.exposeString('subdomain') }),
});

export const Integration = builder.objectRef<IntegrationView>('Integration');

builder.node(Integration, {
  description: 'One Zendesk account and the policy under which it is called.',
  id: { resolve: (integration) => integration.id },
  loadOne: (id, { call, services }) => services.getIntegration(call, id),
  fields: (t) => ({
    name: t.exposeString('name'),
    systemType: t.field({ type: SystemType, resolve: (integration) => integration.systemType }),
    config: t.field({ type: ZendeskConfig, resolve: (integration) => integration }),
    credentialId: t.exposeID('credentialId', { nullable: true }),
    allowedOperations: t.stringList({
      description: 'What may be run. Empty permits nothing.',
      resolve: (integration) => [...integration.allowedOperations],
    }),
    status: t.field({ type: IntegrationStatus, resolve: (integration) => integration.status }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime' }),
  }),
});

builder.queryFields((t) => ({
  integration: t.field({
    type: Integration,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, { call, services }) => services.getIntegration(call, id),
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
  fields: (t) => ({
    subdomain: t.string({ required: true, description: 'The part before .zendesk.com.' }),
  }),
});
const CreateIntegrationInput = builder.inputType('CreateIntegrationInput', {
  fields: (t) => ({
    systemType: t.field({ type: SystemType, required: true }),
    name: t.string({ required: false, description: 'The subdomain where left out.' }),
    config: t.field({ type: ZendeskConfigInput, required: true }),
    credentialId: t.id({ required: false }),
    allowedOperations: t.stringList({ required: false, description: 'Default: none.' }),
  }),
});
const UpdateIntegrationInput = builder.inputType('UpdateIntegrationInput', {
  fields: (t) => ({
    id: t.id({ required: true }),
    name: t.string({ required: false }),
    credentialId: t.id({ required: false }),
    allowedOperations: t.stringList({ required: false }),
    enabled: t.boolean({ required: false }),
  }),
});
const IntegrationPayload = builder.simpleObject('IntegrationPayload', {
  fields: (payload) => ({ integration: payload.field({ type: Integration }) }),
});

builder.mutationFields((t) => ({
  createIntegration: t.field({
    nullable: true,
    type: IntegrationPayload,
    description: 'Adds a Zendesk account. For ADMIN.',
    args: { input: t.arg({ type: CreateIntegrationInput, required: true }) },
    resolve: (_root, { input }, { call, services }) => services.createIntegration(call, input),
  }),
  updateIntegration: t.field({
    nullable: true,
    type: IntegrationPayload,
    description: 'Changes the members that are given. For ADMIN.',
    args: { input: t.arg({ type: UpdateIntegrationInput, required: true }) },
    resolve: (_root, { input }, { call, services }) => services.updateIntegration(call, input),
  }),
  deleteIntegration: t.field({
    nullable: true,
    type: builder.simpleObject('DeleteIntegrationPayload', {
      fields: (payload) => ({ deletedId: payload.id() }),
    }),
    description: 'Removes an integration; its credential and its audit entries stay. For ADMIN.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, { call, services }) => services.deleteIntegration(call, { id }),
  }),
  testIntegration: t.field({
    nullable: true,
    type: builder.simpleObject('TestIntegrationPayload', {
      fields: (payload) => ({
        ok: payload.boolean(),
        reason: payload.string({ nullable: true, description: 'A stable token for what is wrong.' }),
        message: payload.string({ description: 'What was found, in plain words.' }),
        remedy: payload.string({ nullable: true, description: 'What to do about it.' }),
      }),
    }),
    description:
      'Calls Zendesk with the credential of the integration and says what is wrong, if anything. For ADMIN.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, { call, services }) => services.testIntegration(call, { id }),
  }),
}));
