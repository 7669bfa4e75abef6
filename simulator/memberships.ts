/** Memberships of groups, which can be changed, and of organizations, which follow from the user's organization. */
import { FIRST_ORGANIZATION_ID, FIRST_USER_ID } from './account.ts';
import { bodyObject, type Call, idParam } from './call.ts';
import { failedItem, jobQueued } from './jobs.ts';
import { type Order, pageByCursor, pageByOffset, wantsCursor } from './pagination.ts';
import { isoTime } from './people-view.ts';
import type { GroupMembershipRow, UserRow } from './records.ts';
import { coded, empty, invalidAttribute, json, Refusal, type Reply, recordNotFound } from './reply.ts';
import { listParam } from './tickets.ts';
import { isRecord, Validation } from './validation.ts';

const MAX_MANY = 100;
const FIRST_ORGANIZATION_MEMBERSHIP_ID = 6_160_000_000_000;
/** More than there are organizations. */
const ORGANIZATION_STRIDE = 1024;

interface Identified {
  readonly id: number;
}

const byId = <T extends Identified>(): Order<T> => ({
  name: 'id',
  descending: false,
  key: (row) => row.id,
  id: (row) => row.id,
});

const listOf = <T extends Identified>(
  call: Call,
  name: string,
  rows: readonly T[],
  view: (call: Call, row: T) => object,
): Reply => {
  const page = wantsCursor(call.query) ? pageByCursor(call, rows, byId<T>()) : pageByOffset(call, rows);
  return json(200, { [name]: page.rows.map((row) => view(call, row)), ...page.fields });
};

const groupMembershipView = (call: Call, row: GroupMembershipRow): object => ({
  id: row.id,
  url: `${call.origin}/api/v2/group_memberships/${row.id}.json`,
  user_id: row.userId,
  group_id: row.groupId,
  default: call.world.store.user(row.userId)?.defaultGroupId === row.groupId,
  created_at: isoTime(row.createdAt),
  updated_at: isoTime(row.createdAt),
});

const listGroupRows = (call: Call, rows: readonly GroupMembershipRow[]): Reply =>
  listOf(call, 'group_memberships', rows, groupMembershipView);

const userOfPath = (call: Call): UserRow => {
  const user = call.world.store.user(idParam(call));
  if (!user) throw recordNotFound();
  return user;
};

export const listGroupMemberships = (call: Call): Reply =>
  listGroupRows(call, call.world.store.memberships.rows);

export const listUserGroupMemberships = (call: Call): Reply =>
  listGroupRows(call, call.world.store.memberships.of(userOfPath(call).id));

export const listMembershipsOfGroup = (call: Call): Reply => {
  const id = idParam(call);
  if (!call.world.store.group(id)) throw recordNotFound();
  return listGroupRows(
    call,
    call.world.store.memberships.rows.filter((row) => row.groupId === id),
  );
};

const membershipOfPath = (call: Call, index = 0): GroupMembershipRow => {
  const row = call.world.store.memberships.get(idParam(call, index));
  if (!row) throw recordNotFound();
  return row;
};

export const showGroupMembership = (call: Call): Reply =>
  json(200, { group_membership: groupMembershipView(call, membershipOfPath(call)) });

/** Throws Refusal 422 unless it names staff, a group, and a membership there is not yet. */
const join = (call: Call, input: Readonly<Record<string, unknown>>): GroupMembershipRow => {
  const { store, clock, messages } = call.world;
  const validation = new Validation(messages);
  const userId = Number(input['user_id']);
  const groupId = Number(input['group_id']);
  const user = store.user(userId);
  const staff = user?.active === true && user.role !== 'end-user' ? user : null;
  if (!staff) validation.invalid('user_id', 'User', input['user_id']);
  if (!store.group(groupId)) validation.invalid('group_id', 'Group', input['group_id']);
  if (store.memberships.find(userId, groupId)) {
    validation.add('user_id', {
      description: messages.duplicate('User', String(userId)),
      error: 'DuplicateValue',
    });
  }
  validation.assertValid();
  if (!staff) throw recordNotFound();
  return store.memberships.join(staff, groupId, input['default'] === true, clock.now());
};

