/**
 * The OAuth scopes that operations need (zendesk-api §2.2): as few as will do, so that a token that is lost opens
 * no more than the policy of its integration does. Search, groups and sessions have no scope of their own and need
 * the general one, which then stands for all of its kind: Zendesk refuses `read` beside `tickets:read`.
 */
const TICKETS = ['tickets:read', 'users:read', 'organizations:read'];

/** Tickets are shown with the people and organizations that they name; every connection reads who it is. */
const SCOPES: Readonly<Record<string, readonly string[]>> = Object.freeze({
  list_tickets: TICKETS,
  get_ticket: TICKETS,
  create_ticket: [...TICKETS, 'tickets:write'],
  update_ticket: [...TICKETS, 'tickets:write'],
  list_users: ['users:read'],
  list_organizations: ['organizations:read'],
  search: ['read'],
  subscribe_tickets: [...TICKETS, 'webhooks:read', 'webhooks:write'],
  sync_directory: ['read'],
  create_user: ['users:read', 'users:write'],
  update_user: ['users:read', 'users:write'],
  suspend_user: ['users:read', 'users:write'],
  manage_groups: ['read', 'write'],
  end_sessions: ['read', 'write'],
});
/** Where nothing is allowed yet, and for operations that the table does not name. */
const EVERYTHING_READ = ['read'];
const EVERYTHING = ['read', 'write'];
/** To see who is connected. */
const ALWAYS = ['users:read'];

/** The scopes to ask for where these operations are allowed, in order. */
export function scopesFor(operations: Iterable<string>): readonly string[] {
  const names = [...operations];
  const needed = new Set(
    names.length === 0
      ? EVERYTHING_READ
      : [
          ...ALWAYS,
          ...names.flatMap((name) => (Object.hasOwn(SCOPES, name) ? SCOPES[name] : EVERYTHING) ?? []),
        ],
  );
  return [...needed].filter((scope) => !isCovered(scope, needed)).toSorted();
}

/** Those of `wanted` that `granted` does not give. */
export function missingScopes(wanted: readonly string[], granted: Iterable<string>): readonly string[] {
  const given = new Set(granted);
  return wanted.filter((scope) => !given.has(scope) && !isCovered(scope, given));
}

/** Whether a scope of one resource is part of a general one. */
function isCovered(scope: string, given: ReadonlySet<string>): boolean {
  const [, access] = scope.split(':');
  return access !== undefined && given.has(access);
}
