/** The endpoints that exist here: path, who may call, which scope it needs, which limits it draws from. */
import type { Call, Handler } from './call.ts';
import { listComments } from './comments.ts';
import { listTicketFields, showAccount, showAccountSettings } from './configuration.ts';
import { listCustomRoles, showCustomRole } from './custom-role-list.ts';
import {
  deleteTicket,
  listDeletedTickets,
  mergeTickets,
  restoreTicket,
  scrubTicket,
} from './deleted-tickets.ts';
import { createIdentity, deleteIdentity, listIdentities, makePrimaryIdentity } from './identities.ts';
import { exportOrganizations, exportTickets, exportUsers } from './incremental-export.ts';
import { showJobStatus } from './jobs.ts';
import {
  createGroupMembership,
  createManyGroupMemberships,
  deleteGroupMembership,
  deleteManyGroupMemberships,
  deleteUserGroupMembership,
  listGroupMemberships,
  listMembershipsOfGroup,
  listOrganizationMemberships,
  listUserGroupMemberships,
  listUserOrganizationMemberships,
  makeDefaultGroupMembership,
  showGroupMembership,
} from './memberships.ts';
import { revokeCurrentToken, showCurrentToken } from './oauth.ts';
import {
  countUsers,
  listGroups,
  listGroupUsers,
  listOrganizations,
  listOrganizationUsers,
  listUserOrganizations,
  listUsers,
  searchOrganizations,
  searchUsers,
  showGroup,
  showManyOrganizations,
  showManyUsers,
  showMe,
  showOrganization,
  showUser,
} from './people.ts';
import { countSearch, exportSearch, search } from './search.ts';
import { endSession, endSessions, listSessions, logoutMany } from './session-list.ts';
import { updateManyTickets } from './ticket-bulk.ts';
import { createTicket, updateTicket } from './ticket-write.ts';
import {
  countTickets,
  listAssignedTickets,
  listIncidents,
  listOrganizationTickets,
  listRequestedTickets,
  listTickets,
  showManyTickets,
  showTicket,
} from './tickets.ts';
import {
  createOrUpdateUser,
  createUser,
  deleteUser,
  scrubUser,
  updatedUserKey,
  updateUser,
} from './user-write.ts';
import {
  createWebhook,
  deleteWebhook,
  listWebhooks,
  patchWebhook,
  replaceWebhook,
  resetSigningSecret,
  showSigningSecret,
  showWebhook,
  testWebhook,
} from './webhooks.ts';

/** Resource of a scope such as `tickets:read`; null = any token will do. */
type Resource = 'tickets' | 'users' | 'organizations' | 'search' | 'webhooks' | null;

export interface LimitUse {
  /** Name in endpoint-limits.ts. */
  readonly name: string;
  /** Separate counter per key; the whole account shares one when absent. */
  readonly key?: (call: Call) => string;
}

export interface Route {
  readonly method: string;
  readonly template: string;
  readonly pattern: RegExp;
  readonly resource: Resource;
  /** `agent`: agents and admins; `anyone`: also without a login. */
  readonly audience: 'admin' | 'agent' | 'anyone' | 'user';
  readonly limits: readonly LimitUse[];
  readonly handler: Handler;
}

const route = (
  method: string,
  path: string,
  resource: Resource,
  handler: Handler,
  rest: { audience?: Route['audience']; limits?: readonly LimitUse[] } = {},
): Route => ({
  method,
  template: `/api/v2${path}`,
  pattern: new RegExp(`^/api/v2${path.replaceAll(':id', '(\\d+)').replaceAll(':key', '([\\w-]+)')}$`),
  resource,
  audience: rest.audience ?? 'agent',
  limits: rest.limits ?? [],
  handler,
});

const perTicketAndUser = (call: Call): string =>
  `${call.params[0]}:${call.caller.kind === 'user' ? call.caller.user.id : 0}`;

/** The account's one a second first, so that a call it refuses takes nothing from the user's own. */
const USER_UPDATES: readonly LimitUse[] = [
  { name: 'users-update' },
  { name: 'per-user-updates', key: updatedUserKey },
];

/** A route of the webhooks service, with its own count of requests; see api.ts. */
const webhookRoute = (method: string, path: string, handler: Handler): Route =>
  route(method, path, 'webhooks', handler, { audience: 'admin' });

