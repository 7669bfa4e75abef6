/** What a plan is made of: people and the account as they are in Zendesk. Ids are Zendesk's. */

export const PERSON_ROLES = ['end-user', 'agent', 'admin'] as const;
export type PersonRole = (typeof PERSON_ROLES)[number];

export interface Person {
  readonly id: number;
  readonly name: string | null;
  /** The primary address, in lower case. */
  readonly email: string | null;
  readonly role: PersonRole;
  /** `null` where the role is not a custom one. */
  readonly customRoleId: number | null;
  readonly externalId: string | null;
  readonly organizationId: number | null;
  readonly suspended: boolean;
  /** `false` for a deleted person. */
  readonly active: boolean;
  /** Ascending; empty of who is not staff. */
  readonly groupIds: readonly number[];
  /** `null` where there is none, or the person is not staff. */
  readonly defaultGroupId: number | null;
  /** Tickets of the person that are not solved; `null` where nobody asked. It moves all the time. */
  readonly openTickets: number | null;
}

export interface Account {
  /** `null` where Zendesk does not tell. */
  readonly ownerId: number | null;
  /** The person behind the credential; `null` where Zendesk does not tell. */
  readonly connectedId: number | null;
  /** Whom an integration of the account names for emergencies. */
  readonly breakGlassIds: ReadonlySet<number>;
  /** Names of the groups that are there. */
  readonly groups: ReadonlyMap<number, string>;
  /** Names of the custom roles that are there; `null` where nobody asked. */
  readonly customRoles: ReadonlyMap<number, string> | null;
  /** Agents and admins; `null` where Zendesk does not tell. It moves with others' changes. */
  readonly staff: number | null;
}

/** Whether the role takes a seat. */
export function isStaff({ role }: Pick<Person, 'role'>): boolean {
  return role !== 'end-user';
}
