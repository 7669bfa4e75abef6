import type { AuditEventView, OperationExplanation, OperationStatusView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { ClientKeyLogin } from './client-key.ts';
import { connectionCost, connectionResult } from './connection.ts';

const AuditPhase = builder.enumType('AuditPhase', {
  description: 'Which part of an act an event tells.',
  values: {
    INTENT: { description: 'Stands before a change is sent.' },
    OUTCOME: { description: 'Closes an intent.' },
    SINGLE: { description: 'Everything else.' },
  },
});
const AuditOutcome = builder.enumType('AuditOutcome', {
  description: 'How an act ended.',
  values: {
    SUCCEEDED: { description: 'It was done and answered.' },
    DENIED: { description: 'Refused by the gateway; nothing was sent.' },
    FAILED: { description: 'Nothing was changed.' },
    APPLIED: { description: 'The change was made but its answer failed.' },
    UNKNOWN: { description: 'Nobody can tell whether the change was made.' },
  },
});

const AuditActorType = builder.enumType('AuditActorType', {
  description: 'What kind of actor an event names.',
  values: {
    API_KEY: { description: 'A caller, by its API key.' },
    CLIENT_KEY: { description: 'A caller, by its client key.' },
    COMMAND_LINE: { description: 'A person at the command line of the gateway.' },
    SYSTEM: { description: 'The gateway itself.' },
  },
});

const AuditActor = builder.objectRef<AuditEventView['actor']>('AuditActor').implement({
  description: 'Who acted.',
  fields: (t) => ({
    type: t.exposeString('type', { description: 'What kind of actor, such as an API key.' }),
    id: t.exposeString('id', { description: 'Its id.' }),
  }),
});
const AuditEnvelope = builder
  .objectRef<NonNullable<AuditEventView['envelopes']>[number]>('AuditEnvelope')
  .implement({
    description: 'What left: SHA-256 of the transcript of one envelope.',
    fields: (t) => ({
      keyId: t.exposeID('keyId', { description: 'The client key that it was sealed to.' }),
      sha256: t.exposeString('sha256', { description: 'The hash, as openers compute it too.' }),
    }),
  });

const AuditClientKey = builder
  .objectRef<NonNullable<AuditEventView['clientKey']>>('AuditClientKey')
  .implement({
    description: 'The client key that was mapped, rotated or ended, as the log fixes it.',
    fields: (t) => ({
      kemKid: t.exposeString('kemKid', { description: 'RFC 7638 thumbprint of its ML-KEM-768 key.' }),
      sigKid: t.exposeString('sigKid', { description: 'RFC 7638 thumbprint of its ML-DSA-65 key.' }),
      predecessorId: t.id({
        nullable: true,
        description: 'The key whose place it takes.',
        resolve: (key) => key.predecessorId ?? null,
      }),
      mode: t.string({
        nullable: true,
        description: 'How that key gives way: STRICT or OVERLAP.',
        resolve: (key) => key.mode ?? null,
      }),
      vouchedBy: t.string({
        nullable: true,
        description: 'Who asked for that: PREDECESSOR, by a proof with the old key, or ADMIN.',
        resolve: (key) => key.vouchedBy ?? null,
      }),
      expiresAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it ends by itself, as was set with the mapping.',
        resolve: (key) => (key.expiresAt === undefined ? null : new Date(key.expiresAt)),
      }),
      login: t.field({
        type: ClientKeyLogin,
        nullable: true,
        description: 'What it may do when it logs in by itself.',
        resolve: ({ login }) =>
          login === undefined
            ? null
            : { roles: login.roles, allowedOperations: login.allowedOperations ?? null },
      }),
      endReason: t.string({
        nullable: true,
        description: 'Why it was ended.',
        resolve: (key) => key.endReason ?? null,
      }),
    }),
  });

export const AuditEvent = builder.objectRef<AuditEventView>('AuditEvent');

