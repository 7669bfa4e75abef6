import { builder } from './builder.ts';
import { ClientKey, RotationMode } from './client-key.ts';

const LoginRoleEnum = builder.enumType('LoginRole', {
  description: 'What a client key may do that logs in by itself.',
  values: {
    AGENT: { description: 'Reads and writes tickets as the policy allows.' },
    DASHBOARD: { description: 'Reads as the policy allows.' },
  },
});

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
const ClientKeyLoginInput = builder.inputType('ClientKeyLoginInput', {
  description: 'What a client key may do when it logs in by its own signature, without an API key.',
  fields: (t) => ({
    roles: t.field({ type: [LoginRoleEnum], required: true, description: 'At least one.' }),
    allowedOperations: t.stringList({
      required: false,
      description: 'Operations its logins may run, of those the integration allows.',
    }),
  }),
});
const ClientKeyRestrictionInput = builder.inputType('ClientKeyRestrictionInput', {
  description: 'What a client key is to be good for only: one organization, or one requester.',
  fields: (t) => ({
    integrationId: t.id({ required: true, description: 'The one integration that the key is good for.' }),
    organizationId: t.id({
      required: false,
      description: 'The organization: Zendesk’s number or the global id. Not together with requesterId.',
    }),
    requesterId: t.id({
      required: false,
      description: 'The requester: Zendesk’s number or the global id. Not together with organizationId.',
    }),
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

const RotateClientKeyInput = builder.inputType('RotateClientKeyInput', {
  description: 'The key that gives way, the public halves of its successor, and the proofs by both.',
  fields: (t) => ({
    keyId: t.id({ required: true, description: 'The client key that gives way.' }),
    mode: t.field({ type: RotationMode, required: true, description: 'How it gives way.' }),
    jwks: t.field({
      type: 'JSONObject',
      required: true,
      description: 'The successor: a JWK Set of one public ML-KEM-768 and one public ML-DSA-65 key.',
    }),
    issuedAt: t.int({ required: true, description: 'Unix seconds of both proofs, at most 10 minutes off.' }),
    proof: t.string({
      required: true,
      description: 'The ML-DSA-65 registration proof by the successor, base64 (docs/envelope.md).',
    }),
    rotationProof: t.string({
      required: false,
      description:
        'The ML-DSA-65 rotation proof by the key that gives way, base64 (docs/envelope.md). Only an ADMIN may leave it out, with STRICT.',
    }),
    name: t.string({ required: false, description: 'A name for people.' }),
  }),
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
    args: {
      keyId: t.arg.id({ required: true, description: 'The client key.' }),
      expiresAt: t.arg({
        type: 'DateTime',
        required: false,
        description: 'When it ends by itself; never where left out.',
      }),
      login: t.arg({
        type: ClientKeyLoginInput,
        required: false,
        description:
          'Lets it log in by itself; null does not. Left out, a successor that the key before it vouched for may what that one may, and any other nothing. Recorded as an act of its own.',
      }),
      restrictTo: t.arg({
        type: ClientKeyRestrictionInput,
        required: false,
        description:
          'What the key is good for only; left out, all that its callers may do. It cannot be changed afterwards, and a successor of the key keeps it.',
      }),
    },
    resolve: (_root, args, { call, services }) => services.mapClientKey(call, args),
  }),
  rotateClientKey: t.field({
    nullable: true,
    type: builder.simpleObject('RotateClientKeyPayload', {
      description: 'What `rotateClientKey` did.',
      fields: (payload) => ({
        clientKey: payload.field({ type: ClientKey, description: 'The successor, PENDING.' }),
        welcome: payload.field({
          type: 'HybridCryptoEnvelope',
          description: 'Sealed to the successor: its MAC key and the keys to trust.',
        }),
      }),
    }),
    description:
      'Registers the successor of a client key as PENDING, for 24 hours: to be confirmed and mapped like any key. For any API key with a proof by the old key; for ADMIN without, in mode STRICT.',
    args: {
      input: t.arg({ type: RotateClientKeyInput, required: true, description: 'Keys and proofs.' }),
    },
    resolve: (_root, { input }, { call, services }) => services.rotateClientKey(call, input),
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
