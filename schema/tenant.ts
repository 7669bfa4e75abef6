import type { TenantView, Viewer } from '../src/service/index.ts';
import { ApiKey } from './api-key.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

export const Tenant = builder.objectRef<TenantView>('Tenant');

builder.node(Tenant, {
  description: 'The boundary of all data: its integrations, credentials, keys and audit log.',
  id: { resolve: (tenant) => tenant.id },
  loadOne: (id, { call, services }) => services.getTenant(call, id),
  fields: (t) => ({
    name: t.exposeString('name'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

const ViewerType = builder.objectRef<Viewer>('Viewer').implement({
  description: 'Who the API key of this request is.',
  fields: (t) => ({
    apiKey: t.field({ type: ApiKey, resolve: (viewer) => viewer.apiKey }),
    tenant: t.field({ type: Tenant, resolve: (viewer) => viewer.tenant }),
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
    args: { id: t.arg.id({ required: false }) },
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
  fields: (t) => ({
    name: t.string({ required: true }),
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
      fields: (payload) => ({
        tenant: payload.field({ type: Tenant }),
        adminApiKey: payload.field({ type: ApiKey }),
        adminApiKeySecret: payload.string({
          description: 'The text of the ADMIN key. It is shown this once.',
        }),
      }),
    }),
    description: 'Creates a tenant with its keys, and its first ADMIN key. For OPERATOR.',
    args: { input: t.arg({ type: CreateTenantInput, required: true }) },
    resolve: (_root, { input }, { call, services }) => services.createTenant(call, input),
  }),
);