builder.node(AuditEvent, {
  description: 'One entry of the tenant’s append-only log. It never holds customer text.',
  id: { resolve: (event) => event.id },
  loadOne: (id, { call, services }) => services.getAuditEvent(call, id),
  fields: (t) => ({
    index: t.exposeInt('index', { description: 'Gapless, from 0.' }),
    occurredAt: t.field({
      type: 'DateTime',
      description: 'When it happened.',
      resolve: (event) => new Date(event.occurredAt),
    }),
    actor: t.field({ type: AuditActor, description: 'Who acted.', resolve: (event) => event.actor }),
    phase: t.field({
      type: AuditPhase,
      description: 'Which part of an act it tells.',
      resolve: (event) => event.phase,
    }),
    action: t.exposeString('action', { description: 'What was done, such as `credential.seal`.' }),
    outcome: t.field({
      type: AuditOutcome,
      nullable: true,
      description: 'How it ended; null for an INTENT.',
      resolve: (event) => (event.phase === 'INTENT' ? null : event.outcome),
    }),
    intentId: t.id({
      nullable: true,
      description: 'Of an OUTCOME: the intent that it closes.',
      resolve: (event) => (event.phase === 'OUTCOME' ? event.intentId : null),
    }),
    parentId: t.id({
      nullable: true,
      description: 'The event of the GraphQL operation that this was part of.',
      resolve: (event) => event.parentId ?? null,
    }),
    integrationId: t.id({
      nullable: true,
      description: 'The integration concerned.',
      resolve: (event) => event.integrationId ?? null,
    }),
    operation: t.string({
      nullable: true,
      description: 'The operation of docs/operations.md.',
      resolve: (event) => event.operation ?? null,
    }),
    resource: t.string({
      nullable: true,
      description: 'What it was done to: an id or a type.',
      resolve: (event) => event.resource ?? null,
    }),
    scope: t.string({
      nullable: true,
      description:
        'What a client key was restricted to when it was mapped, within the integration: `organization:` or `requester:` and Zendesk’s number.',
      resolve: (event) => event.scope ?? null,
    }),
    requestId: t.string({
      nullable: true,
      description: 'The request, as its answer names it.',
      resolve: (event) => event.requestId ?? null,
    }),
    requestSha256: t.string({
      nullable: true,
      description: 'SHA-256 of the request’s body, base64url.',
      resolve: (event) => event.requestSha256 ?? null,
    }),
    ip: t.string({
      nullable: true,
      description: 'The address that the request came from.',
      resolve: (event) => event.ip ?? null,
    }),
    upstreamStatus: t.int({
      nullable: true,
      description: 'The HTTP status that Zendesk answered.',
      resolve: (event) => event.upstreamStatus ?? null,
    }),
    durationMs: t.int({
      nullable: true,
      description: 'How long it took, in milliseconds.',
      resolve: (event) => event.durationMs ?? null,
    }),
    denialReason: t.string({
      nullable: true,
      description: 'The code of the failure.',
      resolve: (event) => event.denialReason ?? null,
    }),
    count: t.int({
      description: 'How many refusals of one cause this event stands for.',
      resolve: (event) => event.count ?? 1,
    }),
    clientKey: t.field({
      type: AuditClientKey,
      nullable: true,
      description: 'The client key that was mapped, rotated or ended.',
      resolve: (event) => event.clientKey ?? null,
    }),
    envelopes: t.field({
      type: [AuditEnvelope],
      description: 'What left sealed.',
      complexity: { field: 1, multiplier: 2 },
      resolve: (event) => [...(event.envelopes ?? [])],
    }),
  }),
});

