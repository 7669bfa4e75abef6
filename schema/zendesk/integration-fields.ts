/** What an integration shows of its Zendesk account. Each field asks for all that its selection needs. */
import {
  findOrganization,
  findTicket,
  findUser,
  listOrganizations,
  listTickets,
  listUsers,
  needsOperation,
  searchZendesk,
} from '../../src/service/index.ts';
import { builder } from '../builder.ts';
import { Integration } from '../integration.ts';
import { sliceArgs } from './connection.ts';
import { listCost } from './costs.ts';
import { entryOf } from './entry.ts';
import { SearchType } from './enums.ts';
import { TicketFilterInput, TicketSortInput, UserFilterInput } from './filters.ts';
import {
  OrganizationConnection,
  organizationList,
  TicketConnection,
  ticketList,
  UserConnection,
  userList,
} from './lists.ts';
import { organizationObject, userObject } from './objects.ts';
import { wantsSideLoad } from './references.ts';
import { Organization, Ticket, User } from './refs.ts';
import { SearchResultConnection, searchedTypes, searchResultList } from './search.ts';

builder.objectFields(Integration, (t) => ({
  ticket: t.field({
    type: Ticket,
    nullable: true,
    extensions: needsOperation('get_ticket'),
    description: 'One ticket; null where Zendesk shows none of this id. Needs `get_ticket`.',
    args: {
      id: t.arg.id({ required: true, description: 'Zendesk’s number of the ticket, or its global id.' }),
    },
    resolve: ({ id }, args, context, info) => findTicket(entryOf(id, context, info), args),
  }),
  tickets: t.field({
    type: TicketConnection,
    nullable: true,
    extensions: needsOperation('list_tickets'),
    complexity: listCost,
    description:
      'Tickets. Without a filter all but archived ones; with a filter, or sorted by priority, Zendesk runs a search, which may lag behind by minutes, finds archived tickets too and reaches the first 1 000 only (`pageInfo.truncated`). Needs `list_tickets`.',
    args: {
      first: t.arg.int(sliceArgs.first),
      after: t.arg.string(sliceArgs.after),
      filter: t.arg({
        type: TicketFilterInput,
        required: false,
        description: 'Which tickets; all where left out.',
      }),
      sort: t.arg({
        type: TicketSortInput,
        required: false,
        description: 'Their order; newest first where left out.',
      }),
    },
    resolve: async ({ id }, args, context, info) =>
      ticketList(await listTickets(entryOf(id, context, info), args, wantsSideLoad(info)), args),
  }),
  search: t.field({
    type: SearchResultConnection,
    nullable: true,
    extensions: needsOperation('search'),
    complexity: listCost,
    description:
      'What Zendesk’s search finds, at most 1 000 hits of any query (`pageInfo.truncated`, `totalCount`); new records take up to some minutes to be found. Hits of other kinds, such as groups, are left out. Needs `search`; people are found only with `list_users` as well, organizations only with `list_organizations`.',
    args: {
      first: t.arg.int(sliceArgs.first),
      after: t.arg.string(sliceArgs.after),
      query: t.arg.string({
        required: true,
        description: 'Zendesk’s search syntax, such as `status<solved tags:refund "lost parcel"`.',
      }),
      type: t.arg({
        type: SearchType,
        required: false,
        description: 'Narrows the search; not together with `type:` in the query.',
      }),
      sort: t.arg({ type: TicketSortInput, required: false, description: 'By relevance where left out.' }),
    },
    resolve: async ({ id }, args, context, info) => {
      const entry = entryOf(id, context, info, searchedTypes(args.type));
      return searchResultList(await searchZendesk(entry, args, wantsSideLoad(info)), args);
    },
  }),
  user: t.field({
    type: User,
    nullable: true,
    extensions: needsOperation('list_users'),
    description: 'One person; null where Zendesk shows none of this id. Needs `list_users`.',
    args: {
      id: t.arg.id({ required: true, description: 'Zendesk’s number of the person, or the global id.' }),
    },
    resolve: async ({ id }, args, context, info) => {
      const user = await findUser(entryOf(id, context, info), args);
      return user === null ? null : userObject(user);
    },
  }),
  users: t.field({
    type: UserConnection,
    nullable: true,
    extensions: needsOperation('list_users'),
    complexity: listCost,
    description: 'People of the account. Needs `list_users`.',
    args: {
      first: t.arg.int(sliceArgs.first),
      after: t.arg.string(sliceArgs.after),
      filter: t.arg({
        type: UserFilterInput,
        required: false,
        description: 'Which people; all where left out.',
      }),
    },
    resolve: async ({ id }, args, context, info) =>
      userList(await listUsers(entryOf(id, context, info), args), args),
  }),
  organization: t.field({
    type: Organization,
    nullable: true,
    extensions: needsOperation('list_organizations'),
    description: 'One organization; null where Zendesk shows none of this id. Needs `list_organizations`.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'Zendesk’s number of the organization, or its global id.',
      }),
    },
    resolve: async ({ id }, args, context, info) => {
      const organization = await findOrganization(entryOf(id, context, info), args);
      return organization === null ? null : organizationObject(organization);
    },
  }),
  organizations: t.field({
    type: OrganizationConnection,
    nullable: true,
    extensions: needsOperation('list_organizations'),
    complexity: listCost,
    description: 'Organizations of the account. Needs `list_organizations`.',
    args: { first: t.arg.int(sliceArgs.first), after: t.arg.string(sliceArgs.after) },
    resolve: async ({ id }, args, context, info) =>
      organizationList(await listOrganizations(entryOf(id, context, info), args), args),
  }),
}));
