/** Users, organizations and groups: lists, show, show_many, user search, `/users/me`. */
import { randomBytes } from 'node:crypto';
import { type Call, idParam } from './call.ts';
import { type Order, pageByCursor, pageByOffset, wantsCursor } from './pagination.ts';
import { anonymousView, groupView, isoTime, organizationView, userView } from './people-view.ts';
import type { OrganizationRow, UserRow } from './records.ts';
import { json, type Reply, recordNotFound } from './reply.ts';
import { matchUsers } from './search.ts';
import { listParam } from './tickets.ts';

interface Identified {
  readonly id: number;
}

const byId = <T extends Identified>(query: URLSearchParams): Order<T> => ({
  name: 'id',
  descending: query.get('sort') === '-id',
  key: (row) => row.id,
  id: (row) => row.id,
});

const listRows = <T extends Identified>(
  call: Call,
  name: string,
  rows: readonly T[],
  view: (row: T, origin: string) => unknown,
): Reply => {
  const order = byId<T>(call.query);
  const sorted = order.descending ? rows.toReversed() : rows;
  const page = wantsCursor(call.query) ? pageByCursor(call, sorted, order) : pageByOffset(call, sorted);
  return json(200, { [name]: page.rows.map((row) => view(row, call.origin)), ...page.fields });
};

export const showMe = (call: Call): Reply => {
  if (call.caller.kind === 'anonymous') return json(200, { user: anonymousView(call.origin) });
  const token = randomBytes(24).toString('base64');
  return json(200, { user: { ...userView(call.caller.user, call.origin), authenticity_token: token } });
};

/** What `role`, `role[]`, `permission_set` and `external_id` leave of the users who aren't deleted. */
const filteredUsers = (call: Call): readonly UserRow[] => {
  const { store } = call.world;
  const roles = [...call.query.getAll('role'), ...call.query.getAll('role[]')];
  const externalId = call.query.get('external_id')?.toLowerCase();
  const permissionSet = call.query.get('permission_set');
  return store.cached(`users:${roles.join()}:${permissionSet}:${externalId}`, () =>
    store.users.filter(
      (user) =>
        user.active &&
        (roles.length === 0 || roles.includes(user.role)) &&
        (permissionSet === null || String(user.customRoleId) === permissionSet) &&
        (externalId === undefined || user.externalId?.toLowerCase() === externalId),
    ),
  );
};

export const listUsers = (call: Call): Reply => listRows(call, 'users', filteredUsers(call), userView);

export const listGroupUsers = (call: Call): Reply => {
  const id = idParam(call);
  const { store } = call.world;
  if (!store.group(id)) throw recordNotFound();
  const members = new Set(
    store.memberships.rows.filter((row) => row.groupId === id).map((row) => row.userId),
  );
  return listRows(
    call,
    'users',
    store.users.filter((user) => user.active && members.has(user.id)),
    userView,
  );
};

export const listOrganizationUsers = (call: Call): Reply => {
  const id = idParam(call);
  if (!call.world.store.organization(id)) throw recordNotFound();
  return listRows(
    call,
    'users',
    call.world.store.users.filter((user) => user.active && user.organizationId === id),
    userView,
  );
};

export const countUsers = (call: Call): Reply => {
  const value = filteredUsers(call).length;
  return json(200, { count: { value, refreshed_at: isoTime(call.world.clock.now()) } });
};

export const showUser = (call: Call): Reply => {
  const user = call.world.store.user(idParam(call));
  if (!user) throw recordNotFound();
  return json(200, { user: userView(user, call.origin) });
};

/** By `ids` or `external_ids`; unknown ones are missing from the answer. */
const selectMany = <T extends Identified & { readonly externalId: string | null }>(
  call: Call,
  rows: readonly T[],
): T[] => {
  const ids = new Set(listParam(call, 'ids').map(Number));
  const externalIds = new Set(listParam(call, 'external_ids').map((id) => id.toLowerCase()));
  return rows.filter(
    (row) => ids.has(row.id) || (row.externalId !== null && externalIds.has(row.externalId.toLowerCase())),
  );
};

const many = (name: string, rows: readonly unknown[]): Reply =>
  json(200, { [name]: rows, count: rows.length, next_page: null, previous_page: null });

export const showManyUsers = (call: Call): Reply =>
  many(
    'users',
    selectMany(call, call.world.store.users).map((user) => userView(user, call.origin)),
  );

/** `query=` in search syntax (`email:`, `name:`, plain words) or `external_id=`. */
export const searchUsers = (call: Call): Reply => {
  const externalId = call.query.get('external_id')?.toLowerCase();
  const rows =
    externalId !== undefined
      ? call.world.store.users.filter((user) => user.active && user.externalId?.toLowerCase() === externalId)
      : matchUsers(call, call.query.get('query') ?? '');
  const page = pageByOffset(call, rows);
  return json(200, { users: page.rows.map((user) => userView(user, call.origin)), ...page.fields });
};

export const listOrganizations = (call: Call): Reply =>
  listRows<OrganizationRow>(call, 'organizations', call.world.store.organizations, organizationView);

/** By `external_id` or `name`, exactly but for case. */
export const searchOrganizations = (call: Call): Reply => {
  const externalId = call.query.get('external_id')?.toLowerCase();
  const name = call.query.get('name')?.toLowerCase();
  const rows = call.world.store.organizations.filter((row) =>
    externalId === undefined ? row.name.toLowerCase() === name : row.externalId?.toLowerCase() === externalId,
  );
  return listRows<OrganizationRow>(call, 'organizations', rows, organizationView);
};

export const listUserOrganizations = (call: Call): Reply => {
  const user = call.world.store.user(idParam(call));
  if (!user) throw recordNotFound();
  const rows = call.world.store.organizations.filter((row) => row.id === user.organizationId);
  return listRows<OrganizationRow>(call, 'organizations', rows, organizationView);
};

export const showOrganization = (call: Call): Reply => {
  const organization = call.world.store.organization(idParam(call));
  if (!organization) throw recordNotFound();
  return json(200, { organization: organizationView(organization, call.origin) });
};

export const showManyOrganizations = (call: Call): Reply =>
  many(
    'organizations',
    selectMany(call, call.world.store.organizations).map((row) => organizationView(row, call.origin)),
  );

export const listGroups = (call: Call): Reply => listRows(call, 'groups', call.world.store.groups, groupView);

export const showGroup = (call: Call): Reply => {
  const group = call.world.store.group(idParam(call));
  if (!group) throw recordNotFound();
  return json(200, { group: groupView(group, call.origin) });
};
