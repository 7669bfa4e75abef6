import type { IntegrationConnectionView, IntegrationView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';
import { CredentialTypeEnum } from './credential.ts';

const SystemType = builder.enumType('SystemType', {
  description: 'What kind of system an integration leads to.',
  values: { ZENDESK: { description: 'Zendesk Support.' } },
});
const IntegrationStatus = builder.enumType('IntegrationStatus', {
  description: 'Whether an integration is in use.',
  values: {
    ACTIVE: { description: 'In use.' },
    DISABLED: { description: 'An admin switched it off.' },
    NEEDS_RECONNECT: {
      description:
        'Zendesk does not accept its credential any more; nothing is sent until an admin connects it again.',
    },
  },
});

const ZendeskConfig = builder.objectRef<Pick<IntegrationView, 'subdomain'>>('ZendeskConfig').implement({
  description: 'Which Zendesk account it is.',
  fields: (t) => ({
    subdomain: t.exposeString('subdomain', { description: 'The part before .zendesk.com.' }),
  }),
});

const ConnectionStatus = builder.enumType('ConnectionStatus', {
  description: 'Whether Zendesk can be called.',
  values: {
    CONNECTED: { description: 'As far as is known Zendesk accepts the credential.' },
    NEEDS_RECONNECT: { description: 'Zendesk does not accept it any more; nothing is sent.' },
    NOT_CONNECTED: { description: 'There is no credential.' },
  },
});
const ReconnectReason = builder.enumType('ReconnectReason', {
  description: 'Why an integration has to be connected again.',
  values: {
    REFUSED: {
      description: 'Zendesk does not accept the credential: revoked, deleted, or its user suspended.',
    },
    EXPIRED: { description: 'The refresh token ended, since it was not used in time.' },
    LOST_IN_REFRESH: {
      description: 'Zendesk had given out new tokens that never reached the vault; the old ones are used up.',
    },
  },
});

const IntegrationConnection = builder
  .objectRef<IntegrationConnectionView>('IntegrationConnection')
  .implement({
    description: 'How an integration is connected to Zendesk, and when that ends.',
    fields: (t) => ({
      status: t.field({
        type: ConnectionStatus,
        description: 'Whether Zendesk can be called.',
        resolve: (connection) => connection.status,
      }),
      credentialType: t.field({
        type: CredentialTypeEnum,
        nullable: true,
        description: 'What it rests on; null without a credential.',
        resolve: (connection) => connection.credentialType,
      }),
      accessTokenExpiresAt: t.expose('accessTokenExpiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the present access token ends; the gateway renews it before, where it can.',
      }),
      refreshTokenExpiresAt: t.expose('refreshTokenExpiresAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the refresh token ends; null where there is none or its end is not known.',
      }),
      reconnectReason: t.field({
        type: ReconnectReason,
        nullable: true,
        description: 'Why it has to be connected again, if it has to.',
        resolve: (connection) => connection.reconnectReason,
      }),
      reconnectSince: t.expose('reconnectSince', {
        type: 'DateTime',
        nullable: true,
        description: 'Since when.',
      }),
      endsAt: t.expose('endsAt', {
        type: 'DateTime',
        nullable: true,
        description:
          'When the connection ends if nothing renews it: the end of the refresh token, of the credential, or of API tokens. Null where no end is known.',
      }),
      daysLeft: t.exposeInt('daysLeft', { nullable: true, description: 'Whole days until then.' }),
      restsOnApiToken: t.exposeBoolean('restsOnApiToken', {
        description: 'Whether it rests on an API token, which Zendesk ends on 2027-04-30.',
      }),
      remedy: t.exposeString('remedy', {
        nullable: true,
        description: 'What an admin has to do; null for nothing.',
      }),
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
    connection: t.field({
      type: IntegrationConnection,
      description: 'How it is connected to Zendesk, and when that ends.',
      resolve: (integration, _args, { call, services }) =>
        services.getIntegrationConnection(call, integration.id),
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
