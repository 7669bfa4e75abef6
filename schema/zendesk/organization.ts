import {
  findOrganization,
  listTicketsOf,
  listUsersOf,
  needsOperation,
  PROTECTED,
} from '../../src/service/index.ts';
import { builder } from '../builder.ts';
import { sliceArgs } from './connection.ts';
import { listCost } from './costs.ts';
import { globalId, nodeEntryOf } from './entry.ts';
import { TicketConnection, ticketList, UserConnection, userList } from './lists.ts';
import { fullOf, organizationObject } from './objects.ts';
import { wantsSideLoad } from './references.ts';
import { Organization } from './refs.ts';

const LIST_ORGANIZATIONS = needsOperation('list_organizations');

builder.node(Organization, {
  description:
    'A customer of the account with its people. Id and name are shown wherever one is referred to; everything else needs `list_organizations`.',
  extensions: PROTECTED,
  id: {
    description: 'The organization’s global id, to be read again by `node` and named in changes.',
    resolve: (organization) => globalId('organization', organization),
  },
  loadWithoutCache: async (id, context, info) => {
    const organization = await findOrganization(
      nodeEntryOf(id, context, info, 'Organization', 'list_organizations'),
      { id },
    );
    return organization === null ? null : organizationObject(organization);
  },
  fields: (t) => ({
    zendeskId: t.id({
      description: 'Zendesk’s own number of the organization.',
      resolve: ({ id }) => String(id),
    }),
    name: t.exposeString('name', { nullable: true, description: 'The name as people read it.' }),
    externalId: t.string({
      nullable: true,
      extensions: LIST_ORGANIZATIONS,
      description: 'Your own reference of the organization. Needs `list_organizations`.',
      resolve: (organization) => fullOf(organization).externalId,
    }),
    domainNames: t.stringList({
      extensions: LIST_ORGANIZATIONS,
      description: 'Domains of mail addresses that belong to it. Needs `list_organizations`.',
      resolve: (organization) => [...fullOf(organization).domainNames],
    }),
    details: t.string({
      nullable: true,
      extensions: LIST_ORGANIZATIONS,
      description: 'What is noted of it, such as an address. Needs `list_organizations`.',
      resolve: (organization) => fullOf(organization).details,
    }),
    notes: t.string({
      nullable: true,
      extensions: LIST_ORGANIZATIONS,
      description: 'What agents note of it. Needs `list_organizations`.',
      resolve: (organization) => fullOf(organization).notes,
    }),
    groupId: t.id({
      nullable: true,
      extensions: LIST_ORGANIZATIONS,
      description: 'Zendesk’s id of the group that its new tickets go to. Needs `list_organizations`.',
      resolve: (organization) => {
        const { groupId } = fullOf(organization);
        return groupId === null ? null : String(groupId);
      },
    }),
    sharedTickets: t.boolean({
      extensions: LIST_ORGANIZATIONS,
      description: 'Whether its people see each other’s tickets. Needs `list_organizations`.',
      resolve: (organization) => fullOf(organization).sharedTickets,
    }),
    sharedComments: t.boolean({
      extensions: LIST_ORGANIZATIONS,
      description: 'Whether its people may comment on each other’s tickets. Needs `list_organizations`.',
      resolve: (organization) => fullOf(organization).sharedComments,
    }),
    tags: t.stringList({
      extensions: LIST_ORGANIZATIONS,
      description: 'Its tags. Needs `list_organizations`.',
      resolve: (organization) => [...fullOf(organization).tags],
    }),
    users: t.field({
      type: UserConnection,
      nullable: true,
      extensions: needsOperation('list_users'),
      complexity: listCost,
      description: 'Its people; a Zendesk call for each organization. Needs `list_users`.',
      args: { first: t.arg.int(sliceArgs.first), after: t.arg.string(sliceArgs.after) },
      resolve: async ({ account, id }, args) => userList(await listUsersOf(account, id, args), args),
    }),
    tickets: t.field({
      type: TicketConnection,
      nullable: true,
      extensions: needsOperation('list_tickets'),
      complexity: listCost,
      description:
        'Its tickets, newest first, without archived ones; a Zendesk call for each organization. Needs `list_tickets`.',
      args: { first: t.arg.int(sliceArgs.first), after: t.arg.string(sliceArgs.after) },
      resolve: async ({ account, id }, args, _context, info) =>
        ticketList(await listTicketsOf(account, { of: 'ORGANIZATION', id }, args, wantsSideLoad(info)), args),
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      extensions: LIST_ORGANIZATIONS,
      description: 'When it was created. Needs `list_organizations`.',
      resolve: (organization) => fullOf(organization).createdAt,
    }),
    updatedAt: t.field({
      type: 'DateTime',
      nullable: true,
      extensions: LIST_ORGANIZATIONS,
      description: 'When it was last changed. Needs `list_organizations`.',
      resolve: (organization) => fullOf(organization).updatedAt,
    }),
  }),
});