export const ROUTES: readonly Route[] = [
  route('GET', '/users/me', 'users', showMe, { audience: 'anyone' }),
  route('GET', '/tickets', 'tickets', listTickets, { limits: [{ name: 'tickets-index' }] }),
  route('POST', '/tickets', 'tickets', createTicket),
  route('GET', '/tickets/show_many', 'tickets', showManyTickets),
  route('GET', '/tickets/count', 'tickets', countTickets),
  route('PUT', '/tickets/update_many', 'tickets', updateManyTickets, {
    limits: [{ name: 'tickets-update' }],
  }),
  route('GET', '/tickets/:id', 'tickets', showTicket),
  route('PUT', '/tickets/:id', 'tickets', updateTicket, {
    limits: [{ name: 'per-ticket-updates', key: perTicketAndUser }, { name: 'tickets-update' }],
  }),
  route('DELETE', '/tickets/:id', 'tickets', deleteTicket, { limits: [{ name: 'tickets-destroy' }] }),
  route('POST', '/tickets/:id/merge', 'tickets', mergeTickets),
  route('GET', '/deleted_tickets', 'tickets', listDeletedTickets, {
    limits: [{ name: 'deleted-tickets-index' }],
  }),
  route('PUT', '/deleted_tickets/:id/restore', 'tickets', restoreTicket),
  route('DELETE', '/deleted_tickets/:id', 'tickets', scrubTicket, {
    limits: [{ name: 'deleted-tickets-destroy' }],
  }),
  route('GET', '/incremental/tickets/cursor', 'tickets', exportTickets, {
    audience: 'admin',
    limits: [{ name: 'incremental-exports' }],
  }),
  route('GET', '/incremental/users/cursor', 'users', exportUsers, {
    audience: 'admin',
    limits: [{ name: 'incremental-exports' }],
  }),
  route('GET', '/incremental/organizations', 'organizations', exportOrganizations, {
    audience: 'admin',
    limits: [{ name: 'incremental-exports' }],
  }),
  route('GET', '/custom_roles', 'users', listCustomRoles),
  route('GET', '/custom_roles/:id', 'users', showCustomRole),
  route('GET', '/job_statuses/:key', null, showJobStatus),
  route('GET', '/tickets/:id/comments', 'tickets', listComments),
  route('GET', '/tickets/:id/incidents', 'tickets', listIncidents),
  route('GET', '/users', 'users', listUsers),
  route('POST', '/users', 'users', createUser),
  route('GET', '/users/show_many', 'users', showManyUsers),
  route('GET', '/users/search', 'users', searchUsers),
  route('GET', '/users/count', 'users', countUsers),
  route('POST', '/users/create_or_update', 'users', createOrUpdateUser, { limits: USER_UPDATES }),
  route('POST', '/users/logout_many', 'users', logoutMany, { audience: 'admin' }),
  route('GET', '/users/:id', 'users', showUser),
  route('PUT', '/users/:id', 'users', updateUser, { limits: USER_UPDATES }),
  route('DELETE', '/users/:id', 'users', deleteUser),
  route('DELETE', '/deleted_users/:id', 'users', scrubUser, { audience: 'admin' }),
  route('GET', '/users/:id/identities', 'users', listIdentities),
  route('POST', '/users/:id/identities', 'users', createIdentity),
  route('PUT', '/users/:id/identities/:id/make_primary', 'users', makePrimaryIdentity),
  route('DELETE', '/users/:id/identities/:id', 'users', deleteIdentity),
  route('GET', '/users/:id/sessions', 'users', listSessions, { audience: 'admin' }),
  route('DELETE', '/users/:id/sessions', 'users', endSessions, { audience: 'admin' }),
  route('DELETE', '/users/:id/sessions/:id', 'users', endSession, { audience: 'admin' }),
  route('GET', '/users/:id/group_memberships', 'users', listUserGroupMemberships),
  route('DELETE', '/users/:id/group_memberships/:id', 'users', deleteUserGroupMembership, {
    audience: 'admin',
  }),
  route('PUT', '/users/:id/group_memberships/:id/make_default', 'users', makeDefaultGroupMembership, {
    audience: 'admin',
  }),
  route('GET', '/users/:id/organization_memberships', 'organizations', listUserOrganizationMemberships),
  route('GET', '/organization_memberships', 'organizations', listOrganizationMemberships),
  route('GET', '/group_memberships', 'users', listGroupMemberships),
  route('POST', '/group_memberships', 'users', createGroupMembership, { audience: 'admin' }),
  route('POST', '/group_memberships/create_many', 'users', createManyGroupMemberships, { audience: 'admin' }),
  route('DELETE', '/group_memberships/destroy_many', 'users', deleteManyGroupMemberships, {
    audience: 'admin',
  }),
  route('GET', '/group_memberships/:id', 'users', showGroupMembership),
  route('DELETE', '/group_memberships/:id', 'users', deleteGroupMembership, { audience: 'admin' }),
  route('GET', '/users/:id/tickets/requested', 'tickets', listRequestedTickets),
  route('GET', '/users/:id/tickets/assigned', 'tickets', listAssignedTickets),
  route('GET', '/users/:id/organizations', 'organizations', listUserOrganizations),
  route('GET', '/organizations', 'organizations', listOrganizations),
  route('GET', '/organizations/search', 'organizations', searchOrganizations),
  route('GET', '/organizations/show_many', 'organizations', showManyOrganizations),
  route('GET', '/organizations/:id', 'organizations', showOrganization),
  route('GET', '/organizations/:id/users', 'users', listOrganizationUsers),
  route('GET', '/organizations/:id/tickets', 'tickets', listOrganizationTickets),
  route('GET', '/groups', 'users', listGroups),
  route('GET', '/groups/:id', 'users', showGroup),
  route('GET', '/groups/:id/users', 'users', listGroupUsers),
  route('GET', '/groups/:id/memberships', 'users', listMembershipsOfGroup),
  route('GET', '/search', 'search', search, { limits: [{ name: 'search-index' }] }),
  route('GET', '/search/count', 'search', countSearch, { limits: [{ name: 'search-index' }] }),
  route('GET', '/search/export', 'search', exportSearch, { limits: [{ name: 'search-export' }] }),
  route('GET', '/ticket_fields', 'tickets', listTicketFields),
  route('GET', '/account', null, showAccount),
  route('GET', '/account/settings', null, showAccountSettings),
  route('GET', '/oauth/tokens/current', null, showCurrentToken, { audience: 'user' }),
  route('DELETE', '/oauth/tokens/current', null, revokeCurrentToken, { audience: 'user' }),
  webhookRoute('GET', '/webhooks', listWebhooks),
  webhookRoute('POST', '/webhooks', createWebhook),
  webhookRoute('POST', '/webhooks/test', testWebhook),
  webhookRoute('GET', '/webhooks/:key', showWebhook),
  webhookRoute('PUT', '/webhooks/:key', replaceWebhook),
  webhookRoute('PATCH', '/webhooks/:key', patchWebhook),
  webhookRoute('DELETE', '/webhooks/:key', deleteWebhook),
  webhookRoute('GET', '/webhooks/:key/signing_secret', showSigningSecret),
  webhookRoute('POST', '/webhooks/:key/signing_secret', resetSigningSecret),
];

