/** The change feed: what it sends, how it stands, and how it is switched on and off. */
import type { FeedStatusView, TicketFeedEvent } from '../src/service/index.ts';
import { needsOperation, PROTECTED } from '../src/service/index.ts';
import { builder } from './builder.ts';
import { Integration } from './integration.ts';

type EventOf<Type extends TicketFeedEvent['type']> = Extract<TicketFeedEvent, { readonly type: Type }>;

/** Each status is a look-up of its own. */
const STATUS_COST = 100;

const TicketChange = builder.objectRef<EventOf<'CHANGE'>>('TicketChange').implement({
  extensions: PROTECTED,
  description:
    'One entry of a stream: a newer version of a ticket, or that it is gone. What it says is in the envelope (`schema/ticket-change.schema.json`).',
  fields: (t) => ({
    cursor: t.expose('cursor', {
      type: 'Cursor',
      description: 'The place after this entry: `after` it goes on what came later.',
    }),
    sequence: t.expose('sequence', {
      type: 'SafeInt',
      description: 'Its number in the stream, from 1, without gaps. The envelope signs it.',
    }),
    occurredAt: t.expose('occurredAt', {
      type: 'DateTime',
      description: 'When the gateway appended it.',
    }),
    envelope: t.expose('envelope', {
      type: 'HybridCryptoEnvelope',
      description: 'The change, sealed, of purpose `ticket.change`: hand it whole to an opener.',
    }),
  }),
});

const FeedPosition = builder.objectRef<EventOf<'POSITION'>>('FeedPosition').implement({
  extensions: PROTECTED,
  description:
    'How far the stream has come, signed, so that entries that are kept back are noticed. It comes first, and every 30 s while there is nothing else.',
  fields: (t) => ({
    cursor: t.expose('cursor', {
      type: 'Cursor',
      description: 'The place where this subscription stands.',
    }),
    sequence: t.expose('sequence', {
      type: 'SafeInt',
      description: 'The number of the last entry of the stream, 0 where it has none. The envelope signs it.',
    }),
    envelope: t.expose('envelope', {
      type: 'HybridCryptoEnvelope',
      description: 'The position, sealed, of purpose `ticket.position`.',
    }),
  }),
});

const FeedEvent = builder.unionType('TicketFeedEvent', {
  description: 'What a subscription to ticket changes sends.',
  types: [TicketChange, FeedPosition],
  resolveType: ({ type }) => (type === 'CHANGE' ? TicketChange : FeedPosition),
});

builder.subscriptionField('ticketChanges', (t) =>
  t.field({
    type: FeedEvent,
    extensions: needsOperation('subscribe_tickets'),
    description:
      'The latest state of every ticket of an integration, in order and without gaps, sealed to the caller’s client key. Over WebSocket (graphql-transport-ws) or as `text/event-stream`. Needs `subscribe_tickets`. For AGENT and DASHBOARD.',
    args: {
      integrationId: t.arg.id({ required: true, description: 'The integration.' }),
      after: t.arg({
        type: 'Cursor',
        required: false,
        description: 'The cursor of the last event that was received; what comes now where left out.',
      }),
    },
    subscribe: (_root, { integrationId, after }, { openTicketChanges }) =>
      openTicketChanges({ integrationId, after: after ?? null }),
    resolve: (event) => event,
  }),
);

const FeedState = builder.enumType('FeedState', {
  description: 'Whether changes are taken in.',
  values: {
    ENABLED: { description: 'Changes are taken in and can be subscribed to.' },
    DISABLED: { description: 'An admin switched it off.' },
  },
});
const FeedWebhookState = builder.enumType('FeedWebhookState', {
  description: 'Whether Zendesk tells the gateway of changes at once.',
  values: {
    ACTIVE: { description: 'Zendesk calls the gateway.' },
    NONE: { description: 'Zendesk was not asked to.' },
    FAULTY: { description: 'Zendesk could not be asked to; `fault` says why.' },
  },
});
const FeedExportState = builder.enumType('FeedExportState', {
  description: 'How far Zendesk’s export was read, which finds what webhooks lost.',
  values: {
    CURRENT: { description: 'Read to its end.' },
    CATCHING_UP: { description: 'There is more than was read.' },
    FAULTY: { description: 'It cannot be read; `fault` says why.' },
    NOT_YET: { description: 'It was not read yet.' },
  },
});