const AuditEventFilter = builder.inputType('AuditEventFilter', {
  description: 'Which events; all conditions must hold.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', required: false, description: 'Inclusive.' }),
    to: t.field({ type: 'DateTime', required: false, description: 'Exclusive.' }),
    actorId: t.id({ required: false, description: 'Who acted.' }),
    action: t.string({ required: false, description: 'What was done, such as `credential.seal`.' }),
    operation: t.string({ required: false, description: 'The operation of docs/operations.md.' }),
    outcome: t.field({ type: AuditOutcome, required: false, description: 'How it ended.' }),
    integrationId: t.id({ required: false, description: 'The integration concerned.' }),
    phase: t.field({ type: AuditPhase, required: false, description: 'Which part of an act.' }),
    resource: t.string({
      required: false,
      description:
        'What it was done to, exactly as `resource` tells it: an id of ours, `{integrationId}:ticket:5`.',
    }),
    requestId: t.string({ required: false, description: 'The request, as its answer names it.' }),
    denialReason: t.string({ required: false, description: 'The code of the failure.' }),
    actorType: t.field({ type: AuditActorType, required: false, description: 'What kind of actor.' }),
    keyId: t.id({ required: false, description: 'A client key that an envelope was sealed to.' }),
  }),
});

const OperationStatus = builder.objectRef<OperationStatusView>('OperationStatus').implement({
  description: 'What became of a change that may have been sent to Zendesk.',
  fields: (t) => ({
    intentId: t.exposeID('intentId', { description: 'The intent that announced the change.' }),
    state: t.field({
      description: 'What became of the change.',
      type: builder.enumType('OperationState', {
        description: 'What became of a change.',
        values: {
          PENDING: { description: 'No outcome yet; it is closed as UNKNOWN within minutes.' },
          APPLIED: { description: 'The change was made.' },
          FAILED: { description: 'Nothing was changed.' },
          UNKNOWN: { description: 'Nobody can tell: look in Zendesk.' },
        },
      }),
      resolve: (status) => status.state,
    }),
    intent: t.field({
      type: AuditEvent,
      description: 'The event that announced the change.',
      resolve: (status) => status.intent,
    }),
    outcome: t.field({
      type: AuditEvent,
      nullable: true,
      description: 'The event that closed it; null while PENDING.',
      resolve: (status) => status.outcome,
    }),
  }),
});

const OperationExplanationType = builder.objectRef<OperationExplanation>('OperationExplanation').implement({
  description: 'Whether a key may run an operation, and by which rule.',
  fields: (t) => ({
    allowed: t.exposeBoolean('allowed', { description: 'Whether the key may run it.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'A stable token for the rule that denies; null where none does.',
    }),
    message: t.exposeString('message', { description: 'The same in plain words, with what would lift it.' }),
  }),
});

/** Each is a look-up of its own. */
const EVENT_COST = 100;

builder.queryFields((t) => ({
  auditEvent: t.field({
    type: AuditEvent,
    description: 'One entry of the log by its id, as answers name it. For AUDITOR.',
    complexity: EVENT_COST,
    args: { id: t.arg.id({ required: true, description: 'The id, `aud_…`.' }) },
    resolve: (_root, { id }, { call, services }) => services.getAuditEvent(call, id),
  }),
  auditEvents: t.connection(
    {
      type: AuditEvent,
      description: 'The tenant’s audit log, oldest first; `last` reads from its end. For AUDITOR.',
      complexity: connectionCost,
      args: {
        filter: t.arg({
          type: AuditEventFilter,
          required: false,
          description: 'Which events; all where left out.',
        }),
      },
      resolve: async (_root, { filter, ...page }, { call, services }) =>
        connectionResult(await services.listAuditEvents(call, filter ?? {}, page)),
    },
    {},
  ),
  operationStatus: t.field({
    type: OperationStatus,
    description: 'What became of the change announced by an intent. For AGENT, ADMIN and AUDITOR.',
    args: { intentId: t.arg.id({ required: true, description: 'The intent, as the failure named it.' }) },
    resolve: (_root, { intentId }, { call, services }) => services.getOperationStatus(call, intentId),
  }),
  explainOperation: t.field({
    type: OperationExplanationType,
    description: 'Why an API key may or may not run an operation on an integration. For ADMIN.',
    args: {
      integrationId: t.arg.id({ required: true, description: 'The integration.' }),
      operation: t.arg.string({ required: true, description: 'One of docs/operations.md.' }),
      apiKeyId: t.arg.id({ required: false, description: 'The caller’s own key where left out.' }),
    },
    resolve: (_root, args, { call, services }) => services.explainOperation(call, args),
  }),
}));
