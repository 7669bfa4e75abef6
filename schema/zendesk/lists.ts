/** The connections of the graph, and how what use cases answer becomes one. */
import type {
  CommentView,
  Found,
  OrganizationView,
  Slice,
  TicketView,
  UserView,
} from '../../src/service/index.ts';
import { createConnection, toConnectionObject } from './connection.ts';
import { organizationObject, userObject } from './objects.ts';
import { Comment, Organization, Ticket, User } from './refs.ts';

interface After {
  readonly after?: string | null | undefined;
}

const UNCOUNTED = 'null: Zendesk tells no number where this list is read by its cursors.';

export const TicketConnection = createConnection('Ticket', Ticket, {
  what: 'tickets',
  count:
    'Zendesk’s own count where the list is filtered, or sorted by priority, and so a search: it may lag behind by minutes and also counts what lies beyond the 1 000 that can be reached. null for every other list.',
});
export const CommentConnection = createConnection('Comment', Comment, { what: 'comments', count: UNCOUNTED });
export const UserConnection = createConnection('User', User, {
  what: 'people',
  count: 'Zendesk’s own count where the list is a search by `query`; else null.',
});
export const OrganizationConnection = createConnection('Organization', Organization, {
  what: 'organizations',
  count: UNCOUNTED,
});

export const ticketList = (found: Found<Slice<TicketView>>, { after }: After) =>
  toConnectionObject(found, after, (ticket) => ticket);
export const commentList = (found: Found<Slice<CommentView>>, { after }: After) =>
  toConnectionObject(found, after, (comment) => comment);
export const userList = (found: Found<Slice<UserView>>, { after }: After) =>
  toConnectionObject(found, after, userObject);
export const organizationList = (found: Found<Slice<OrganizationView>>, { after }: After) =>
  toConnectionObject(found, after, organizationObject);
