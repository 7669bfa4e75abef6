/**
 * Changes of tickets. An update that came too late is no failure of the whole: `current` shows what the
 * ticket is now, so that a form can show both. The CONFLICT is an error of the result in any case, at
 * `ticket`, or at the change itself where `ticket` is not selected.
 */
import type { GraphQLResolveInfo } from 'graphql';
import {
  addComment,
  addedComment,
  createTicket,
  currentTicket,
  needsOperation,
  PROTECTED,
  type TicketCreation,
  type TicketUpdate,
  updateTicket,
} from '../../src/service/index.ts';
import { builder, type GraphqlContext } from '../builder.ts';
import { AddCommentInput, CreateTicketInput, UpdateTicketInput } from './change-inputs.ts';
import { CALL_COST } from './costs.ts';
import { CreationIdempotency, idempotencyOf } from './enums.ts';
import type { TicketObject } from './objects.ts';
import { Comment, Ticket } from './refs.ts';
import { operationsOf } from './selection.ts';

const CreateTicketPayload = builder.objectRef<TicketCreation>('CreateTicketPayload').implement({
  description: 'What `createTicket` did.',
  extensions: PROTECTED,
  fields: (t) => ({
    ticket: t.field({
      type: Ticket,
      description: 'The new ticket, or that of an earlier call with the same idempotency key.',
      resolve: ({ account, ticket }) => ({ account, view: ticket }),
    }),
    idempotency: t.field({
      type: CreationIdempotency,
      nullable: true,
      description: 'What became of the idempotency key.',
      resolve: (creation) => idempotencyOf(creation.idempotency),
    }),
  }),
});

/** Makes sure that the caller is told of an update that was refused, whatever is selected of it. */
async function updateWith(
  change: typeof updateTicket | typeof addComment,
  input: Parameters<typeof updateTicket>[1],
  { session, refused }: GraphqlContext,
  info: GraphQLResolveInfo,
): Promise<TicketUpdate> {
  const update = await change({ session, operations: operationsOf(info) }, input);
  if (update.kind === 'CONFLICT') refused.set(String(info.path.key), update.error);
  return update;
}

/** The updated ticket; throws the CONFLICT of an update that came too late. */
function updatedTicket(update: TicketUpdate): TicketObject {
  if (update.kind === 'CONFLICT') throw update.error;
  return { account: update.account, view: update.change.ticket };
}

async function ticketNow(update: TicketUpdate): Promise<TicketObject | null> {
  const view = await currentTicket(update);
  return view === null ? null : { account: update.account, view };
}

const UPDATED =
  'The ticket after the change; null with the error CONFLICT where it was changed since `expectedUpdatedAt`. That error is told, at the change itself, even where this is not selected.';
const CURRENT =
  'The ticket as Zendesk has it now: after a CONFLICT what stood in the way, else the changed ticket. Needs `get_ticket`.';

const UpdateTicketPayload = builder.objectRef<TicketUpdate>('UpdateTicketPayload').implement({
  description: 'What `updateTicket` did.',
  extensions: PROTECTED,
  fields: (t) => ({
    ticket: t.field({ type: Ticket, nullable: true, description: UPDATED, resolve: updatedTicket }),
    current: t.field({
      type: Ticket,
      nullable: true,
      extensions: needsOperation('get_ticket'),
      description: CURRENT,
      resolve: ticketNow,
    }),
  }),
});

const AddCommentPayload = builder.objectRef<TicketUpdate>('AddCommentPayload').implement({
  description: 'What `addComment` did.',
  extensions: PROTECTED,
  fields: (t) => ({
    comment: t.field({
      type: Comment,
      nullable: true,
      extensions: needsOperation('get_ticket'),
      complexity: CALL_COST,
      description:
        'The new comment as Zendesk has it; null after a CONFLICT, or where Zendesk did not tell which it is. Needs `get_ticket`.',
      resolve: async (update) => {
        const view = await addedComment(update);
        return view === null ? null : { account: update.account, view };
      },
    }),
    ticket: t.field({ type: Ticket, nullable: true, description: UPDATED, resolve: updatedTicket }),
    current: t.field({
      type: Ticket,
      nullable: true,
      extensions: needsOperation('get_ticket'),
      description: CURRENT,
      resolve: ticketNow,
    }),
  }),
});

builder.mutationFields((t) => ({
  createTicket: t.field({
    type: CreateTicketPayload,
    nullable: true,
    extensions: needsOperation('create_ticket'),
    complexity: CALL_COST,
    description:
      'Opens a ticket with its first comment. Without `idempotencyKey` a call sent again may open a second one. Without `requester` and `requesterId` the credential’s own user is the requester. Needs `create_ticket`. For AGENT.',
    args: { input: t.arg({ type: CreateTicketInput, required: true, description: 'The new ticket.' }) },
    resolve: (_root, { input }, { session }, info) =>
      createTicket({ session, operations: operationsOf(info) }, input),
  }),
  updateTicket: t.field({
    type: UpdateTicketPayload,
    nullable: true,
    extensions: needsOperation('update_ticket'),
    complexity: CALL_COST,
    description:
      'Changes fields of a ticket, adds a comment, or both; with `expectedUpdatedAt` only if nobody else did meanwhile. Needs `update_ticket`. For AGENT.',
    args: { input: t.arg({ type: UpdateTicketInput, required: true, description: 'What to change.' }) },
    resolve: (_root, { input }, context, info) => updateWith(updateTicket, input, context, info),
  }),
  addComment: t.field({
    type: AddCommentPayload,
    nullable: true,
    extensions: needsOperation('update_ticket'),
    complexity: CALL_COST,
    description: 'Adds a public comment or an internal note to a ticket. Needs `update_ticket`. For AGENT.',
    args: { input: t.arg({ type: AddCommentInput, required: true, description: 'The comment.' }) },
    resolve: (_root, { input }, context, info) => updateWith(addComment, input, context, info),
  }),
}));
