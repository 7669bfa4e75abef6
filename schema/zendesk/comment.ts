import {
  encodeObjectId,
  findComment,
  needsOperation,
  PROTECTED,
  parseObjectId,
} from '../../src/service/index.ts';
import { builder } from '../builder.ts';
import { nodeEntryOf } from './entry.ts';
import { referredUser } from './references.ts';
import { Comment, Ticket, User } from './refs.ts';
import { Attachment, Via } from './ticket-parts.ts';

builder.node(Comment, {
  description: 'One word in the conversation of a ticket.',
  extensions: PROTECTED,
  id: {
    description: 'The comment’s global id, which names its ticket as well.',
    resolve: ({ account, view }) =>
      encodeObjectId({
        kind: 'comment',
        integrationId: account.integrationId,
        ticketId: view.ticketId,
        zendeskId: view.id,
      }),
  },
  loadWithoutCache: (id, context, info) => {
    const parsed = parseObjectId(id);
    if (parsed?.kind !== 'comment') throw new TypeError('"id" must be the global id of a comment');
    const entry = nodeEntryOf(id, context, info, 'Comment', 'get_ticket');
    return findComment(entry, { ticketId: parsed.ticketId, commentId: parsed.zendeskId });
  },
  fields: (t) => ({
    zendeskId: t.id({
      description: 'Zendesk’s own number of the comment.',
      resolve: ({ view }) => String(view.id),
    }),
    ticket: t.field({
      type: Ticket,
      nullable: true,
      extensions: needsOperation('get_ticket'),
      description: 'The ticket that it belongs to. Needs `get_ticket`.',
      resolve: async ({ account, view }) => {
        const ticket = await account.ticket(view.ticketId);
        return ticket === null ? null : { account, view: ticket };
      },
    }),
    author: t.field({
      type: User,
      nullable: true,
      description: 'Who wrote it.',
      resolve: ({ account, view }, _args, _context, info) => referredUser(account, view.authorId, info),
    }),
    public: t.boolean({
      description: 'Whether the requester sees it; otherwise it is an internal note.',
      resolve: ({ view }) => view.public,
    }),
    body: t.string({ nullable: true, description: 'The text.', resolve: ({ view }) => view.body }),
    htmlBody: t.string({
      nullable: true,
      description: 'The text as HTML. People outside wrote it: sanitize it before showing it.',
      resolve: ({ view }) => view.htmlBody,
    }),
    plainBody: t.string({
      nullable: true,
      description: 'The text without any markup.',
      resolve: ({ view }) => view.plainBody,
    }),
    via: t.field({
      type: Via,
      nullable: true,
      description: 'How it reached Zendesk.',
      resolve: ({ view }) => view.via,
    }),
    attachments: t.field({
      type: [Attachment],
      complexity: { field: 1, multiplier: 2 },
      description: 'The files that hang on it.',
      resolve: ({ view }) => [...view.attachments],
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was written.',
      resolve: ({ view }) => view.createdAt,
    }),
  }),
});
