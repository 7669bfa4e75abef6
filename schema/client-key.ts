import type { ClientKeyView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

const ClientKeyStatus = builder.enumType('ClientKeyStatus', {
  description: 'Where a client key stands in its life.',
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
    name: t.exposeString('name', { nullable: true, description: 'The name that its owner gave it, if any.' }),
    status: t.field({
      type: ClientKeyStatus,
      description: 'Where it stands in its life.',
      resolve: (key) => key.status,
    }),
    lineageId: t.exposeID('lineageId', { description: 'The first key of this key’s line of successors.' }),
    kemKid: t.exposeString('kemKid', { description: 'RFC 7638 thumbprint of the ML-KEM-768 key.' }),
    sigKid: t.exposeString('sigKid', { description: 'RFC 7638 thumbprint of the ML-DSA-65 key.' }),
    fingerprint: t.exposeString('fingerprint', {
      description: 'Of both public keys, for people to compare with what `sealdesk keys fingerprint` prints.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was registered.' }),
    pendingUntil: t.expose('pendingUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when it must be confirmed; null once it is.',
    }),
    confirmedAt: t.expose('confirmedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its owner proved to hold both halves.',
    }),
    mappedAt: t.expose('mappedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it became ACTIVE.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was retired or revoked.',
    }),
    endReason: t.exposeString('endReason', { nullable: true, description: 'Why it was retired or revoked.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When something was last sealed to it, to the minute.',
    }),
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
  description: 'The public halves of a client key, and the proof that its owner holds the signing one.',
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
    name: t.string({ required: false, description: 'A name for people.' }),
  }),
});
const ConfirmClientKeyInput = builder.inputType('ConfirmClientKeyInput', {
  description: 'The proof that the owner of a client key holds its receiving half too.',
  fields: (t) => ({
    keyId: t.id({ required: true, description: 'The client key.' }),
    mac: t.string({ required: true, description: 'The confirmation MAC, base64 (docs/envelope.md).' }),
  }),
});
const RevokeReason = builder.enumType('RevokeReason', {
  description: 'Why a client key is ended.',
  values: {
    UNSPECIFIED: { description: 'Not told.' },
    KEY_COMPROMISE: { description: 'The private half may be known to others.' },
    KEY_LOST: { description: 'Nobody holds the private half any more.' },
    SUPERSEDED: { description: 'Another key took its place.' },
    CESSATION_OF_OPERATION: { description: 'What it served has ended.' },
  },
});

const ClientKeyPayload = builder.simpleObject('ClientKeyPayload', {
  description: 'What a change of a client key did.',
  fields: (payload) => ({
    clientKey: payload.field({ type: ClientKey, description: 'The key as it is now.' }),
  }),
});

builder.mutationFields((t) => ({
  registerClientKey: t.field({
    nullable: true,
    type: builder.simpleObject('RegisterClientKeyPayload', {
      description: 'What `registerClientKey` did.',
      fields: (payload) => ({
        clientKey: payload.field({ type: ClientKey, description: 'The key, PENDING.' }),
        welcome: payload.field({
          type: 'HybridCryptoEnvelope',
          description: 'Sealed to the new key: its MAC key and the keys to trust.',
        }),
      }),
    }),
    description: 'Registers a client key of the caller’s tenant as PENDING, for 24 hours. For any API key.',
    args: { input: t.arg({ type: RegisterClientKeyInput, required: true, description: 'Key and proof.' }) },
    resolve: (_root, { input }, { call, services }) => services.registerClientKey(call, input),
  }),
  confirmClientKey: t.field({
    nullable: true,
    type: ClientKeyPayload,
    description: 'Proves the ML-KEM half of a PENDING key by its MAC key. Needs no API key.',
    authScopes: { public: true },
    skipTypeScopes: true,
    args: { input: t.arg({ type: ConfirmClientKeyInput, required: true, description: 'Key and proof.' }) },
    resolve: (_root, { input }, { call, services }) => services.confirmClientKey(call, input),
  }),
  mapClientKey: t.field({
    nullable: true,
    type: ClientKeyPayload,
    description: 'Makes a CONFIRMED key ACTIVE: answers may be sealed to it. For ADMIN and OPERATOR.',
    args: { keyId: t.arg.id({ required: true, description: 'The client key.' }) },
    resolve: (_root, { keyId }, { call, services }) => services.mapClientKey(call, { keyId }),
  }),
  revokeClientKey: t.field({
    nullable: true,
    type: ClientKeyPayload,
    description: 'Ends a client key at once. For ADMIN and OPERATOR.',
    args: {
      keyId: t.arg.id({ required: true, description: 'The client key.' }),
      reason: t.arg({
        type: RevokeReason,
        required: false,
        description: 'Why it is ended, for the log and its owner.',
      }),
    },
    resolve: (_root, { keyId, reason }, { call, services }) =>
      services.revokeClientKey(call, { keyId, reason: reason ?? 'UNSPECIFIED' }),
  }),
}));
