/** Exports of the audit log: begun and watched here, fetched as a file (docs/rest.md). */
import type { AuditExportView } from '../src/service/index.ts';
import { builder } from './builder.ts';

/** A look-up of its own. */
const EXPORT_COST = 100;

const AuditExportState = builder.enumType('AuditExportState', {
  description: 'How an export stands.',
  values: {
    CHECKING: { description: 'Its events are being held against the tree.' },
    READY: { description: 'All of them hold: it can be fetched.' },
    FAILED: { description: 'One does not hold; `brokenIndex` tells which.' },
  },
});

const AuditExport = builder.objectRef<AuditExportView>('AuditExport').implement({
  description: 'A range of the log that is checked and can then be fetched as a bundle that proves itself.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id, `run_…`.' }),
    state: t.expose('state', { type: AuditExportState, description: 'How it stands.' }),
    from: t.expose('from', { type: 'SafeInt', description: 'The index of the first event.' }),
    to: t.expose('to', { type: 'SafeInt', description: 'The index after the last event.' }),
    size: t.expose('size', {
      type: 'SafeInt',
      description: 'The size of the log under the checkpoint that the bundle holds.',
    }),
    previousSize: t.expose('previousSize', {
      type: 'SafeInt',
      nullable: true,
      description: 'The size that the bundle proves to be the beginning of this one.',
    }),
    checked: t.field({
      type: 'SafeInt',
      description: 'How many events were checked.',
      resolve: ({ checkedTo, from }) => checkedTo - from,
    }),
    progress: t.float({
      description: 'The part that was checked, 0 to 1.',
      resolve: ({ checkedTo, from, to }) => (to === from ? 1 : (checkedTo - from) / (to - from)),
    }),
    brokenIndex: t.expose('brokenIndex', {
      type: 'SafeInt',
      nullable: true,
      description: 'The first event that is not as it was logged, where it has FAILED.',
    }),
    requestedBy: t.exposeID('requestedBy', { description: 'The API key that asked for it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it became READY or FAILED.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it can be fetched.' }),
    path: t.string({
      description: 'Where it is fetched: `GET` with the API key as `X-API-Key`.',
      resolve: ({ id }) => `/api/v2/audit/exports/${id}`,
    }),
  }),
});

builder.queryField('auditExport', (t) =>
  t.field({
    type: AuditExport,
    complexity: EXPORT_COST,
    description: 'How an export stands, for a day after it was asked for. For AUDITOR.',
    args: { id: t.arg.id({ required: true, description: 'Its id, as `exportAudit` told it.' }) },
    resolve: (_root, { id }, { call, services }) => services.getAuditExport(call, id),
  }),
);

const ExportAuditInput = builder.inputType('ExportAuditInput', {
  description: 'Which part of the log.',
  fields: (t) => ({
    from: t.int({
      required: false,
      description: 'The index of the first event; `previousSize` where left out, or 0.',
    }),
    to: t.int({ required: false, description: 'The index after the last event; the end where left out.' }),
    previousSize: t.int({
      required: false,
      description: 'The size of a checkpoint that you hold: the bundle proves that the log only grew since.',
    }),
  }),
});

const ExportAuditPayload = builder.simpleObject('ExportAuditPayload', {
  description: 'An export that has begun.',
  fields: (payload) => ({
    export: payload.field({ type: AuditExport, description: 'The export.' }),
    auditEventId: payload.id({ description: 'The audit event that records it.' }),
  }),
});

builder.mutationField('exportAudit', (t) =>
  t.field({
    nullable: true,
    type: ExportAuditPayload,
    description:
      'Begins an export of events under a checkpoint made now. It is checked in the background, event by event, and is fetched when it is READY. For AUDITOR.',
    args: {
      input: t.arg({
        type: ExportAuditInput,
        required: false,
        description: 'Which part; all of the log where left out.',
      }),
    },
    resolve: (_root, { input }, { call, services }) => services.exportAudit(call, input ?? {}),
  }),
);
