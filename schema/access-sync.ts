/** Access sync: runs, schedules, progress, and the erasing of what they brought. No personal data is here. */
import type { AccessSyncRunView, AccessSyncScheduleView, AccessSyncView } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { connectionCost, connectionResult } from './connection.ts';
import { Integration } from './integration.ts';

/** A look-up of its own. */
const SYNC_COST = 100;
/** Finding when a schedule comes next: twenty of them fit into a document. */
const SCHEDULE_COST = 1_000;

const AccessSyncKind = builder.enumType('AccessSyncKind', {
  description: 'How much a run reads of the users of an account.',
  values: {
    FULL: { description: 'All of them.' },
    INCREMENTAL: { description: 'Those that changed since the last run.' },
  },
});
const AccessSyncTrigger = builder.enumType('AccessSyncTrigger', {
  description: 'What led to a run.',
  values: {
    REQUEST: { description: 'A caller asked for it.' },
    SCHEDULE: { description: 'The schedule of the integration.' },
  },
});
const AccessSyncState = builder.enumType('AccessSyncState', {
  description: 'How a run stands.',
  values: {
    QUEUED: { description: 'It was asked for.' },
    RUNNING: { description: 'It is being worked on, or is about to be worked on again.' },
    WAITING: {
      description:
        'Something that passes keeps it from going on, which `reason` tells; it does by itself at `resumesAt`.',
    },
    SUCCEEDED: { description: 'It came to its end.' },
    FAILED: {
      description: 'It was given up; `reason` and `advice` tell why and what to do. What it stored stays.',
    },
    CANCELLED: { description: 'A caller ended it. What it stored stays.' },
  },
});
const AccessSyncPhase = builder.enumType('AccessSyncPhase', {
  description: 'What a run is reading, in the order in which it does.',
  values: {
    CUSTOM_ROLES: { description: 'Custom roles.' },
    GROUPS: { description: 'Groups.' },
    ORGANIZATIONS: { description: 'Organizations.' },
    USERS: { description: 'Users.' },
    MISSING_USERS: {
      description: 'Of a full run: users that it has not seen, by id, before they are removed.',
    },
    MEMBERSHIPS: { description: 'Who is in which group.' },
    DONE: { description: 'Nothing any more.' },
  },
});

const AccessSyncRun = builder.objectRef<AccessSyncRunView>('AccessSyncRun').implement({
  description: 'One run of the access sync of an integration.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id, `run_…`.' }),
    integrationId: t.exposeID('integrationId', { description: 'The integration.' }),
    kind: t.expose('kind', { type: AccessSyncKind, description: 'How much it reads.' }),
    trigger: t.expose('trigger', { type: AccessSyncTrigger, description: 'What led to it.' }),
    state: t.expose('state', { type: AccessSyncState, description: 'How it stands.' }),
    phase: t.expose('phase', { type: AccessSyncPhase, description: 'What it is reading, or read last.' }),
    requestedBy: t.exposeID('requestedBy', {
      description: 'The key that asked for it, or that set the schedule.',
    }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When it was asked for.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was first worked on; null where it was not yet.',
    }),
    progressedAt: t.expose('progressedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last stored a page; null where it did not yet.',
    }),
    resumesAt: t.expose('resumesAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it goes on by itself, where it is WAITING.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was over; null where it is not.',
    }),
    seen: t.exposeInt('seen', { description: 'Records of the phase that were read.' }),
    usersSeen: t.exposeInt('usersSeen', { description: 'Users that were read, deleted ones included.' }),
    usersExpected: t.exposeInt('usersExpected', {
      nullable: true,
      description: 'About how many there are to be read; null where that is not known.',
    }),
    progress: t.exposeFloat('progress', {
      nullable: true,
      description: 'The part of the users that was read, 0 to 1; null where that cannot be told.',
    }),
    secondsLeft: t.exposeInt('secondsLeft', {
      nullable: true,
      description: 'About how long it still takes; null where that cannot be told.',
    }),
    added: t.exposeInt('added', { description: 'Users that came to the directory.' }),
    changed: t.exposeInt('changed', { description: 'Users that are otherwise now.' }),
    removed: t.exposeInt('removed', { description: 'Users that are in no answer any more.' }),
    pages: t.exposeInt('pages', { description: 'Pages of all phases that were stored.' }),
    failures: t.exposeInt('failures', { description: 'Failures in a row, without a page between them.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why it is WAITING or has FAILED, a code of docs/errors.md.',
    }),
    advice: t.exposeString('advice', {
      nullable: true,
      description: 'What happened and what to do, where it is WAITING or has FAILED.',
    }),
    isCancelRequested: t.exposeBoolean('isCancelRequested', {
      description: 'Whether it was told to end after the page under way.',
    }),
  }),
});

