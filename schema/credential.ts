import type { CredentialView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

const CredentialTypeEnum = builder.enumType('CredentialType', {
  values: {
    OAUTH2_TOKEN: { value: 'oauth2_token', description: 'A bearer token.' },
    OAUTH2_CLIENT: {
      value: 'oauth2_client',
      description: 'A confidential OAuth client (client_credentials).',
    },
    BASIC_AUTH: {
      value: 'basic_auth',
      description: 'E-mail and API token; Zendesk ends API tokens on 2027-04-30.',
    },
    API_KEY: { value: 'api_key', description: 'A bare key.' },
  } as const,
});

export const Credential = builder.objectRef<CredentialView>('Credential');

builder.node(Credential, {
  description: 'What is known of a sealed credential. Nothing answers its secret in the clear.',
  id: { resolve: (credential) => credential.id },
  loadOne: (id, { call, services }) => services.getCredential(call, id),
  fields: (t) => ({
    name: t.exposeString('name', { nullable: true }),
    type: t.field({ type: CredentialTypeEnum, resolve: (credential) => credential.type }),
    version: t.exposeInt('version', { description: 'Counts rotations, from 1.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    rotatedAt: t.expose('rotatedAt', { type: 'DateTime', nullable: true }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', nullable: true, description: 'To the minute.' }),
    warning: t.exposeString('warning', {
      nullable: true,
      description: 'What an admin should know, such as the end of API tokens.',
    }),
  }),
});

builder.queryField('credentials', (t) =>
  t.connection(
    {
      type: Credential,
      description: 'The credentials of the tenant, oldest first, without their secrets. For ADMIN.',
      complexity: connectionCost,
      resolve: async (_root, args, { call, services }) =>
        connectionResult(await services.listCredentials(call, args)),
    },
    {},
  ),
);

const SealCredentialInput = builder.inputType('SealCredentialInput', {
  fields: (t) => ({
    type: t.field({ type: CredentialTypeEnum, required: true }),
    secret: t.field({
      type: 'JSONObject',
      required: true,
      description: 'The members of the type (docs/keys.md).',
    }),
    name: t.string({ required: false }),
    expiresAt: t.field({ type: 'DateTime', required: false }),
  }),
});
const RotateCredentialInput = builder.inputType('RotateCredentialInput', {
  fields: (t) => ({
    id: t.id({ required: true }),
    secret: t.field({ type: 'JSONObject', required: true }),
    expectedVersion: t.int({
      required: false,
      description: 'Refuses with CONFLICT when another rotation came first.',
    }),
    expiresAt: t.field({ type: 'DateTime', required: false }),
  }),
});
const CredentialPayload = builder.simpleObject('CredentialPayload', {
  fields: (payload) => ({ credential: payload.field({ type: Credential }) }),
});

builder.mutationFields((t) => ({
  sealCredential: t.field({
    nullable: true,
    type: CredentialPayload,
    description: 'Seals a Zendesk credential into the vault. For ADMIN.',
    args: { input: t.arg({ type: SealCredentialInput, required: true }) },
    resolve: (_root, { input }, { call, services }) => services.sealCredential(call, input),
  }),
  rotateCredential: t.field({
    nullable: true,
    type: CredentialPayload,
    description:
      'Puts another secret in place of the present one; id, integrations and policy stay. For ADMIN.',
    args: { input: t.arg({ type: RotateCredentialInput, required: true }) },
    resolve: (_root, { input }, { call, services }) => services.rotateCredential(call, input),
  }),
  deleteCredential: t.field({
    nullable: true,
    type: builder.simpleObject('DeleteCredentialPayload', {
      fields: (payload) => ({ deletedId: payload.id() }),
    }),
    description: 'Deletes a credential that no integration uses. For ADMIN.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, { call, services }) => services.deleteCredential(call, { id }),
  }),
  unsealCredential: t.field({
    nullable: true,
    type: builder.simpleObject('UnsealCredentialPayload', {
      fields: (payload) => ({
        envelope: payload.field({ type: 'HybridCryptoEnvelope' }),
        auditEventId: payload.id(),
      }),
    }),
    description: 'The credential, sealed to the caller’s client key. For ADMIN.',
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, { call, services }) => services.unsealCredential(call, { id }),
  }),
}));
