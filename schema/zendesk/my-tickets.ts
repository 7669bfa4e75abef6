/** The tickets of whoever asks with a client key that is restricted to an organization or a requester. */
import { listMyTickets, needsOperation } from '../../src/service/index.ts';
import { builder } from '../builder.ts';
import { sliceArgs } from './connection.ts';
import { listCost } from './costs.ts';
import { entryOf } from './entry.ts';
import { TicketSortInput } from './filters.ts';
import { TicketConnection, ticketList } from './lists.ts';
import { wantsSideLoad } from './references.ts';

builder.queryField('myTickets', (t) =>
  t.field({
    type: TicketConnection,
    nullable: true,
    extensions: needsOperation('list_tickets'),
    complexity: listCost,
    description:
      'The tickets that the caller’s client key is restricted to, without archived ones; for a key that is not restricted it is OPERATION_NOT_ALLOWED. Needs `list_tickets`. For AGENT and DASHBOARD.',
    args: {
      integrationId: t.arg.id({ required: true, description: 'The integration that the key is good for.' }),
      first: t.arg.int(sliceArgs.first),
      after: t.arg.string(sliceArgs.after),
      sort: t.arg({
        type: TicketSortInput,
        required: false,
        description: 'Their order, but by priority; newest first where left out.',
      }),
    },
    resolve: async (_root, { integrationId, ...args }, context, info) =>
      ticketList(await listMyTickets(entryOf(integrationId, context, info), args, wantsSideLoad(info)), args),
  }),
);
