import type { CredentialView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

export const CredentialTypeEnum = builder.enumType('CredentialType', {
  description: 'What kind of credential it is, by which Zendesk is called.',
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
    name: t.exposeString('name', { nullable: true, description: 'The name that an admin gave it, if any.' }),
    type: t.field({
      type: CredentialTypeEnum,
      description: 'What kind of credential it is.',
      resolve: (credential) => credential.type,
    }),
    version: t.exposeInt('version', { description: 'Counts rotations, from 1.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was first sealed.' }),
    rotatedAt: t.expose('rotatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When another secret last took its place; null for never.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends by itself; null where that is not known.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute.',
    }),
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
  description: 'A credential to be sealed.',
  fields: (t) => ({
    type: t.field({
      type: CredentialTypeEnum,
      required: true,
      description: 'What kind of credential it is.',
    }),
    secret: t.field({
      type: 'JSONObject',
      required: true,
      description: 'The members of the type (docs/keys.md).',
    }),
    name: t.string({ required: false, description: 'A name for people.' }),
    expiresAt: t.field({
      type: 'DateTime',
      required: false,
      description: 'When it ends by itself, if it is known.',
    }),
  }),
});
const RotateCredentialInput = builder.inputType('RotateCredentialInput', {
  description: 'Another secret for a credential.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The credential.' }),
    secret: t.field({
      type: 'JSONObject',
      required: true,
      description: 'The members of its type (docs/keys.md).',
    }),
    expectedVersion: t.int({
      required: false,
      description: 'Refuses with CONFLICT when another rotation came first.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      required: false,
      description: 'When the new secret ends by itself, if it is known.',
    }),
  }),
});
const CredentialPayload = builder.simpleObject('CredentialPayload', {
  description: 'What a change of a credential did.',
  fields: (payload) => ({
    credential: payload.field({ type: Credential, description: 'The credential as it is now.' }),
  }),
});

builder.mutationFields((t) => ({
  sealCredential: t.field({
    nullable: true,
    type: CredentialPayload,
    description: 'Seals a Zendesk credential into the vault. For ADMIN.',
    args: { input: t.arg({ type: SealCredentialInput, required: true, description: 'The credential.' }) },
    resolve: (_root, { input }, { call, services }) => services.sealCredential(call, input),
  }),
  rotateCredential: t.field({
    nullable: true,
    type: CredentialPayload,
    description:
      'Puts another secret in place of the present one; id, integrations and policy stay. For ADMIN.',
    args: { input: t.arg({ type: RotateCredentialInput, required: true, description: 'The new secret.' }) },
    resolve: (_root, { input }, { call, services }) => services.rotateCredential(call, input),
  }),
  deleteCredential: t.field({
    nullable: true,
    type: builder.simpleObject('DeleteCredentialPayload', {
      description: 'What `deleteCredential` did.',
      fields: (payload) => ({ deletedId: payload.id({ description: 'The id that is gone.' }) }),
    }),
    description: 'Deletes a credential that no integration uses. For ADMIN.',
    args: { id: t.arg.id({ required: true, description: 'The credential.' }) },
    resolve: (_root, { id }, { call, services }) => services.deleteCredential(call, { id }),
  }),
  unsealCredential: t.field({
    nullable: true,
    type: builder.simpleObject('UnsealCredentialPayload', {
      description: 'What `unsealCredential` answers.',
      fields: (payload) => ({
        envelope: payload.field({
          type: 'HybridCryptoEnvelope',
          description: 'The secret, sealed: hand it whole to an opener.',
        }),
        auditEventId: payload.id({ description: 'The audit event that records it.' }),
      }),
    }),
    description: 'The credential, sealed to the caller’s client key. For ADMIN.',
    args: { id: t.arg.id({ required: true, description: 'The credential.' }) },
    resolve: (_root, { id }, { call, services }) => services.unsealCredential(call, { id }),
  }),
}));
