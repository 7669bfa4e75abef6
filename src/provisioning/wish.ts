/** What is wished of one person. Ids are Zendesk's, addresses in lower case. */
import type { PersonRole } from './person.ts';

/** Who gets the tickets of somebody who leaves: an agent, or a group without one. */
export type Heir =
  | { readonly kind: 'AGENT'; readonly userId: number }
  | { readonly kind: 'GROUP'; readonly groupId: number };

export interface ProvisionWish {
  readonly kind: 'PROVISION';
  readonly email: string;
  readonly name: string;
  readonly role: PersonRole;
  readonly customRoleId: number | null;
  /** `null`: left as it is. */
  readonly externalId: string | null;
  readonly organizationId: number | null;
  readonly groupIds: readonly number[];
  readonly defaultGroupId: number | null;
  /** Whether somebody who is there already may be changed. */
  readonly allowExisting: boolean;
  readonly skipVerifyEmail: boolean;
}

export interface ChangeRoleWish {
  readonly kind: 'CHANGE_ROLE';
  readonly userId: number;
  readonly role: PersonRole;
  readonly customRoleId: number | null;
  readonly heir: Heir | null;
}

export interface AssignGroupsWish {
  readonly kind: 'ASSIGN_GROUPS';
  readonly userId: number;
  readonly add: readonly number[];
  readonly remove: readonly number[];
  readonly defaultGroupId: number | null;
}

export interface SuspendWish {
  readonly kind: 'SUSPEND' | 'UNSUSPEND';
  readonly userId: number;
}

export interface DeprovisionWish {
  readonly kind: 'DEPROVISION';
  readonly userId: number;
  readonly heir: Heir | null;
}

export type Wish = ProvisionWish | ChangeRoleWish | AssignGroupsWish | SuspendWish | DeprovisionWish;

/** The person a wish names, `null` where it names an address. */
export function userIdOf(wish: Wish): number | null {
  return wish.kind === 'PROVISION' ? null : wish.userId;
}

export function heirOf(wish: Wish): Heir | null {
  return wish.kind === 'CHANGE_ROLE' || wish.kind === 'DEPROVISION' ? wish.heir : null;
}

/** The groups that a wish names, its heir's too. */
export function groupIdsOf(wish: Wish): readonly number[] {
  const heir = heirOf(wish);
  const inherited = heir?.kind === 'GROUP' ? [heir.groupId] : [];
  switch (wish.kind) {
    case 'PROVISION':
      return [...wish.groupIds, ...(wish.defaultGroupId === null ? [] : [wish.defaultGroupId])];
    case 'ASSIGN_GROUPS':
      return [...wish.add, ...wish.remove, ...(wish.defaultGroupId === null ? [] : [wish.defaultGroupId])];
    case 'CHANGE_ROLE':
    case 'DEPROVISION':
    case 'SUSPEND':
    case 'UNSUSPEND':
      return inherited;
    default:
      return wish satisfies never;
  }
}

/** The custom role that a wish names, or `null`. */
export function customRoleIdOf(wish: Wish): number | null {
  return wish.kind === 'PROVISION' || wish.kind === 'CHANGE_ROLE' ? wish.customRoleId : null;
}
