import {
  findUser,
  listOrganizationsOf,
  listTicketsOf,
  needsOperation,
  PROTECTED,
} from '../../src/service/index.ts';
import { builder } from '../builder.ts';
import { sliceArgs } from './connection.ts';
import { listCost } from './costs.ts';
import { globalId, nodeEntryOf } from './entry.ts';
import { roleOf, UserRole } from './enums.ts';
import { OrganizationConnection, organizationList, TicketConnection, ticketList } from './lists.ts';
import { fullOf, userObject } from './objects.ts';
import { referredOrganization, wantsSideLoad } from './references.ts';
import { Organization, User } from './refs.ts';

const LIST_USERS = needsOperation('list_users');

builder.node(User, {
  description:
    'A person of the Zendesk account: a customer, an agent or an admin. Id, name and photo are shown wherever a person is referred to; everything else needs `list_users`.',
  extensions: PROTECTED,
  id: {
    description: 'The person’s global id, to be read again by `node` and named in changes.',
    resolve: (user) => globalId('user', user),
  },
  loadWithoutCache: async (id, context, info) => {
    const user = await findUser(nodeEntryOf(id, context, info, 'User', 'list_users'), { id });
    return user === null ? null : userObject(user);
  },
  fields: (t) => ({
    zendeskId: t.id({ description: 'Zendesk’s own number of the person.', resolve: ({ id }) => String(id) }),
    name: t.exposeString('name', { nullable: true, description: 'The name as people read it.' }),
    photo: t.exposeString('photo', {
      nullable: true,
      description: 'Address of the picture, if there is one.',
    }),
    email: t.string({
      nullable: true,
      extensions: LIST_USERS,
      description: 'The primary address. Needs `list_users`.',
      resolve: (user) => fullOf(user).email,
    }),
    phone: t.string({
      nullable: true,
      extensions: LIST_USERS,
      description: 'The primary number. Needs `list_users`.',
      resolve: (user) => fullOf(user).phone,
    }),
    role: t.field({
      type: UserRole,
      nullable: true,
      extensions: LIST_USERS,
      description: 'What the person is in the account. Needs `list_users`.',
      resolve: (user) => roleOf(fullOf(user).role),
    }),
    customRoleId: t.id({
      nullable: true,
      extensions: LIST_USERS,
      description: 'Zendesk’s id of an agent’s custom role. Needs `list_users`.',
      resolve: (user) => textOf(fullOf(user).customRoleId),
    }),
    externalId: t.string({
      nullable: true,
      extensions: LIST_USERS,
      description: 'Your own reference of the person. Needs `list_users`.',
      resolve: (user) => fullOf(user).externalId,
    }),
    organization: t.field({
      type: Organization,
      nullable: true,
      extensions: LIST_USERS,
      description: 'The organization that the person belongs to first of all. Needs `list_users`.',
      resolve: (user, _args, _context, info) =>
        referredOrganization(user.account, fullOf(user).organizationId, info),
    }),
    organizations: t.field({
      type: OrganizationConnection,
      nullable: true,
      extensions: needsOperation('list_organizations'),
      complexity: listCost,
      description:
        'All organizations of the person; a Zendesk call for each person. Needs `list_organizations`.',
      args: { first: t.arg.int(sliceArgs.first), after: t.arg.string(sliceArgs.after) },
      resolve: async ({ account, id }, args) =>
        organizationList(await listOrganizationsOf(account, id, args), args),
    }),
    requestedTickets: t.field({
      type: TicketConnection,
      nullable: true,
      extensions: needsOperation('list_tickets'),
      complexity: listCost,
      description:
        'Tickets that the person asked for, newest first, without archived ones; a Zendesk call for each person. Needs `list_tickets`.',
      args: { first: t.arg.int(sliceArgs.first), after: t.arg.string(sliceArgs.after) },
      resolve: async ({ account, id }, args, _context, info) =>
        ticketList(await listTicketsOf(account, { of: 'REQUESTER', id }, args, wantsSideLoad(info)), args),
    }),
    assignedTickets: t.field({
      type: TicketConnection,
      nullable: true,
      extensions: needsOperation('list_tickets'),
      complexity: listCost,
      description:
        'Tickets that the agent is in charge of, newest first, without archived ones; a Zendesk call for each person. Needs `list_tickets`.',
      args: { first: t.arg.int(sliceArgs.first), after: t.arg.string(sliceArgs.after) },
      resolve: async ({ account, id }, args, _context, info) =>
        ticketList(await listTicketsOf(account, { of: 'ASSIGNEE', id }, args, wantsSideLoad(info)), args),
    }),
    defaultGroupId: t.id({
      nullable: true,
      extensions: LIST_USERS,
      description: 'Zendesk’s id of the group an agent belongs to first of all. Needs `list_users`.',
      resolve: (user) => textOf(fullOf(user).defaultGroupId),
    }),
    active: t.boolean({
      extensions: LIST_USERS,
      description: 'false for a deleted person. Needs `list_users`.',
      resolve: (user) => fullOf(user).active,
    }),
    suspended: t.boolean({
      extensions: LIST_USERS,
      description: 'Whether the person is shut out: cannot sign in or open tickets. Needs `list_users`.',
      resolve: (user) => fullOf(user).suspended,
    }),
    verified: t.boolean({
      extensions: LIST_USERS,
      description: 'Whether any of the person’s identities is verified. Needs `list_users`.',
      resolve: (user) => fullOf(user).verified,
    }),
    twoFactorEnabled: t.boolean({
      nullable: true,
      extensions: LIST_USERS,
      description:
        'Whether the person signs in with two factors; null where Zendesk does not tell. Needs `list_users`.',
      resolve: (user) => fullOf(user).twoFactorEnabled,
    }),
    locale: t.string({
      nullable: true,
      extensions: LIST_USERS,
      description: 'The person’s language, such as `en-US`. Needs `list_users`.',
      resolve: (user) => fullOf(user).locale,
    }),
    timeZone: t.string({
      nullable: true,
      extensions: LIST_USERS,
      description: 'The person’s time zone, as Zendesk names it. Needs `list_users`.',
      resolve: (user) => fullOf(user).timeZone,
    }),
    tags: t.stringList({
      extensions: LIST_USERS,
      description: 'The person’s tags. Needs `list_users`.',
      resolve: (user) => [...fullOf(user).tags],
    }),
    details: t.string({
      nullable: true,
      extensions: LIST_USERS,
      description: 'What is noted of the person, such as an address. Needs `list_users`.',
      resolve: (user) => fullOf(user).details,
    }),
    notes: t.string({
      nullable: true,
      extensions: LIST_USERS,
      description: 'What agents note of the person, which the person does not see. Needs `list_users`.',
      resolve: (user) => fullOf(user).notes,
    }),
    lastLoginAt: t.field({
      type: 'DateTime',
      nullable: true,
      extensions: LIST_USERS,
      description: 'When the person last signed in. Needs `list_users`.',
      resolve: (user) => fullOf(user).lastLoginAt,
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      extensions: LIST_USERS,
      description: 'When Zendesk first knew the person. Needs `list_users`.',
      resolve: (user) => fullOf(user).createdAt,
    }),
    updatedAt: t.field({
      type: 'DateTime',
      nullable: true,
      extensions: LIST_USERS,
      description: 'When the person’s record was last changed. Needs `list_users`.',
      resolve: (user) => fullOf(user).updatedAt,
    }),
  }),
});

function textOf(id: number | null): string | null {
  return id === null ? null : String(id);
}
