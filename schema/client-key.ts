import type { ClientKeyView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

const ClientKeyStatus = builder.enumType('ClientKeyStatus', {
  values: {
    PENDING: { description: 'Registered; its owner has not yet proved to hold the ML-KEM half.' },
    CONFIRMED: { description: 'Both halves proved; waits to be mapped.' },
    ACTIVE: { description: 'Mapped: answers are sealed to it.' },
    RETIRED: { description: 'Succeeded by another key.' },
    REVOKED: { description: 'Ended; nothing is sealed to it any more.' },
  },
});

export const ClientKey = builder.objectRef<ClientKeyView>('ClientKey');

builder.node(ClientKey, {
  description: 'The public halves of a key pair set that a client made: answers are sealed to them.',
  id: { resolve: (key) => key.id },
  loadOne: (id, { call, services }) => services.getClientKey(call, id),
  fields: (t) => ({
    name: t.exposeString('name', { nullable: true }),
    status: t.field({ type: ClientKeyStatus, resolve: (key) => key.status }),
    lineageId: t.exposeID('lineageId', { description: 'The first key of this key’s line of successors.' }),
    kemKid: t.exposeString('kemKid', { description: 'RFC 7638 thumbprint of the ML-KEM-768 key.' }),
    sigKid: t.exposeString('sigKid', { description: 'RFC 7638 thumbprint of the ML-DSA-65 key.' }),
    fingerprint: t.exposeString('fingerprint', {
      description: 'Of both public keys, for people to compare with what `sealdesk keys fingerprint` prints.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    pendingUntil: t.expose('pendingUntil', { type: 'DateTime', nullable: true }),
    confirmedAt: t.expose('confirmedAt', { type: 'DateTime', nullable: true }),
    mappedAt: t.expose('mappedAt', { type: 'DateTime', nullable: true }),
    endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true }),
    endReason: t.exposeString('endReason', { nullable: true }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', nullable: true, description: 'To the minute.' }),
  }),
});

builder.queryField('clientKeys', (t) =>
  t.connection(
    {
      type: ClientKey,
      description: 'The client keys of the tenant, oldest first. For ADMIN.',
      complexity: connectionCost,
      resolve: async (_root, args, { call, services }) =>
        connectionResult(await services.listClientKeys(call, args)),
    },
    {},
  ),
);

const RegisterClientKeyInput = builder.inputType('RegisterClientKeyInput', {
  fields: (t) => ({
    jwks: t.field({
      type: 'JSONObject',
      required: true,
      description: 'A JWK Set of one public ML-KEM-768 and one public ML-DSA-65 key.',
    }),
    issuedAt: t.int({ required: true, description: 'Unix seconds, at most 10 minutes off.' }),
    proof: t.string({
      required: true,
      description: 'The ML-DSA-65 registration proof, base64 (docs/envelope.md).',
    }),
    name: t.string({ required: false }),
  }),
});
const ConfirmClientKeyInput = builder.inputType('ConfirmClientKeyInput', {
  fields: (t) => ({
    keyId: t.id({ required: true }),
    mac: t.string({ required: true, description: 'The confirmation MAC, base64 (docs/envelope.md).' }),
  }),
});
const RevokeReason = builder.enumType('RevokeReason', {
  values: {
    UNSPECIFIED: {},
    KEY_COMPROMISE: { description: 'The private half may be known to others.' },
    KEY_LOST: { description: 'Nobody holds the private half any more.' },
    SUPERSEDED: { description: 'Another key took its place.' },
    CESSATION_OF_OPERATION: { description: 'What it served has ended.' },
  },
});

const ClientKeyPayload = builder.simpleObject('ClientKeyPayload', {
  fields: (payload) => ({ clientKey: payload.field({ type: ClientKey }) }),
});

builder.mutationFields((t) => ({
  registerClientKey: t.field({
    nullable: true,
    type: builder.simpleObject('RegisterClientKeyPayload', {
      fields: (payload) => ({
        clientKey: payload.field({ type: ClientKey }),
        welcome: payload.field({
          type: 'HybridCryptoEnvelope',
          description: 'Sealed to the new key: its MAC key and the keys to trust.',
        }),
      }),
    }),
    description: 'Registers a client key of the caller’s tenant as PENDING, for 24 hours. For any API key.',
    args: { input: t.arg({ type: RegisterClientKeyInput, required: true }) },
    resolve: (_root, { input }, { call, services }) => services.registerClientKey(call, input),
  }),
  confirmClientKey: t.field({
    nullable: true,
    type: ClientKeyPayload,
    description: 'Proves the ML-KEM half of a PENDING key by its MAC key. Needs no API key.',
    authScopes: { public: true },
    skipTypeScopes: true,
    args: { input: t.arg({ type: ConfirmClientKeyInput, required: true }) },
    resolve: (_root, { input }, { call, services }) => services.confirmClientKey(call, input),
  }),
  mapClientKey: t.field({
    nullable: true,
    type: ClientKeyPayload,
    description: 'Makes a CONFIRMED key ACTIVE: answers may be sealed to it. For ADMIN and OPERATOR.',
    args: { keyId: t.arg.id({ required: true }) },
    resolve: (_root, { keyId }, { call, services }) => services.mapClientKey(call, { keyId }),
  }),
  revokeClientKey: t.field({
    nullable: true,
    type: ClientKeyPayload,
    description: 'Ends a client key at once. For ADMIN and OPERATOR.',
    args: {
      keyId: t.arg.id({ required: true }),
      reason: t.arg({ type: RevokeReason, required: false }),
    },
    resolve: (_root, { keyId, reason }, { call, services }) =>
      services.revokeClientKey(call, { keyId, reason: reason ?? 'UNSPECIFIED' }),
  }),
}));