const AccessSyncSchedule = builder.objectRef<AccessSyncScheduleView>('AccessSyncSchedule').implement({
  description: 'When an integration is synced by itself.',
  fields: (t) => ({
    cron: t.exposeString('cron', {
      description: 'Minute, hour, day of the month, month and day of the week.',
    }),
    timeZone: t.exposeString('timeZone', { description: 'The time zone that these are in.' }),
    nextRunAt: t.expose('nextRunAt', { type: 'DateTime', description: 'When it is due next.' }),
    createdBy: t.exposeID('createdBy', { description: 'The key that set it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was set.' }),
  }),
});

const AccessSync = builder.objectRef<AccessSyncView>('AccessSync').implement({
  description: 'How the access sync of an integration stands.',
  fields: (t) => ({
    schedule: t.expose('schedule', {
      type: AccessSyncSchedule,
      nullable: true,
      description: 'Its schedule; null where it has none.',
    }),
    lastRun: t.expose('lastRun', {
      type: AccessSyncRun,
      nullable: true,
      description: 'The newest run; null where there was none.',
    }),
    nextRunAt: t.expose('nextRunAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the schedule is due next; null where there is none.',
    }),
    syncedAt: t.expose('syncedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'The directory is no older than this; null before the first run came to its end.',
    }),
  }),
});

builder.objectField(Integration, 'accessSync', (t) =>
  t.field({
    type: AccessSync,
    complexity: SYNC_COST,
    description: 'How its access sync stands. For ADMIN.',
    resolve: ({ id }, _args, { call, services }) => services.getAccessSync(call, id),
  }),
);

builder.queryFields((t) => ({
  accessSyncRun: t.field({
    type: AccessSyncRun,
    complexity: SYNC_COST,
    description: 'How a run of an access sync stands. For ADMIN.',
    args: { id: t.arg.id({ required: true, description: 'Its id, as `startAccessSync` told it.' }) },
    resolve: (_root, { id }, { call, services }) => services.getAccessSyncRun(call, id),
  }),
  accessSyncRuns: t.connection(
    {
      type: AccessSyncRun,
      description: 'The runs of an integration that are kept, oldest first. For ADMIN.',
      complexity: connectionCost,
      args: { integrationId: t.arg.id({ required: true, description: 'The integration.' }) },
      resolve: async (_root, { integrationId, ...page }, { call, services }) =>
        connectionResult(await services.listAccessSyncRuns(call, integrationId, page)),
    },
    {},
  ),
}));

builder.subscriptionField('syncProgress', (t) =>
  t.field({
    type: AccessSyncRun,
    description:
      'A run of an access sync as it stands, and again whenever it comes further, until it is over. That it is followed is an audit event. Over WebSocket (graphql-transport-ws) or as `text/event-stream`. For ADMIN.',
    args: { runId: t.arg.id({ required: true, description: 'The run.' }) },
    subscribe: (_root, { runId }, { openSyncProgress }) => openSyncProgress(runId),
    resolve: (run) => run,
  }),
);

const AccessSyncPayload = builder.simpleObject('AccessSyncPayload', {
  description: 'A run that was begun or told to end.',
  fields: (payload) => ({
    run: payload.field({ type: AccessSyncRun, description: 'The run.' }),
    auditEventId: payload.id({ description: 'The audit event that records it.' }),
  }),
});

