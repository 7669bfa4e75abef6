import type { AuditEventView, OperationExplanation, OperationStatusView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';

const AuditPhase = builder.enumType('AuditPhase', {
  values: {
    INTENT: { description: 'Stands before a change is sent.' },
    OUTCOME: { description: 'Closes an intent.' },
    SINGLE: { description: 'Everything else.' },
  },
});
const AuditOutcome = builder.enumType('AuditOutcome', {
  values: {
    SUCCEEDED: {},
    DENIED: { description: 'Refused by the gateway; nothing was sent.' },
    FAILED: { description: 'Nothing was changed.' },
    APPLIED: { description: 'The change was made but its answer failed.' },
    UNKNOWN: { description: 'Nobody can tell whether the change was made.' },
  },
});

const AuditActor = builder.objectRef<AuditEventView['actor']>('AuditActor').implement({
  fields: (t) => ({ type: t.exposeString('type'), id: t.exposeString('id') }),
});
const AuditEnvelope = builder
  .objectRef<NonNullable<AuditEventView['envelopes']>[number]>('AuditEnvelope')
  .implement({
    description: 'What left: SHA-256 of the transcript of one envelope.',
    fields: (t) => ({ keyId: t.exposeID('keyId'), sha256: t.exposeString('sha256') }),
  });

const AuditEvent = builder.objectRef<AuditEventView>('AuditEvent');

builder.node(AuditEvent, {
  description: 'One entry of the tenant’s append-only log. It never holds customer text.',
  id: { resolve: (event) => event.id },
  loadOne: (id, { call, services }) => services.getAuditEvent(call, id),
  fields: (t) => ({
    index: t.exposeInt('index', { description: 'Gapless, from 0.' }),
    occurredAt: t.field({ type: 'DateTime', resolve: (event) => new Date(event.occurredAt) }),
    actor: t.field({ type: AuditActor, resolve: (event) => event.actor }),
    phase: t.field({ type: AuditPhase, resolve: (event) => event.phase }),
    action: t.exposeString('action'),
    outcome: t.field({
      type: AuditOutcome,
      nullable: true,
      resolve: (event) => (event.phase === 'INTENT' ? null : event.outcome),
    }),
    intentId: t.id({
      nullable: true,
      resolve: (event) => (event.phase === 'OUTCOME' ? event.intentId : null),
    }),
    parentId: t.id({
      nullable: true,
      description: 'The event of the GraphQL operation that this was part of.',
      resolve: (event) => event.parentId ?? null,
    }),
    integrationId: t.id({ nullable: true, resolve: (event) => event.integrationId ?? null }),
    operation: t.string({ nullable: true, resolve: (event) => event.operation ?? null }),
    resource: t.string({ nullable: true, resolve: (event) => event.resource ?? null }),
    requestId: t.string({ nullable: true, resolve: (event) => event.requestId ?? null }),
    requestSha256: t.string({ nullable: true, resolve: (event) => event.requestSha256 ?? null }),
    ip: t.string({ nullable: true, resolve: (event) => event.ip ?? null }),
    upstreamStatus: t.int({ nullable: true, resolve: (event) => event.upstreamStatus ?? null }),
    durationMs: t.int({ nullable: true, resolve: (event) => event.durationMs ?? null }),
    denialReason: t.string({
      nullable: true,
      description: 'The code of the failure.',
      resolve: (event) => event.denialReason ?? null,
    }),
    count: t.int({
      description: 'How many refusals of one cause this event stands for.',
      resolve: (event) => event.count ?? 1,
    }),
    envelopes: t.field({
      type: [AuditEnvelope],
      complexity: { field: 1, multiplier: 2 },
      resolve: (event) => [...(event.envelopes ?? [])],
    }),
  }),
});

const AuditEventFilter = builder.inputType('AuditEventFilter', {
  fields: (t) => ({
    from: t.field({ type: 'DateTime', required: false, description: 'Inclusive.' }),
    to: t.field({ type: 'DateTime', required: false, description: 'Exclusive.' }),
    actorId: t.id({ required: false }),
    action: t.string({ required: false }),
    operation: t.string({ required: false }),
    outcome: t.field({ type: AuditOutcome, required: false }),
    integrationId: t.id({ required: false }),
    phase: t.field({ type: AuditPhase, required: false }),
  }),
});

const OperationStatus = builder.objectRef<OperationStatusView>('OperationStatus').implement({
  description: 'What became of a change that may have been sent to Zendesk.',
  fields: (t) => ({
    intentId: t.exposeID('intentId'),
    state: t.field({
      type: builder.enumType('OperationState', {
        values: {
          PENDING: { description: 'No outcome yet; it is closed as UNKNOWN within minutes.' },
          APPLIED: {},
          FAILED: { description: 'Nothing was changed.' },
          UNKNOWN: {},
        },
      }),
      resolve: (status) => status.state,
    }),
    intent: t.field({ type: AuditEvent, resolve: (status) => status.intent }),
    outcome: t.field({ type: AuditEvent, nullable: true, resolve: (status) => status.outcome }),
  }),
});

const OperationExplanationType = builder.objectRef<OperationExplanation>('OperationExplanation').implement({
  description: 'Whether a key may run an operation, and by which rule.',
  fields: (t) => ({
    allowed: t.exposeBoolean('allowed'),
    reason: t.exposeString('reason', { nullable: true }),
    message: t.exposeString('message'),
  }),
});

builder.queryFields((t) => ({
  auditEvents: t.connection(
    {
      type: AuditEvent,
      description: 'The tenant’s audit log, oldest first; `last` reads from its end. For AUDITOR.',
      complexity: connectionCost,
      args: { filter: t.arg({ type: AuditEventFilter, required: false }) },
      resolve: async (_root, { filter, ...page }, { call, services }) =>
        connectionResult(await services.listAuditEvents(call, filter ?? {}, page)),
    },
    {},
  ),
  operationStatus: t.field({
    type: OperationStatus,
    description: 'What became of the change announced by an intent. For AGENT, ADMIN and AUDITOR.',
    args: { intentId: t.arg.id({ required: true }) },
    resolve: (_root, { intentId }, { call, services }) => services.getOperationStatus(call, intentId),
  }),
  explainOperation: t.field({
    type: OperationExplanationType,
    description: 'Why an API key may or may not run an operation on an integration. For ADMIN.',
    args: {
      integrationId: t.arg.id({ required: true }),
      operation: t.arg.string({ required: true }),
      apiKeyId: t.arg.id({ required: false, description: 'The caller’s own key where left out.' }),
    },
    resolve: (_root, args, { call, services }) => services.explainOperation(call, args),
  }),
}));