export interface RouteMatch {
  readonly route: Route;
  readonly params: readonly string[];
}

/** The endpoint of a call; null when there is none. `path` comes without `.json`. */
export const matchRoute = (method: string, path: string): RouteMatch | null => {
  for (const candidate of ROUTES) {
    if (candidate.method !== method) continue;
    const match = candidate.pattern.exec(path);
    if (match) return { route: candidate, params: match.slice(1) };
  }
  return null;
};

/** Whether an id that is no number stands where some endpoint expects one: Zendesk answers 400, not 404. */
export const misusedId = (method: string, path: string): string | null => {
  const match = /^\/api\/v2\/(tickets|users|organizations|groups)\/([^/]+)$/.exec(path);
  if (!match || !['GET', 'PUT', 'DELETE'].includes(method)) return null;
  return /^[\w%.-]+$/.test(match[2] ?? '') && matchRoute(method, `/api/v2/${match[1]}/1`)
    ? (match[1] ?? null)
    : null;
};

/** Scopes one of which a token must have for the call; empty when any token will do. */
export const requiredScopes = (match: Route): readonly string[] => {
  if (match.resource === null) return [];
  const access = match.method === 'GET' ? 'read' : 'write';
  return match.resource === 'search' ? [access] : [access, `${match.resource}:${access}`];
};
