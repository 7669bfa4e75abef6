/**
 * `subscribe_tickets`: the right to follow the changes of all tickets. It is a row of the catalogue so that
 * policies can list it; it runs as the subscription `ticketChanges` and never as a single call.
 */
import { z } from 'zod';
import { SealdeskError } from '../../base/index.ts';
import { type Operation, READERS } from './operation.ts';

const RUN_AS = 'subscribe_tickets runs as the GraphQL subscription ticketChanges, not as a single call.';

export const subscribeTickets: Operation<Record<string, never>> = Object.freeze({
  name: 'subscribe_tickets',
  description:
    'Follows the changes of all tickets, as the GraphQL subscription `ticketChanges`; an ADMIN turns the feed of an integration on with `enableTicketFeed`. It cannot be sent as a single call.',
  mutation: false,
  roles: READERS,
  permits: Object.freeze(['TicketFeed'] as const),
  fields: Object.freeze({}),
  result: z.record(z.string(), z.never()),
  prepare(): never {
    throw new SealdeskError('VALIDATION_FAILED', RUN_AS, {
      fields: [{ path: 'operation', message: 'runs as the subscription ticketChanges only' }],
    });
  },
});
