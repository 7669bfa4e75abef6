import {
  findTicket,
  invalidInput,
  listComments,
  listTicketsOf,
  needsOperation,
  PROTECTED,
} from '../../src/service/index.ts';
import { builder } from '../builder.ts';
import { sliceArgs } from './connection.ts';
import { FEW, listCost } from './costs.ts';
import { globalId, nodeEntryOf } from './entry.ts';
import {
  CommentOrder,
  priorityOf,
  statusOf,
  TicketPriority,
  TicketStatus,
  TicketType,
  typeOf,
} from './enums.ts';
import { CommentConnection, commentList, TicketConnection, ticketList } from './lists.ts';
import { referredOrganization, referredUser, wantsSideLoad } from './references.ts';
import { Organization, Ticket, User } from './refs.ts';
import { CustomField, Satisfaction, Via } from './ticket-parts.ts';

/** Custom fields that one selection may name. */
export const MAX_CUSTOM_FIELD_IDS = 100;
/** As many as are reckoned with where none are named. */
const DEFAULT_CUSTOM_FIELDS = 10;

builder.node(Ticket, {
  description: 'A ticket: what somebody asked for, and all that came of it.',
  extensions: PROTECTED,
  id: {
    description: 'The ticket’s global id, to be read again by `node` and named in changes.',
    resolve: ({ account, view }) => globalId('ticket', { account, id: view.id }),
  },
  loadWithoutCache: (id, context, info) =>
    findTicket(nodeEntryOf(id, context, info, 'Ticket', 'get_ticket'), { id }),
  fields: (t) => ({
    zendeskId: t.id({
      description: 'Zendesk’s own number of the ticket.',
      resolve: ({ view }) => String(view.id),
    }),
    externalId: t.string({
      nullable: true,
      description: 'Your own reference; Zendesk does not keep it unique.',
      resolve: ({ view }) => view.externalId,
    }),
    subject: t.string({
      nullable: true,
      description: 'The subject line.',
      resolve: ({ view }) => view.subject,
    }),
    description: t.string({
      nullable: true,
      description: 'The first comment as text; it cannot be changed.',
      resolve: ({ view }) => view.description,
    }),
    status: t.field({
      type: TicketStatus,
      nullable: true,
      description: 'Where the ticket stands.',
      resolve: ({ view }) => statusOf(view.status),
    }),
    customStatusId: t.id({
      nullable: true,
      description: 'Zendesk’s id of the custom status, in accounts that have them; `status` is its category.',
      resolve: ({ view }) => textOf(view.customStatusId),
    }),
    priority: t.field({
      type: TicketPriority,
      nullable: true,
      description: 'How urgent it is; null where nobody has said.',
      resolve: ({ view }) => priorityOf(view.priority),
    }),
    type: t.field({
      type: TicketType,
      nullable: true,
      description: 'What kind of request it is; null where nobody has said.',
      resolve: ({ view }) => typeOf(view.type),
    }),
    via: t.field({
      type: Via,
      nullable: true,
      description: 'How the ticket reached Zendesk.',
      resolve: ({ view }) => view.via,
    }),
    requester: t.field({
      type: User,
      nullable: true,
      description: 'The person who asks.',
      resolve: ({ account, view }, _args, _context, info) => referredUser(account, view.requesterId, info),
    }),
    submitter: t.field({
      type: User,
      nullable: true,
      description: 'The person who opened the ticket, perhaps an agent for the requester.',
      resolve: ({ account, view }, _args, _context, info) => referredUser(account, view.submitterId, info),
    }),
    assignee: t.field({
      type: User,
      nullable: true,
      description: 'The agent in charge; null while nobody is.',
      resolve: ({ account, view }, _args, _context, info) => referredUser(account, view.assigneeId, info),
    }),
    organization: t.field({
      type: Organization,
      nullable: true,
      description: 'The organization that the requester asks for.',
      resolve: ({ account, view }, _args, _context, info) =>
        referredOrganization(account, view.organizationId, info),
    }),
    groupId: t.id({
      nullable: true,
      description: 'Zendesk’s id of the group in charge.',
      resolve: ({ view }) => textOf(view.groupId),
    }),
    brandId: t.id({
      nullable: true,
      description: 'Zendesk’s id of the brand.',
      resolve: ({ view }) => textOf(view.brandId),
    }),
    ticketFormId: t.id({
      nullable: true,
      description: 'Zendesk’s id of the ticket form.',
      resolve: ({ view }) => textOf(view.ticketFormId),
    }),
    collaborators: t.field({
      type: [User],
      complexity: FEW,
      nullable: { list: false, items: true },
      description: 'People in copy, followers included; null in place of one that Zendesk does not show.',
      resolve: ({ account, view }, _args, _context, info) =>
        view.collaboratorIds.map((id) => referredUser(account, id, info)),
    }),
    followers: t.field({
      type: [User],
      complexity: FEW,
      nullable: { list: false, items: true },
      description: 'Agents who follow the ticket; null in place of one that Zendesk does not show.',
      resolve: ({ account, view }, _args, _context, info) =>
        view.followerIds.map((id) => referredUser(account, id, info)),
    }),
    emailCcs: t.field({
      type: [User],
      complexity: FEW,
      nullable: { list: false, items: true },
      description: 'People in copy of its mails; null in place of one that Zendesk does not show.',
      resolve: ({ account, view }, _args, _context, info) =>
        view.emailCcIds.map((id) => referredUser(account, id, info)),
    }),
    problem: t.field({
      type: Ticket,
      nullable: true,
      extensions: needsOperation('get_ticket'),
      description: 'The problem that this incident is a case of. Needs `get_ticket`.',
      resolve: async ({ account, view }) => {
        const problem = view.problemId === null ? null : await account.ticket(view.problemId);
        return problem === null ? null : { account, view: problem };
      },
    }),
    hasIncidents: t.boolean({
      description: 'Whether incidents name this ticket as their problem.',
      resolve: ({ view }) => view.hasIncidents,
    }),
    incidents: t.field({
      type: TicketConnection,
      nullable: true,
      extensions: needsOperation('list_tickets'),
      complexity: listCost,
      description: 'The incidents of this problem; a Zendesk call for each ticket. Needs `list_tickets`.',
      args: { first: t.arg.int(sliceArgs.first), after: t.arg.string(sliceArgs.after) },
      resolve: async ({ account, view }, args, _context, info) => {
        const owner = { of: 'PROBLEM', id: view.id } as const;
        return ticketList(await listTicketsOf(account, owner, args, wantsSideLoad(info)), args);
      },
    }),
    comments: t.field({
      type: CommentConnection,
      nullable: true,
      extensions: needsOperation('get_ticket'),
      complexity: listCost,
      description:
        'The conversation, public and internal. Zendesk has no way to ask for the comments of many tickets: each ticket costs a call. Needs `get_ticket`.',
      args: {
        first: t.arg.int(sliceArgs.first),
        after: t.arg.string(sliceArgs.after),
        order: t.arg({
          type: CommentOrder,
          required: true,
          defaultValue: 'OLDEST_FIRST',
          description: 'Which end of the conversation comes first.',
        }),
      },
      resolve: async ({ account, view }, args) =>
        commentList(await listComments(account, view.id, args), args),
    }),
    isPublic: t.boolean({
      description: 'Whether any comment is public; if none is, the requester sees nothing of the ticket.',
      resolve: ({ view }) => view.isPublic,
    }),
    tags: t.stringList({ description: 'Its tags.', resolve: ({ view }) => [...view.tags] }),
    customFields: t.field({
      type: [CustomField],
      complexity: ({ ids }) => ({
        field: 1,
        multiplier: Math.min(Math.max(ids?.length ?? DEFAULT_CUSTOM_FIELDS, 1), MAX_CUSTOM_FIELD_IDS),
      }),
      description: 'Values of custom fields: of all, or of those named.',
      args: {
        ids: t.arg.idList({
          required: false,
          description: `Zendesk’s ids of the fields that are wanted, at most ${MAX_CUSTOM_FIELD_IDS}.`,
        }),
      },
      resolve: ({ view }, { ids }) => {
        if (ids == null) return [...view.customFields];
        if (ids.length > MAX_CUSTOM_FIELD_IDS) {
          throw invalidInput([{ path: 'ids', message: `must name at most ${MAX_CUSTOM_FIELD_IDS} fields` }]);
        }
        const wanted = new Set(ids);
        return view.customFields.filter(({ id }) => wanted.has(String(id)));
      },
    }),
    satisfaction: t.field({
      type: Satisfaction,
      nullable: true,
      description: 'What the requester thought of the answer, where the account asks for it.',
      resolve: ({ view }) => view.satisfaction,
    }),
    dueAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When a task is due.',
      resolve: ({ view }) => view.dueAt,
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was opened.',
      resolve: ({ view }) => view.createdAt,
    }),
    updatedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was last changed: send it back as `expectedUpdatedAt` of a change.',
      resolve: ({ view }) => view.updatedAt,
    }),
  }),
});

function textOf(id: number | null): string | null {
  return id === null ? null : String(id);
}
