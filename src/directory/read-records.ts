/** Records as Zendesk sends them, reduced to what the directory keeps. The reading is tolerant: what is missing is null. */
import type { JsonObject, JsonValue } from '../base/index.ts';
import type { DirectoryUserFacts, PersonalTexts } from './directory-user.ts';
import type { Membership } from './memberships.ts';
import type { NamedTexts } from './named-entries.ts';

export interface ReadUser {
  readonly facts: DirectoryUserFacts;
  readonly texts: PersonalTexts;
}

export interface ReadNamed {
  readonly zendeskId: number;
  readonly texts: NamedTexts;
}

/** Of a text: longer ones are cut, since a directory needs none. */
const MAX_CHARACTERS = 1_000;
const MAX_ROLE_TYPE = 32_767;
const ROLE = /^[a-z-]{1,32}$/;

/** The id of a record's user; `null` where there is no user in it. */
export function userIdOf(record: JsonObject): number | null {
  return roleOf(record) === null ? null : wholeOf(record['id']);
}

/** The user of a record; `null` where it has no id or no role. */
export function readUser(record: JsonObject): ReadUser | null {
  const zendeskId = wholeOf(record['id']);
  const role = roleOf(record);
  if (zendeskId === null || role === null) return null;
  const isDeleted = record['active'] === false;
  const isSuspended = record['suspended'] === true;
  const twoFactor = record['two_factor_auth_enabled'];
  const roleType = wholeOf(record['role_type']);
  return {
    facts: {
      zendeskId,
      role,
      roleType: roleType === null || roleType > MAX_ROLE_TYPE ? null : roleType,
      customRoleId: wholeOf(record['custom_role_id']),
      status: isDeleted ? 'DELETED' : isSuspended ? 'SUSPENDED' : 'ACTIVE',
      organizationId: wholeOf(record['organization_id']),
      defaultGroupId: wholeOf(record['default_group_id']),
      hasTwoFactor: typeof twoFactor === 'boolean' ? twoFactor : null,
      lastSeenAt: timeOf(record['last_login_at']),
      createdAt: timeOf(record['created_at']),
      updatedAt: timeOf(record['updated_at']),
    },
    texts: {
      name: textOf(record['name']),
      email: textOf(record['email']),
      phone: textOf(record['phone']),
      externalId: textOf(record['external_id']),
    },
  };
}

/** The group, organization or custom role of a record; `null` where it has no id or is deleted. */
export function readNamed(record: JsonObject): ReadNamed | null {
  const zendeskId = wholeOf(record['id']);
  if (zendeskId === null || record['deleted'] === true) return null;
  return {
    zendeskId,
    texts: { name: textOf(record['name']), description: textOf(record['description']) },
  };
}

/** The membership of a record; `null` where it lacks an id. */
export function readMembership(record: JsonObject): Membership | null {
  const zendeskId = wholeOf(record['id']);
  const userId = wholeOf(record['user_id']);
  const groupId = wholeOf(record['group_id']);
  if (zendeskId === null || userId === null || groupId === null) return null;
  return { zendeskId, userId, groupId, isDefault: record['default'] === true };
}

function roleOf(record: JsonObject): string | null {
  const role = record['role'];
  return typeof role === 'string' && ROLE.test(role) ? role : null;
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_CHARACTERS) : null;
}

function wholeOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function timeOf(value: JsonValue | undefined): Date | null {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? null : new Date(time);
}
