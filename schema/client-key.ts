import type { ClientKeyHistoryEntry, ClientKeyView } from '../src/service/index.ts';
import { RoleEnum } from './api-key.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

const ClientKeyStatus = builder.enumType('ClientKeyStatus', {
  description: 'Where a client key stands in its life.',
  values: {
    PENDING: { description: 'Registered; its owner has not yet proved to hold the ML-KEM half.' },
    CONFIRMED: { description: 'Both halves proved; waits to be mapped.' },
    ACTIVE: { description: 'Mapped: answers are sealed to it.' },
    RETIRED: { description: 'Succeeded by another key, or its time is over.' },
    REVOKED: { description: 'Ended; nothing is sealed to it any more.' },
  },
});

export const ClientKeyLogin = builder
  .objectRef<NonNullable<ClientKeyView['login']>>('ClientKeyLogin')
  .implement({
    description: 'What a client key may do when it logs in by its own signature, without an API key.',
    fields: (t) => ({
      roles: t.field({
        type: [RoleEnum],
        description: 'AGENT, DASHBOARD or both.',
        resolve: (login) => [...login.roles],
      }),
      allowedOperations: t.stringList({
        nullable: true,
        description: 'Narrows what the integration allows; null does not.',
        resolve: ({ allowedOperations }) => (allowedOperations === null ? null : [...allowedOperations]),
      }),
    }),
  });

export const RotationMode = builder.enumType('RotationMode', {
  description: 'How a client key gives way to its successor.',
  values: {
    STRICT: { description: 'It stops at once, when the successor is asked for.' },
    OVERLAP: {
      description: 'It works until the successor is mapped; what names it is served for 24 hours more.',
    },
  },
});
const RotationVoucher = builder.enumType('RotationVoucher', {
  description: 'Who asked for a successor.',
  values: {
    PREDECESSOR: { description: 'The holder of the key before it, by a proof with that key.' },
    ADMIN: { description: 'An ADMIN, without such a proof.' },
  },
});

const ClientKeyRestriction = builder.simpleObject('ClientKeyRestriction', {
  description:
    'The one organization, or the one requester, whose tickets a client key is good for (docs/restricted-keys.md).',
  fields: (t) => ({
    integrationId: t.id({ description: 'The one integration that the key is good for.' }),
    organizationId: t.id({ nullable: true, description: 'Zendesk’s number of the organization.' }),
    requesterId: t.id({ nullable: true, description: 'Zendesk’s number of the requester.' }),
  }),
});

function toRestriction(restriction: ClientKeyView['restriction']) {
  if (restriction === null) return null;
  const { integrationId } = restriction;
  return restriction.kind === 'ORGANIZATION'
    ? { integrationId, organizationId: String(restriction.organizationId), requesterId: null }
    : { integrationId, organizationId: null, requesterId: String(restriction.requesterId) };
}

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
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends by itself, as was set with the mapping; null where no time was.',
    }),
    overlapUntil: t.expose('overlapUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'RETIRED by OVERLAP: until when whoever names it is still served; else null.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was retired or revoked.',
    }),
    endReason: t.exposeString('endReason', {
      nullable: true,
      description: 'Why it was retired or revoked; EXPIRED where its time was over.',
    }),
    predecessorId: t.id({
      nullable: true,
      description: 'The key whose place it takes; null for the first of its line.',
      resolve: (key) => key.succession?.predecessorId ?? null,
    }),
    rotationMode: t.field({
      type: RotationMode,
      nullable: true,
      description: 'How that key gives way to it.',
      resolve: (key) => key.succession?.mode ?? null,
    }),
    vouchedBy: t.field({
      type: RotationVoucher,
      nullable: true,
      description: 'Who asked for it to take that place.',
      resolve: (key) => key.succession?.vouchedBy ?? null,
    }),
    isUnused: t.exposeBoolean('isUnused', {
      description: 'Whether it was mapped and nothing was ever sealed to it.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last logged in with, or something sealed to it, to the minute.',
    }),
    login: t.field({
      type: ClientKeyLogin,
      nullable: true,
      description: 'What it may do when it logs in by itself; null where it may not.',
      resolve: (key) => key.login,
    }),
    restriction: t.field({
      type: ClientKeyRestriction,
      nullable: true,
      description: 'What it was restricted to when it was mapped; null where it is not restricted.',
      resolve: ({ restriction }) => toRestriction(restriction),
    }),
  }),
});

