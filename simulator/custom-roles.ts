/** The account's custom roles: what there is besides plain agents and admins, and what each may do with users. */
import type { UserRow } from './records.ts';

export const TEAM_LEAD_ROLE_ID = 6_130_907_290_001;
export const LIGHT_AGENT_ROLE_ID = 6_130_907_290_002;
export const CONTRIBUTOR_ROLE_ID = 6_130_907_290_003;
export const READ_ONLY_ROLE_ID = 6_130_907_290_004;
export const BILLING_ROLE_ID = 6_130_907_290_005;

export interface CustomRole {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  /** 0 custom agent, 1 light agent, 3 contributor, 5 billing admin. */
  readonly roleType: 0 | 1 | 3 | 5;
  /** The `role` its holders have. */
  readonly role: 'agent' | 'admin';
  /** May create and edit end users. */
  readonly editsCustomers: boolean;
  /** May create and edit staff, but no admins. */
  readonly editsStaff: boolean;
}

export const CUSTOM_ROLES: readonly CustomRole[] = [
  {
    id: TEAM_LEAD_ROLE_ID,
    name: 'Team lead',
    description: 'Leads a team and hands out its access.',
    roleType: 0,
    role: 'agent',
    editsCustomers: true,
    editsStaff: true,
  },
  {
    id: LIGHT_AGENT_ROLE_ID,
    name: 'Light agent',
    description: 'Can view and add private comments to tickets.',
    roleType: 1,
    role: 'agent',
    editsCustomers: false,
    editsStaff: false,
  },
  {
    id: CONTRIBUTOR_ROLE_ID,
    name: 'Contributor',
    description: 'Can provide limited support.',
    roleType: 3,
    role: 'agent',
    editsCustomers: false,
    editsStaff: false,
  },
  {
    id: READ_ONLY_ROLE_ID,
    name: 'Auditor',
    description: 'Sees everything and changes nothing.',
    roleType: 0,
    role: 'agent',
    editsCustomers: false,
    editsStaff: false,
  },
  {
    id: BILLING_ROLE_ID,
    name: 'Billing admin',
    description: 'Can manage all settings and the account billing.',
    roleType: 5,
    role: 'admin',
    editsCustomers: true,
    editsStaff: true,
  },
];

export const customRole = (id: number | null): CustomRole | null =>
  id === null ? null : (CUSTOM_ROLES.find((role) => role.id === id) ?? null);

/** `role_type` as callers see it: null for end users and for agents without a custom role. */
export const roleTypeOf = (user: UserRow): number | null => {
  if (user.role === 'end-user') return null;
  return customRole(user.customRoleId)?.roleType ?? (user.role === 'admin' ? 4 : null);
};
