/** The gateway's own keys of a tenant: how they stand, and their rotation. */
import type { KeyRotationView, KeyStatusView, SigningKeyView } from '../src/service/index.ts';
import { builder } from './builder.ts';

const SigningKeyStatus = builder.enumType('SigningKeyStatus', {
  description: 'Where a signing key is in its life.',
  values: {
    PENDING: { description: 'Published; signs later.' },
    ACTIVE: { description: 'Signs.' },
    RETIRED: { description: 'Signs no more; what it signed stays good.' },
    REVOKED: { description: 'Nothing that it signed is good.' },
  },
});
const KeyRotationKind = builder.enumType('KeyRotationKind', {
  description: 'Which key a rotation replaces.',
  values: {
    VAULT: { description: 'The vault key, to which credentials and access tokens are sealed.' },
    KMS: { description: 'The key of the key management service, which wraps all that is stored.' },
  },
});
const KeyRotationState = builder.enumType('KeyRotationState', {
  description: 'Whether a rotation is under way.',
  values: {
    RUNNING: { description: 'Records are being re-wrapped, or the old key is about to be done with.' },
    DONE: { description: 'Nothing rests on the old key.' },
    SUPERSEDED: { description: 'Another rotation of the same key took its place.' },
  },
});

const SigningKey = builder.objectRef<SigningKeyView>('SigningKey').implement({
  description: 'A key that signs the envelopes of a tenant.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id, as the audit log names it.' }),
    kid: t.exposeString('kid', { description: 'Its thumbprint, as keys.json and envelopes name it.' }),
    version: t.exposeInt('version', { description: 'Counts the signing keys of the tenant.' }),
    status: t.expose('status', { type: SigningKeyStatus, description: 'Where it is in its life.' }),
    publishedAt: t.expose('publishedAt', { type: 'DateTime', description: 'Since when it is in keys.json.' }),
    notBefore: t.expose('notBefore', { type: 'DateTime', description: 'From when it signs.' }),
    notAfter: t.expose('notAfter', {
      type: 'DateTime',
      nullable: true,
      description: 'When it signed last, or was revoked; null while no end is set.',
    }),
    succeeds: t.exposeString('succeeds', {
      nullable: true,
      description: 'The thumbprint of the key that vouches for it; null where the chain begins.',
    }),
  }),
});

const VaultKeyUse = builder.objectRef<KeyStatusView['vaultKeys'][number]>('VaultKeyUse').implement({
  description: 'A version of the vault key, and what is sealed to it.',
  fields: (t) => ({
    version: t.exposeInt('version', { description: 'The version; the highest is the present one.' }),
    credentials: t.exposeInt('credentials', { description: 'Credentials sealed to it.' }),
    accessTokens: t.exposeInt('accessTokens', { description: 'Access tokens sealed to it.' }),
  }),
});

const KmsKeyUse = builder.objectRef<KeyStatusView['kmsKeys'][number]>('KmsKeyUse').implement({
  description: 'A key of the key management service, and what of the tenant is under it.',
  fields: (t) => ({
    kmsKeyRef: t.exposeString('kmsKeyRef', {
      description: 'The ARN of the key, or `local:` and the fingerprint of a key file.',
    }),
    secrets: t.exposeInt('secrets', { description: 'Secrets of the tenant under it.' }),
    credentials: t.exposeInt('credentials', { description: 'Credentials under it.' }),
    accessTokens: t.exposeInt('accessTokens', { description: 'Access tokens under it.' }),
  }),
});

const KeyRotation = builder.objectRef<KeyRotationView>('KeyRotation').implement({
  description: 'The way of what is stored from an old key to the present one.',
  fields: (t) => ({
    what: t.expose('what', { type: KeyRotationKind, description: 'Which key it replaces.' }),
    from: t.exposeStringList('from', {
      description: 'Versions of the vault key or references to KMS keys that records rested on.',
    }),
    to: t.exposeString('to', { description: 'The version or the reference of the present key.' }),
    state: t.expose('state', { type: KeyRotationState, description: 'Whether it is under way.' }),
    total: t.exposeInt('total', { description: 'Records that rested on an old key when it began.' }),
    remaining: t.exposeInt('remaining', {
      nullable: true,
      description: 'Records that still do; null where another rotation took its place.',
    }),
    failure: t.exposeString('failure', {
      nullable: true,
      description: 'The error code that kept the last attempt from going on; null where none did.',
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was over; null while it is under way.',
    }),
  }),
});

