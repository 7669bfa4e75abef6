/** Following the audit log. */
import type { AuditTailEvent } from '../src/service/index.ts';
import { AuditEvent } from './audit.ts';
import { builder } from './builder.ts';

const TailEvent = builder.objectRef<AuditTailEvent>('AuditTailEvent').implement({
  description: 'One entry of the log, as it was appended.',
  fields: (t) => ({
    cursor: t.expose('cursor', {
      type: 'Cursor',
      description:
        'The place after this event: `after` it goes on what came later. Also a cursor of `auditEvents`.',
    }),
    event: t.expose('event', { type: AuditEvent, description: 'The entry.' }),
  }),
});

builder.subscriptionField('auditTail', (t) =>
  t.field({
    type: TailEvent,
    description:
      'Every event of the audit log from a place on, in order and without gaps, as it is appended. That it begins is an event itself; its reading is not. Over WebSocket (graphql-transport-ws) or as `text/event-stream`. For AUDITOR.',
    args: {
      after: t.arg({
        type: 'Cursor',
        required: false,
        description:
          'The cursor of the last event that was received, or of a page of `auditEvents`; what comes now where left out.',
      }),
    },
    subscribe: (_root, { after }, { openAuditTail }) => openAuditTail(after ?? null),
    resolve: (event) => event,
  }),
);
