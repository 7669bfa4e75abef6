/**
 * Changes users from outside the API: for tests and demos that play the account's other admins. Every change
 * runs through the API's own handler as the account's owner; it draws from no limit and is not in the request
 * log.
 */
import type { Handler, World } from './call.ts';
import { createDeskCall } from './desk-call.ts';
import { createGroupMembership, deleteGroupMembership } from './memberships.ts';
import { userView } from './people-view.ts';
import type { Reply } from './reply.ts';
import { createUser, deleteUser, scrubUser, updateUser } from './user-write.ts';

type Fields = Readonly<Record<string, unknown>>;

export class UserDesk {
  readonly #world: () => World;
  readonly #origin: () => string;

  constructor(world: () => World, origin: () => string) {
    this.#world = world;
    this.#origin = origin;
  }

  #run(handler: Handler, method: string, params: readonly number[], body?: unknown): Reply {
    const world = this.#world();
    const owner = world.store.user(world.ownerId);
    if (!owner) throw new RangeError('the account has no owner');
    return handler(
      createDeskCall(world, this.#origin(), owner, { method, path: '/api/v2/users', params, body }),
    );
  }

  /** `fields` as in `{"user":{…}}` of the API; answers as the API does, refusals included. */
  create(fields: Fields): Reply {
    return this.#run(createUser, 'POST', [], { user: fields });
  }

  change(id: number, fields: Fields): Reply {
    return this.#run(updateUser, 'PUT', [id], { user: fields });
  }

  delete(id: number): Reply {
    return this.#run(deleteUser, 'DELETE', [id]);
  }

  /** Deletes for good, whether the user is deleted already or not. */
  scrub(id: number): Reply {
    if (this.#world().store.user(id)?.active) this.delete(id);
    return this.#run(scrubUser, 'DELETE', [id]);
  }

  join(userId: number, groupId: number): Reply {
    const membership = { user_id: userId, group_id: groupId };
    return this.#run(createGroupMembership, 'POST', [], { group_membership: membership });
  }

  leave(userId: number, groupId: number): Reply {
    const row = this.#world().store.memberships.find(userId, groupId);
    if (!row) throw new RangeError(`user ${userId} is not in group ${groupId}`);
    return this.#run(deleteGroupMembership, 'DELETE', [row.id]);
  }

  /** Begins a session and moves the last login; the user's other times stay. Returns the session's id. */
  signIn(id: number): number {
    const { store, clock } = this.#world();
    const user = store.user(id);
    if (!user) throw new RangeError(`"id" must be that of a user, got ${id}`);
    const session = store.sessions.begin(user, clock.now());
    store.updateUser(user, { lastLoginAt: session.authenticatedAt }, null);
    return session.id;
  }

  /** The user's JSON as it is now, deleted or not; null when there is none of this id. */
  current(id: number): Record<string, unknown> | null {
    const user = this.#world().store.user(id);
    return user && userView(user, this.#origin());
  }
}