const KeyStatus = builder.objectRef<KeyStatusView>('KeyStatus').implement({
  description: 'The gateway’s own keys of a tenant, and what still rests on an old one.',
  fields: (t) => ({
    tenantId: t.exposeID('tenantId', { description: 'The tenant.' }),
    kmsKeyArn: t.exposeString('kmsKeyArn', {
      nullable: true,
      description: 'The tenant’s own KMS key; null for the gateway’s default key.',
    }),
    signingKeys: t.field({
      type: [SigningKey],
      description: 'Every signing key that there was, oldest first.',
      resolve: (status) => status.signingKeys,
    }),
    vaultKeys: t.field({
      type: [VaultKeyUse],
      description: 'The versions of the vault key that are stored, oldest first.',
      resolve: (status) => status.vaultKeys,
    }),
    kmsKeys: t.field({
      type: [KmsKeyUse],
      description: 'The KMS keys that something of the tenant is under.',
      resolve: (status) => status.kmsKeys,
    }),
    rotations: t.field({
      type: [KeyRotation],
      description: 'The newest rotations of vault key and KMS key, newest first.',
      resolve: (status) => status.rotations,
    }),
  }),
});

const TENANT = 'The tenant; the caller’s own where left out. Another one for OPERATOR only.';

builder.queryField('keyStatus', (t) =>
  t.field({
    type: KeyStatus,
    description: 'How the gateway’s own keys of a tenant stand. For ADMIN, and OPERATOR in any tenant.',
    args: { tenantId: t.arg.id({ required: false, description: TENANT }) },
    resolve: (_root, { tenantId }, { call, services }) => services.getKeyStatus(call, tenantId ?? null),
  }),
);

const SigningKeyPayload = builder.simpleObject('SigningKeyPayload', {
  description: 'What a change of the signing keys did.',
  fields: (payload) => ({
    signingKey: payload.field({ type: SigningKey, description: 'The key that was made or taken back.' }),
  }),
});
const KeyRotationPayload = builder.simpleObject('KeyRotationPayload', {
  description: 'What a change of the vault key or the KMS key began.',
  fields: (payload) => ({
    rotation: payload.field({ type: KeyRotation, description: 'The rotation, under way.' }),
  }),
});

builder.mutationFields((t) => ({
  rotateSigningKey: t.field({
    nullable: true,
    type: SigningKeyPayload,
    description:
      'Makes the next signing key. It is published at once, signs a day later, and clients follow by themselves. For ADMIN, and OPERATOR in any tenant.',
    args: {
      tenantId: t.arg.id({ required: false, description: TENANT }),
      now: t.arg.boolean({
        required: false,
        description:
          'Where others may know the present key: it is revoked, the next one signs at once, and clients have to be welcomed or to pin anew.',
      }),
    },
    resolve: (_root, { tenantId, now }, { call, services }) =>
      services.rotateSigningKey(call, { tenantId, now }),
  }),
  cancelSigningKeyRotation: t.field({
    nullable: true,
    type: SigningKeyPayload,
    description:
      'Takes back a signing key that does not sign yet, until ten minutes before it would. For ADMIN, and OPERATOR in any tenant.',
    args: { tenantId: t.arg.id({ required: false, description: TENANT }) },
    resolve: (_root, { tenantId }, { call, services }) =>
      services.cancelSigningKeyRotation(call, { tenantId }),
  }),
  rotateVaultKey: t.field({
    nullable: true,
    type: KeyRotationPayload,
    description:
      'Makes the next vault key; credentials and access tokens are re-wrapped in the background. For ADMIN, and OPERATOR in any tenant.',
    args: { tenantId: t.arg.id({ required: false, description: TENANT }) },
    resolve: (_root, { tenantId }, { call, services }) => services.rotateVaultKey(call, { tenantId }),
  }),
  rotateKmsKey: t.field({
    nullable: true,
    type: KeyRotationPayload,
    description:
      'Names the KMS key of a tenant, once it is proven usable; all that is stored is re-wrapped in the background. For OPERATOR.',
    args: {
      tenantId: t.arg.id({ required: false, description: TENANT }),
      kmsKeyArn: t.arg.string({
        required: false,
        description: 'The tenant’s own AWS KMS key; the gateway’s default key where left out.',
      }),
    },
    resolve: (_root, { tenantId, kmsKeyArn }, { call, services }) =>
      services.rotateKmsKey(call, { tenantId, kmsKeyArn }),
  }),
}));
