/** Users, organizations and groups: lists, show, show_many, user search, user creation, `/users/me`. */
import { randomBytes } from 'node:crypto';
import { bodyObject, type Call, idParam, warnUnpermitted } from './call.ts';
import { type Order, pageByCursor, pageByOffset, wantsCursor } from './pagination.ts';
import { anonymousView, groupView, isoTime, organizationView, userView } from './people-view.ts';
import { type OrganizationRow, USER_ROLES, type UserRow } from './records.ts';
import { json, type Reply, recordNotFound } from './reply.ts';
import { matchUsers } from './search.ts';
import { newEndUser } from './ticket-changes.ts';
import { listParam } from './tickets.ts';
import { isStringList, Validation } from './validation.ts';

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

export const listUsers = (call: Call): Reply => {
  const roles = [...call.query.getAll('role'), ...call.query.getAll('role[]')];
  const externalId = call.query.get('external_id')?.toLowerCase();
  const rows = call.world.store.users.filter(
    (user) =>
      user.active &&
      (roles.length === 0 || roles.includes(user.role)) &&
      (externalId === undefined || user.externalId?.toLowerCase() === externalId),
  );
  return listRows(call, 'users', rows, userView);
};

export const listGroupUsers = (call: Call): Reply => {
  const id = idParam(call);
  if (!call.world.store.group(id)) throw recordNotFound();
  return listRows(
    call,
    'users',
    call.world.store.users.filter((user) => user.defaultGroupId === id),
    userView,
  );
};

export const listOrganizationUsers = (call: Call): Reply => {
  const id = idParam(call);
  if (!call.world.store.organization(id)) throw recordNotFound();
  return listRows(
    call,
    'users',
    call.world.store.users.filter((user) => user.organizationId === id),
    userView,
  );
};

export const countUsers = (call: Call): Reply => {
  const value = call.world.store.users.filter((user) => user.active).length;
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
      ? call.world.store.users.filter((user) => user.externalId?.toLowerCase() === externalId)
      : matchUsers(call, call.query.get('query') ?? '');
  const page = pageByOffset(call, rows);
  return json(200, { users: page.rows.map((user) => userView(user, call.origin)), ...page.fields });
};

const USER_KEYS: ReadonlySet<string> = new Set([
  'name',
  'email',
  'role',
  'phone',
  'external_id',
  'organization_id',
  'tags',
  'notes',
  'details',
  'verified',
  'locale',
  'skip_verify_email',
  'identities',
  'user_fields',
  'suspended',
  'default_group_id',
  'time_zone',
  'alias',
]);

export const createUser = (call: Call): Reply => {
  const { store, clock, messages } = call.world;
  const input = bodyObject(call, 'user');
  const validation = new Validation(messages);
  const name = typeof input['name'] === 'string' ? input['name'].trim() : '';
  if (name === '') validation.add('name', { description: messages.tooShort('Name'), error: 'ValueTooShort' });
  const email = typeof input['email'] === 'string' ? input['email'] : null;
  if (email !== null && !/^\S+@\S+\.\S+$/.test(email)) validation.invalid('email', 'Email', email);
  if (email !== null && store.userByEmail(email)) {
    validation.add('email', { description: messages.duplicate('Email', email), error: 'DuplicateValue' });
  }
  const role = USER_ROLES.find((known) => known === (input['role'] ?? 'end-user'));
  if (role === undefined) validation.invalid('role', 'Role', input['role']);
  const organizationId = input['organization_id'];
  if (typeof organizationId === 'number' && !store.organization(organizationId)) {
    validation.invalid('organization_id', 'Organization', organizationId);
  }
  validation.assertValid();
  const text = (key: string): string | null => (typeof input[key] === 'string' ? input[key] : null);
  const tags = input['tags'];
  const fields: Omit<UserRow, 'id'> = {
    ...newEndUser(name, email, clock.now()),
    role: role ?? 'end-user',
    phone: text('phone'),
    externalId: text('external_id'),
    notes: text('notes'),
    details: text('details'),
    verified: input['verified'] === true,
    suspended: input['suspended'] === true,
    organizationId: typeof organizationId === 'number' ? organizationId : null,
    tags: isStringList(tags) ? tags : [],
  };
  const user = store.addUser(fields);
  const ignored = Object.keys(input)
    .filter((key) => !USER_KEYS.has(key))
    .map((key) => `user.${key}`);
  return json(
    201,
    { user: userView(user, call.origin) },
    {
      location: `${call.origin}/api/v2/users/${user.id}.json`,
      ...warnUnpermitted('users', 'create', ignored),
    },
  );
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
