/** The JSON of users, organizations and groups with the fields that real answers carry. */
import { customRole, roleTypeOf } from './custom-roles.ts';
import type { SideLoads } from './options.ts';
import type { GroupRow, OrganizationRow, UserRow } from './records.ts';

/** `2026-04-22T06:32:35Z`. */
export const isoTime = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z');

const optionalTime = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : isoTime(milliseconds);

export const userView = (user: UserRow, origin: string): Record<string, unknown> => ({
  id: user.id,
  url: `${origin}/api/v2/users/${user.id}.json`,
  name: user.name,
  email: user.email,
  created_at: isoTime(user.createdAt),
  updated_at: isoTime(user.updatedAt),
  time_zone: 'UTC',
  iana_time_zone: 'Etc/UTC',
  phone: user.phone,
  shared_phone_number: user.phone === null ? null : false,
  photo: null,
  locale_id: user.locale === 'de' ? 8 : 1,
  locale: user.locale,
  organization_id: user.organizationId,
  role: user.role,
  verified: user.verified,
  external_id: user.externalId,
  tags: user.tags,
  alias: user.alias,
  active: user.active,
  shared: false,
  shared_agent: false,
  last_login_at: optionalTime(user.lastLoginAt),
  two_factor_auth_enabled: user.role === 'end-user' ? null : user.twoFactor,
  signature: user.role === 'end-user' ? null : '',
  details: user.details ?? '',
  notes: user.notes ?? '',
  role_type: roleTypeOf(user),
  custom_role_id: user.role === 'end-user' ? null : user.customRoleId,
  moderator: user.role !== 'end-user',
  ticket_restriction: user.role === 'end-user' ? 'requested' : null,
  only_private_comments: customRole(user.customRoleId)?.roleType === 1,
  restricted_agent: user.role !== 'admin',
  suspended: user.suspended,
  default_group_id: user.defaultGroupId,
  report_csv: user.role === 'admin',
  user_fields: {},
});

/** What `/users/me` answers to callers without a valid login: status 200 all the same. */
export const anonymousView = (origin: string): Record<string, unknown> => ({
  id: null,
  url: `${origin}/api/v2/users/.json`,
  name: 'Anonymous user',
  email: 'invalid@example.com',
  created_at: null,
  updated_at: null,
  time_zone: 'UTC',
  iana_time_zone: 'Etc/UTC',
  phone: null,
  shared_phone_number: null,
  photo: null,
  locale_id: 1,
  locale: 'en-US',
  organization_id: null,
  role: 'end-user',
  verified: false,
  external_id: null,
  tags: [],
  active: false,
  suspended: false,
  default_group_id: null,
  user_fields: {},
});

export const organizationView = (organization: OrganizationRow, origin: string): Record<string, unknown> => ({
  id: organization.id,
  url: `${origin}/api/v2/organizations/${organization.id}.json`,
  name: organization.name,
  shared_tickets: false,
  shared_comments: false,
  external_id: organization.externalId,
  created_at: isoTime(organization.createdAt),
  updated_at: isoTime(organization.updatedAt),
  domain_names: [organization.domain],
  details: organization.details,
  notes: null,
  group_id: null,
  tags: organization.tags,
  organization_fields: {},
});

const PARTIAL_USER = ['id', 'url', 'name', 'email', 'photo', 'role', 'organization_id', 'active'];
const PARTIAL_ORGANIZATION = ['id', 'url', 'name', 'external_id'];

const only = (view: Record<string, unknown>, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(view).filter(([name]) => names.includes(name)));

/** A user as it comes along with other records. */
export const sideLoadedUser = (user: UserRow, origin: string, mode: SideLoads): Record<string, unknown> =>
  mode === 'whole' ? userView(user, origin) : only(userView(user, origin), PARTIAL_USER);

/** An organization as it comes along with other records. */
export const sideLoadedOrganization = (
  organization: OrganizationRow,
  origin: string,
  mode: SideLoads,
): Record<string, unknown> =>
  mode === 'whole'
    ? organizationView(organization, origin)
    : only(organizationView(organization, origin), PARTIAL_ORGANIZATION);

export const groupView = (group: GroupRow, origin: string): Record<string, unknown> => ({
  id: group.id,
  url: `${origin}/api/v2/groups/${group.id}.json`,
  is_public: true,
  name: group.name,
  description: group.description,
  default: group.name === 'Support',
  deleted: false,
  created_at: isoTime(group.createdAt),
  updated_at: isoTime(group.updatedAt),
});