const FeedWebhook = builder.objectRef<FeedStatusView['webhook']>('FeedWebhook').implement({
  description: 'The webhook of a feed.',
  fields: (t) => ({
    state: t.expose('state', { type: FeedWebhookState, description: 'Whether Zendesk calls the gateway.' }),
    fault: t.exposeString('fault', {
      nullable: true,
      description: 'Why not, as a stable token such as `NO_PUBLIC_ADDRESS`; null where nothing is wrong.',
    }),
    lastReceivedAt: t.expose('lastReceivedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last called; null where it did not within the last hour.',
    }),
  }),
});
const FeedExport = builder.objectRef<FeedStatusView['export']>('FeedExport').implement({
  description: 'The export that a feed reads.',
  fields: (t) => ({
    state: t.expose('state', { type: FeedExportState, description: 'How far it was read.' }),
    polledAt: t.expose('polledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last read; null where it never was.',
    }),
    completeUntil: t.expose('completeUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'Every change before this time was seen; null where nothing tells.',
    }),
    fault: t.exposeString('fault', {
      nullable: true,
      description: 'Why it cannot be read, a code of docs/errors.md; null where nothing is wrong.',
    }),
  }),
});

const FeedStatus = builder.objectRef<FeedStatusView>('FeedStatus').implement({
  description: 'How the change feed of an integration stands.',
  fields: (t) => ({
    status: t.expose('status', { type: FeedState, description: 'Whether it is switched on.' }),
    enabledAt: t.expose('enabledAt', { type: 'DateTime', description: 'When it was switched on.' }),
    webhook: t.expose('webhook', { type: FeedWebhook, description: 'The fast source.' }),
    export: t.expose('export', { type: FeedExport, description: 'The complete source.' }),
    lagSeconds: t.exposeFloat('lagSeconds', {
      description: 'By how many seconds it is behind Zendesk: the age of the oldest change that waits.',
    }),
    waiting: t.exposeInt('waiting', {
      description: 'Tickets that may have a version which is not in the feed yet.',
    }),
    lastAppendedAt: t.expose('lastAppendedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a version was last appended; null where none is kept.',
    }),
    lastCursor: t.expose('lastCursor', {
      type: 'Cursor',
      nullable: true,
      description:
        'The newest place of the stream of the caller’s client key; null where nobody subscribed with it yet.',
    }),
    lastSequence: t.expose('lastSequence', {
      type: 'SafeInt',
      nullable: true,
      description: 'The number of the last entry of that stream.',
    }),
    leaseHolder: t.exposeString('leaseHolder', {
      nullable: true,
      description: 'The gateway process that attends to it, an opaque name; null where none does.',
    }),
    leaseUntil: t.expose('leaseUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when that process may; null where none does.',
    }),
    appended: t.expose('appended', { type: 'SafeInt', description: 'Versions that were appended.' }),
    repaired: t.expose('repaired', {
      type: 'SafeInt',
      description: 'Those of them that no webhook told of: the export found them.',
    }),
    streams: t.exposeInt('streams', { description: 'Streams that changes are sealed for.' }),
    loadFault: t.exposeString('loadFault', {
      nullable: true,
      description: 'Why tickets cannot be loaded, a code of docs/errors.md; null where nothing is wrong.',
    }),
  }),
});

builder.objectField(Integration, 'feedStatus', (t) =>
  t.field({
    type: FeedStatus,
    nullable: true,
    complexity: STATUS_COST,
    description: 'How its change feed stands; null where it was never switched on.',
    resolve: ({ id }, _args, { call, services }) => services.getFeedStatus(call, id),
  }),
);

const TicketFeedPayload = builder.simpleObject('TicketFeedPayload', {
  description: 'What switching a change feed did.',
  fields: (payload) => ({
    integration: payload.field({ type: Integration, description: 'The integration.' }),
    auditEventId: payload.id({ description: 'The audit event that records it.' }),
  }),
});

builder.mutationFields((t) => ({
  enableTicketFeed: t.field({
    nullable: true,
    type: TicketFeedPayload,
    description:
      'Switches the change feed of an integration on: has Zendesk call the gateway, where it has a public address, and reads Zendesk’s export. Again it mends what is missing. Needs `subscribe_tickets` in `allowedOperations`. For ADMIN.',
    args: { integrationId: t.arg.id({ required: true, description: 'The integration.' }) },
    resolve: (_root, { integrationId }, { call, services }) =>
      services.enableTicketFeed(call, { integrationId }),
  }),
  disableTicketFeed: t.field({
    nullable: true,
    type: TicketFeedPayload,
    description:
      'Switches the change feed of an integration off and has Zendesk call no more; its subscriptions end. For ADMIN.',
    args: { integrationId: t.arg.id({ required: true, description: 'The integration.' }) },
    resolve: (_root, { integrationId }, { call, services }) =>
      services.disableTicketFeed(call, { integrationId }),
  }),
}));