export const createGroupMembership = (call: Call): Reply => {
  const row = join(call, bodyObject(call, 'group_membership'));
  return json(201, { group_membership: groupMembershipView(call, row) });
};

export const deleteGroupMembership = (call: Call): Reply => {
  call.world.store.memberships.leave(membershipOfPath(call), call.world.clock.now());
  return empty(204);
};

/** `/users/{id}/group_memberships/{id}`. */
export const deleteUserGroupMembership = (call: Call): Reply => {
  const row = membershipOfPath(call, 1);
  if (row.userId !== idParam(call)) throw recordNotFound();
  call.world.store.memberships.leave(row, call.world.clock.now());
  return empty(204);
};

export const makeDefaultGroupMembership = (call: Call): Reply => {
  const { store, clock } = call.world;
  const row = membershipOfPath(call, 1);
  const user = userOfPath(call);
  if (row.userId !== user.id) throw recordNotFound();
  store.memberships.join(user, row.groupId, true, clock.now());
  return listUserGroupMemberships(call);
};

/** What one item of a job came to. */
const resultOf = (index: number, work: () => object): object => {
  try {
    return { index, ...work() };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { index, ...failedItem(error.reply, 'GroupMembershipCreateFailed') };
  }
};

export const createManyGroupMemberships = (call: Call): Reply => {
  const inputs = isRecord(call.body) ? call.body['group_memberships'] : undefined;
  if (!Array.isArray(inputs)) throw invalidAttribute('group_memberships', 'is required', 'group_memberships');
  if (inputs.length > MAX_MANY) {
    const text = `Parameter  cannot specify more than ${MAX_MANY} values`;
    throw new Refusal(coded(400, 'TooManyValues', text, { max_count: MAX_MANY }));
  }
  const results = inputs.map((input: unknown, index) =>
    resultOf(index, () => ({ id: join(call, isRecord(input) ? input : {}).id, status: 'Created' })),
  );
  return jobQueued(call, 'Bulk Create Group Membership', results.length, results);
};

export const deleteManyGroupMemberships = (call: Call): Reply => {
  const { store, clock } = call.world;
  const results = listParam(call, 'ids').map((text, index) => {
    const row = store.memberships.get(Number(text));
    if (!row) return { index, id: Number(text), error: 'RecordNotFound', details: 'Not found' };
    store.memberships.leave(row, clock.now());
    return { index, id: row.id, action: 'destroy', success: true, status: 'Deleted' };
  });
  return jobQueued(call, 'Bulk Delete Group Membership', results.length, results);
};

interface OrganizationMembership extends Identified {
  readonly user: UserRow;
  readonly organizationId: number;
}

/** The one membership that follows from the user's organization; another organization gives another id. */
const organizationMembershipOf = (user: UserRow): OrganizationMembership | null => {
  const { organizationId, active } = user;
  if (organizationId === null || !active) return null;
  const place = ((user.id - FIRST_USER_ID) / 7) * ORGANIZATION_STRIDE;
  const id = FIRST_ORGANIZATION_MEMBERSHIP_ID + place + (organizationId - FIRST_ORGANIZATION_ID) / 3;
  return { id, user, organizationId };
};

const organizationMembershipView = (call: Call, row: OrganizationMembership): object => ({
  id: row.id,
  url: `${call.origin}/api/v2/organization_memberships/${row.id}.json`,
  user_id: row.user.id,
  organization_id: row.organizationId,
  organization_name: call.world.store.organization(row.organizationId)?.name ?? null,
  default: true,
  view_tickets: true,
  created_at: isoTime(row.user.createdAt),
  updated_at: isoTime(row.user.updatedAt),
});

export const listOrganizationMemberships = (call: Call): Reply => {
  const { store } = call.world;
  const rows = store.cached('organization-memberships', () =>
    store.users.map(organizationMembershipOf).filter((row) => row !== null),
  );
  return listOf(call, 'organization_memberships', rows, organizationMembershipView);
};

export const listUserOrganizationMemberships = (call: Call): Reply => {
  const row = organizationMembershipOf(userOfPath(call));
  return listOf(call, 'organization_memberships', row ? [row] : [], organizationMembershipView);
};