builder.mutationFields((t) => ({
  startAccessSync: t.field({
    nullable: true,
    type: AccessSyncPayload,
    description:
      'Begins to take the people of the account into the directory. Needs `sync_directory` in `allowedOperations`. For ADMIN.',
    args: {
      integrationId: t.arg.id({ required: true, description: 'The integration.' }),
      full: t.arg.boolean({
        required: false,
        description:
          'Whether to read all users, also those that did not change since the last run. The first run does.',
      }),
    },
    resolve: (_root, { integrationId, full }, { call, services }) =>
      services.startAccessSync(call, { integrationId, full }),
  }),
  cancelAccessSync: t.field({
    nullable: true,
    type: AccessSyncPayload,
    description: 'Ends a run after the page under way. What it stored stays. For ADMIN.',
    args: { runId: t.arg.id({ required: true, description: 'The run.' }) },
    resolve: (_root, { runId }, { call, services }) => services.cancelAccessSync(call, { runId }),
  }),
  setAccessSyncSchedule: t.field({
    nullable: true,
    type: builder.simpleObject('SetAccessSyncSchedulePayload', {
      description: 'What `setAccessSyncSchedule` did.',
      fields: (payload) => ({
        schedule: payload.field({ type: AccessSyncSchedule, description: 'The schedule.' }),
        auditEventId: payload.id({ description: 'The audit event that records it.' }),
      }),
    }),
    complexity: SCHEDULE_COST,
    description:
      'Has an integration synced by itself, in place of the schedule that it has. Needs `sync_directory` in `allowedOperations`. For ADMIN.',
    args: {
      integrationId: t.arg.id({ required: true, description: 'The integration.' }),
      cron: t.arg.string({
        required: true,
        description:
          'Minute, hour, day of the month, month and day of the week, such as `30 2 * * *`; every 15 minutes at most.',
      }),
      timeZone: t.arg.string({
        required: false,
        description: 'The time zone that these are in, such as `Europe/Berlin`; UTC where left out.',
      }),
    },
    resolve: (_root, { integrationId, cron, timeZone }, { call, services }) =>
      services.setAccessSyncSchedule(call, { integrationId, cron, timeZone }),
  }),
  removeAccessSyncSchedule: t.field({
    nullable: true,
    type: builder.simpleObject('RemoveAccessSyncSchedulePayload', {
      description: 'What `removeAccessSyncSchedule` did.',
      fields: (payload) => ({
        integrationId: payload.id({ description: 'The integration.' }),
        auditEventId: payload.id({ description: 'The audit event that records it.' }),
      }),
    }),
    description: 'Has an integration synced by itself no more. A run under way goes on. For ADMIN.',
    args: { integrationId: t.arg.id({ required: true, description: 'The integration.' }) },
    resolve: (_root, { integrationId }, { call, services }) =>
      services.removeAccessSyncSchedule(call, { integrationId }),
  }),
  eraseDirectoryUser: t.field({
    nullable: true,
    type: builder.simpleObject('EraseDirectoryUserPayload', {
      description: 'What `eraseDirectoryUser` did.',
      fields: (payload) => ({
        zendeskId: payload.id({ description: 'Zendesk’s own number of the user.' }),
        auditEventId: payload.id({ description: 'The audit event that records it.' }),
      }),
    }),
    description: 'Erases at once what the directory knows of a user. Nothing is done at Zendesk. For ADMIN.',
    args: {
      integrationId: t.arg.id({ required: true, description: 'The integration.' }),
      zendeskId: t.arg.id({ required: true, description: 'Zendesk’s own number of the user.' }),
      keepAway: t.arg.boolean({
        required: false,
        description:
          'Whether the id alone is kept, so that no sync brings the user back; true where left out. false also forgets the id.',
      }),
    },
    resolve: (_root, { integrationId, zendeskId, keepAway }, { call, services }) =>
      services.eraseDirectoryUser(call, { integrationId, zendeskId, keepAway }),
  }),
}));
