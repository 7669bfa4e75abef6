/** Which agents belong to which groups. One of an agent's groups is the default: the user's `defaultGroupId`. */
import type { GroupMembershipRow, UserRow } from './records.ts';
import type { UserStore } from './user-store.ts';

const FIRST_MEMBERSHIP_ID = 6_130_907_600_001;

export class GroupMemberships {
  readonly #rows = new Map<number, GroupMembershipRow>();
  readonly #people: UserStore;
  #sequence = 0;

  /** `groupIds`: with more than one, every third agent belongs to a second group. */
  constructor(people: UserStore, groupIds: readonly number[]) {
    this.#people = people;
    let staff = 0;
    for (const user of people.rows) {
      if (user.role === 'end-user' || user.defaultGroupId === null) continue;
      this.#insert(user, user.defaultGroupId, user.createdAt);
      staff += 1;
      const second = groupIds[staff % groupIds.length];
      if (staff % 3 === 0 && second !== undefined && second !== user.defaultGroupId) {
        this.#insert(user, second, user.createdAt);
      }
    }
  }

  #insert(user: UserRow, groupId: number, now: number): GroupMembershipRow {
    const row = {
      id: FIRST_MEMBERSHIP_ID + this.#sequence,
      userId: user.id,
      groupId,
      createdAt: Math.floor(now / 1000) * 1000,
    };
    this.#sequence += 1;
    this.#rows.set(row.id, row);
    return row;
  }

  /** By ascending id. */
  get rows(): readonly GroupMembershipRow[] {
    return [...this.#rows.values()];
  }

  get(id: number): GroupMembershipRow | null {
    return this.#rows.get(id) ?? null;
  }

  of(userId: number): readonly GroupMembershipRow[] {
    return this.rows.filter((row) => row.userId === userId);
  }

  find(userId: number, groupId: number): GroupMembershipRow | null {
    return this.of(userId).find((row) => row.groupId === groupId) ?? null;
  }

  /** The membership there is or a new one; the first of an agent, and one that is to be, becomes the default. */
  join(user: UserRow, groupId: number, asDefault: boolean, now: number): GroupMembershipRow {
    const row = this.find(user.id, groupId) ?? this.#insert(user, groupId, now);
    if ((asDefault || user.defaultGroupId === null) && user.defaultGroupId !== groupId) {
      this.#people.update(user, { defaultGroupId: groupId }, now);
    }
    return row;
  }

  /** Ends a membership; when it was the default one, the agent's oldest other group takes over. */
  leave(row: GroupMembershipRow, now: number): void {
    this.#rows.delete(row.id);
    const user = this.#people.get(row.userId);
    if (user?.defaultGroupId !== row.groupId) return;
    this.#people.update(user, { defaultGroupId: this.of(user.id)[0]?.groupId ?? null }, now);
  }

  /** Ends all of an agent's memberships. */
  leaveAll(user: UserRow): void {
    for (const row of this.of(user.id)) this.#rows.delete(row.id);
  }
}
