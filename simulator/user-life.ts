/** What a user's changes bring with them: groups come and go with the role, open tickets are handed on. */
import type { World } from './call.ts';
import type { UserRow } from './records.ts';

/**
 * Open tickets that nobody moved before their agent left go to the acting admin, else to the lowest-id agent of
 * the group; solved and closed ones keep their assignee.
 */
const handOnTickets = (world: World, user: UserRow, actor: UserRow): void => {
  const { store, clock } = world;
  const heirs = new Map<number, number | null>();
  const heirOf = (groupId: number | null): number | null => {
    if (actor.role === 'admin' && actor.id !== user.id) return actor.id;
    if (groupId === null) return null;
    const known = heirs.get(groupId);
    if (known !== undefined) return known;
    const ids = store.memberships.rows
      .filter((row) => row.groupId === groupId && row.userId !== user.id)
      .map((row) => row.userId);
    const heir = ids.length === 0 ? null : Math.min(...ids);
    heirs.set(groupId, heir);
    return heir;
  };
  for (const row of store.tickets) {
    if (row.assigneeId !== user.id || row.deletedAt !== null) continue;
    if (row.status === 'solved' || row.status === 'closed') continue;
    const changes = { assigneeId: heirOf(row.groupId) };
    store.changeTicket(row, { action: 'updated', actorId: actor.id, changes }, clock.now());
  }
};

/** Applies checked changes to a user, with what follows from another role. */
export const changeUser = (world: World, user: UserRow, fields: Partial<UserRow>, actor: UserRow): void => {
  const { store, clock } = world;
  const now = clock.now();
  const { defaultGroupId, ...rest } = fields;
  const leaves = user.role !== 'end-user' && rest.role === 'end-user';
  store.updateUser(user, leaves ? { ...rest, customRoleId: null, defaultGroupId: null } : rest, now);
  if (user.role === 'end-user') {
    if (!leaves) return;
    handOnTickets(world, user, actor);
    store.memberships.leaveAll(user);
    return;
  }
  // Staff belong to a group, by default to the account's first one.
  const group = defaultGroupId ?? (user.defaultGroupId === null ? store.groups[0]?.id : undefined);
  if (group !== undefined) store.memberships.join(user, group, true, now);
};

/** Deletes a user, which can't be undone; the permanent deletion takes the personal data as well. */
export const deleteUserRow = (world: World, user: UserRow, actor: UserRow): void => {
  const { store, clock } = world;
  if (user.role !== 'end-user') handOnTickets(world, user, actor);
  store.memberships.leaveAll(user);
  store.sessions.endAll(user);
  store.people.dropIdentities(user, clock.now());
  store.updateUser(user, { active: false, defaultGroupId: null }, clock.now());
};

export const scrubUserRow = (world: World, user: UserRow): void => {
  const { store, clock } = world;
  const gone = {
    name: 'Permanently Deleted User',
    email: null,
    phone: null,
    externalId: null,
    notes: null,
    details: null,
    tags: [],
    alias: '',
    organizationId: null,
    lastLoginAt: null,
    scrubbed: true,
  };
  store.updateUser(user, gone, clock.now());
};
