import type { ApiKeyView, Role } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

export const RoleEnum = builder.enumType('Role', {
  description: 'What the holder of an API key may do.',
  values: {
    OPERATOR: { description: 'Creates tenants and maps client keys of every tenant; reads no tickets.' },
    ADMIN: { description: 'Manages one tenant: integrations, credentials, keys.' },
    AGENT: { description: 'Reads and writes tickets as the policy allows.' },
    DASHBOARD: { description: 'Reads as the policy allows.' },
    AUDITOR: { description: 'Reads the audit log, which is itself recorded.' },
  } satisfies Record<Role, object>,
});

const ApiKeyDeliveryEnum = builder.enumType('ApiKeyDelivery', {
  description: 'How what is of Zendesk leaves by GraphQL.',
  values: {
    SEALED: { description: 'In an envelope only, to a client key.' },
    PLAINTEXT: {
      description:
        'In the clear, unless the request asks for an envelope. An ADMIN chose so, which the audit log tells.',
    },
  } satisfies Record<ApiKeyView['delivery'], object>,
});

export const ApiKey = builder.objectRef<ApiKeyView>('ApiKey');

builder.node(ApiKey, {
  description: 'A key of a server. Its secret is shown once, when it is created.',
  id: { resolve: (key) => key.id },
  loadOne: (id, { call, services }) => services.getApiKey(call, id),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name that its maker gave it.' }),
    roles: t.field({
      type: [RoleEnum],
      description: 'What its holder may do.',
      resolve: (key) => [...key.roles],
    }),
    allowedOperations: t.stringList({
      nullable: true,
      description: 'Narrows what the integration allows; null does not.',
      resolve: (key) => (key.allowedOperations === null ? null : [...key.allowedOperations]),
    }),
    clientKeyId: t.exposeID('clientKeyId', {
      nullable: true,
      description: 'The client key that all answers to this API key are sealed to.',
    }),
    requestsPerMinute: t.exposeInt('requestsPerMinute', {
      nullable: true,
      description: 'How many requests a minute it may make; null for the gateway’s default.',
    }),
    delivery: t.expose('delivery', {
      type: ApiKeyDeliveryEnum,
      description: 'How answers that show something of Zendesk leave.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends by itself; null for never.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null where it was not.',
    }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.connection(
    {
      type: ApiKey,
      description: 'The API keys of the tenant, oldest first. For ADMIN.',
      complexity: connectionCost,
      resolve: async (_root, args, { call, services }) =>
        connectionResult(await services.listApiKeys(call, args)),
    },
    {},
  ),
);

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A new API key.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'A name for people, 1 to 100 characters.' }),
    roles: t.field({ type: [RoleEnum], required: true, description: 'What its holder may do.' }),
    allowedOperations: t.stringList({
      required: false,
      description: 'Operations this key may run, of those the integration allows.',
    }),
    clientKeyId: t.id({ required: false, description: 'The client key that all answers are sealed to.' }),
    requestsPerMinute: t.int({
      required: false,
      description:
        'How many requests a minute it may make, 1 to 1 000 000; the gateway’s default where left out.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      required: false,
      description: 'When it ends by itself; never where left out.',
    }),
    delivery: t.field({
      type: ApiKeyDeliveryEnum,
      required: false,
      defaultValue: 'SEALED',
      description:
        'PLAINTEXT lets tickets, people and organizations leave in the clear; for ADMIN, and recorded as an act of its own.',
    }),
  }),
});

builder.mutationFields((t) => ({
  createApiKey: t.field({
    nullable: true,
    type: builder.simpleObject('CreateApiKeyPayload', {
      description: 'What `createApiKey` did.',
      fields: (payload) => ({
        apiKey: payload.field({ type: ApiKey, description: 'The new key.' }),
        secret: payload.string({ description: 'The text to send as X-API-Key. It is shown this once.' }),
      }),
    }),
    description:
      'Creates an API key of the caller’s tenant. For ADMIN; an OPERATOR creates further OPERATOR keys.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The new key.' }) },
    resolve: (_root, { input }, { call, services }) => services.createApiKey(call, input),
  }),
  revokeApiKey: t.field({
    nullable: true,
    type: builder.simpleObject('RevokeApiKeyPayload', {
      description: 'What `revokeApiKey` did.',
      fields: (payload) => ({
        apiKey: payload.field({ type: ApiKey, description: 'The key, which has ended.' }),
      }),
    }),
    description: 'Ends an API key at once. For ADMIN, and OPERATOR for OPERATOR keys.',
    args: { id: t.arg.id({ required: true, description: 'The key.' }) },
    resolve: (_root, { id }, { call, services }) => services.revokeApiKey(call, { id }),
  }),
}));
