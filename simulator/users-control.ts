/** The `users` member of an open simulator: the stored rows to look at, and the desk that changes them. */
import type { World } from './call.ts';
import { assertDone, createdId } from './desk-answers.ts';
import { seatsUsed } from './seats.ts';
import type { UsersControl } from './simulator.ts';
import type { UserDesk } from './user-desk.ts';

/** `world` is looked up at every use, since a reset replaces it. */
export const createUsersControl = (world: () => World, desk: UserDesk): UsersControl => {
  const userOf = (id: number) => {
    const user = world().store.user(id);
    if (!user) throw new RangeError(`"id" must be that of a user, got ${id}`);
    return user;
  };
  return {
    get count() {
      return world().store.users.length;
    },
    get ownerId() {
      return world().ownerId;
    },
    get seatsUsed() {
      return seatsUsed(world().store.users);
    },
    get: (id) => world().store.user(id),
    byEmail: (email) => world().store.userByEmail(email),
    current: (id) => desk.current(id),
    groupIds: (id) =>
      world()
        .store.memberships.of(id)
        .map((row) => row.groupId),
    sessionIds: (id) =>
      world()
        .store.sessions.of(userOf(id))
        .map((row) => row.id),
    update: (id, changes) => {
      world().store.updateUser(userOf(id), changes, world().clock.now());
    },
    create: (fields) =>
      createdId(
        assertDone(() => desk.create(fields)),
        'user',
      ),
    change: (id, fields) => {
      assertDone(() => desk.change(id, fields));
    },
    delete: (id) => {
      assertDone(() => desk.delete(id));
    },
    scrub: (id) => {
      assertDone(() => desk.scrub(id));
    },
    join: (id, groupId) => {
      assertDone(() => desk.join(id, groupId));
    },
    leave: (id, groupId) => {
      assertDone(() => desk.leave(id, groupId));
    },
    signIn: (id) => desk.signIn(id),
  };
};
