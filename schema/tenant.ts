import type { TenantView, Viewer } from '../src/service/index.ts';
import { ApiKey } from './api-key.ts';
import { builder } from './builder.ts';
import { ClientKey } from './client-key.ts';
import { connectionCost, connectionResult } from './connection.ts';

export const Tenant = builder.objectRef<TenantView>('Tenant');

builder.node(Tenant, {
  description: 'The boundary of all data: its integrations, credentials, keys and audit log.',
  id: { resolve: (tenant) => tenant.id },
  loadOne: (id, { call, services }) => services.getTenant(call, id),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name that its founder gave it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
  }),
});

const ViewerType = builder.objectRef<Viewer>('Viewer').implement({
  description:
    'Who has logged in with this request: by an API key, or by a client key that signed for itself.',
  fields: (t) => ({
    apiKey: t.field({
      type: ApiKey,
      nullable: true,
      description: 'The API key of this request; null where a client key logged in.',
      resolve: (viewer) => viewer.apiKey,
    }),
    clientKey: t.field({
      type: ClientKey,
      nullable: true,
      description: 'The client key that signed the login; null where an API key came.',
      resolve: (viewer) => viewer.clientKey,
    }),
    tenant: t.field({
      type: Tenant,
      description: 'The tenant that the key belongs to.',
      resolve: (viewer) => viewer.tenant,
    }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.field({
    type: ViewerType,
    description: 'The caller itself.',
    resolve: (_root, _args, { call, services }) => services.getViewer(call),
  }),
  tenant: t.field({
    type: Tenant,
    description: 'The tenant of the caller; an OPERATOR may name another.',
    args: { id: t.arg.id({ required: false, description: 'The tenant; the caller’s own where left out.' }) },
    resolve: (_root, { id }, { call, services }) => services.getTenant(call, id ?? null),
  }),
  tenants: t.connection(
    {
      type: Tenant,
      description: 'All tenants, oldest first. For OPERATOR.',
      complexity: connectionCost,
      resolve: async (_root, args, { call, services }) =>
        connectionResult(await services.listTenants(call, args)),
    },
    {},
  ),
}));

const CreateTenantInput = builder.inputType('CreateTenantInput', {
  description: 'A new tenant.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'A name for people, 1 to 100 characters.' }),
    kmsKeyArn: t.string({
      required: false,
      description: 'The tenant’s own AWS KMS key; the gateway’s default key where left out.',
    }),
  }),
});

builder.mutationField('createTenant', (t) =>
  t.field({
    nullable: true,
    type: builder.simpleObject('CreateTenantPayload', {
      description: 'What `createTenant` did.',
      fields: (payload) => ({
        tenant: payload.field({ type: Tenant, description: 'The new tenant.' }),
        adminApiKey: payload.field({ type: ApiKey, description: 'Its first key, of the role ADMIN.' }),
        adminApiKeySecret: payload.string({
          description: 'The text of the ADMIN key. It is shown this once.',
        }),
      }),
    }),
    description: 'Creates a tenant with its keys, and its first ADMIN key. For OPERATOR.',
    args: { input: t.arg({ type: CreateTenantInput, required: true, description: 'The new tenant.' }) },
    resolve: (_root, { input }, { call, services }) => services.createTenant(call, input),
  }),
);