const ClientKeyFilter = builder.inputType('ClientKeyFilter', {
  description: 'Which client keys; all conditions must hold.',
  fields: (t) => ({
    status: t.field({ type: ClientKeyStatus, required: false, description: 'Where they stand now.' }),
    endsWithinDays: t.int({
      required: false,
      description: 'ACTIVE ones that end by themselves within so many days, 1 to 3650.',
    }),
    unusedSince: t.field({
      type: 'DateTime',
      required: false,
      description: 'ACTIVE ones that were mapped before then and to which nothing was sealed since.',
    }),
  }),
});

const HistoryEntry = builder.objectRef<ClientKeyHistoryEntry>('ClientKeyHistoryEntry').implement({
  description: 'A client key that was mapped, held against the audit log.',
  fields: (t) => ({
    keyId: t.exposeID('keyId', { description: 'The client key.' }),
    lineageId: t.exposeID('lineageId', { description: 'The first key of its line of successors.' }),
    kemKid: t.exposeString('kemKid', { description: 'RFC 7638 thumbprint of its ML-KEM-768 key.' }),
    sigKid: t.exposeString('sigKid', { description: 'RFC 7638 thumbprint of its ML-DSA-65 key.' }),
    fingerprint: t.exposeString('fingerprint', {
      description: 'Of both public keys, for people to compare.',
    }),
    predecessorId: t.id({
      nullable: true,
      description: 'The key whose place it took; null for the first of its line.',
      resolve: (entry) => entry.succession?.predecessorId ?? null,
    }),
    mode: t.field({
      type: RotationMode,
      nullable: true,
      description: 'How that key gave way to it.',
      resolve: (entry) => entry.succession?.mode ?? null,
    }),
    vouchedBy: t.field({
      type: RotationVoucher,
      nullable: true,
      description: 'Who asked for it to take that place.',
      resolve: (entry) => entry.succession?.vouchedBy ?? null,
    }),
    mappedAt: t.expose('mappedAt', { type: 'DateTime', nullable: true, description: 'When it was mapped.' }),
    mappedBy: t.exposeID('mappedBy', { nullable: true, description: 'The key that mapped it.' }),
    auditEventId: t.exposeID('auditEventId', {
      nullable: true,
      description: 'The event of the audit log that recorded the mapping.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends by itself, as was set with the mapping.',
    }),
    login: t.field({
      type: ClientKeyLogin,
      nullable: true,
      description: 'What it may do when it logs in by itself, as was granted with the mapping.',
      resolve: (entry) => entry.login,
    }),
    restriction: t.field({
      type: ClientKeyRestriction,
      nullable: true,
      description: 'What it was restricted to with the mapping of its line; null where it is not restricted.',
      resolve: ({ restriction }) => toRestriction(restriction),
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was retired or revoked; null while it is ACTIVE.',
    }),
    endReason: t.exposeString('endReason', {
      nullable: true,
      description: 'Why: SUPERSEDED, EXPIRED, or the reason that was given with its revocation.',
    }),
    endedBy: t.exposeID('endedBy', {
      nullable: true,
      description: 'The key that ended it; null where its time was over.',
    }),
    endAuditEventId: t.exposeID('endAuditEventId', {
      nullable: true,
      description: 'The event that recorded the end; null where its time was over.',
    }),
    isProven: t.exposeBoolean('isProven', {
      description:
        'Whether the audit log says the same of its public halves, of who mapped it, for what, and of how it ended. False is an alarm: somebody changed the database.',
    }),
  }),
});

builder.queryFields((t) => ({
  clientKeys: t.connection(
    {
      type: ClientKey,
      description: 'The client keys of the tenant, oldest first. For ADMIN.',
      complexity: connectionCost,
      args: {
        filter: t.arg({
          type: ClientKeyFilter,
          required: false,
          description: 'Which keys; all where left out.',
        }),
      },
      resolve: async (_root, { filter, ...page }, { call, services }) =>
        connectionResult(await services.listClientKeys(call, filter ?? {}, page)),
    },
    {},
  ),
  clientKeyHistory: t.connection(
    {
      type: HistoryEntry,
      description:
        'Every client key that was ever mapped, in the order of registration, each with the audit events that prove it. For ADMIN and AUDITOR, and OPERATOR of any tenant.',
      complexity: connectionCost,
      args: {
        tenantId: t.arg.id({ required: false, description: 'The caller’s own where left out.' }),
        lineageId: t.arg.id({ required: false, description: 'Of one line of successors only.' }),
      },
      resolve: async (_root, { tenantId, lineageId, ...page }, { call, services }) =>
        connectionResult(await services.listClientKeyHistory(call, { tenantId, lineageId }, page)),
    },
    {},
  ),
}));
