/** Reads the fields of a user write into checked changes of a row. */
import type { Call } from './call.ts';
import { customRole } from './custom-roles.ts';
import { USER_ROLES, type UserRow } from './records.ts';
import { isStringList, type Validation } from './validation.ts';

type Input = Readonly<Record<string, unknown>>;

/** Keys of `{"user":{…}}` that take effect or are at least permitted. */
export const USER_KEYS: ReadonlySet<string> = new Set([
  'name',
  'email',
  'role',
  'custom_role_id',
  'phone',
  'external_id',
  'organization_id',
  'tags',
  'notes',
  'details',
  'verified',
  'locale',
  'skip_verify_email',
  'identities',
  'user_fields',
  'suspended',
  'default_group_id',
  'time_zone',
  'alias',
  'signature',
  'moderator',
  'only_private_comments',
  'restricted_agent',
  'ticket_restriction',
  'remote_photo_url',
]);

export interface UserChanges {
  readonly fields: Partial<UserRow>;
  /** An address the user doesn't have yet. */
  readonly email: string | null;
}

const readName = (input: Input, target: UserRow | null, validation: Validation): string | undefined => {
  if (input['name'] === undefined && target) return undefined;
  const name = typeof input['name'] === 'string' ? input['name'].trim() : '';
  if (name === '') {
    validation.add('name', { description: validation.messages.tooShort('Name'), error: 'ValueTooShort' });
  }
  return name;
};

const readEmail = (
  call: Call,
  input: Input,
  target: UserRow | null,
  validation: Validation,
): string | null => {
  const email = input['email'];
  if (email === undefined || email === null) return null;
  if (typeof email !== 'string' || !/^\S+@\S+\.\S+$/.test(email)) {
    validation.invalid('email', 'Email', email);
    return null;
  }
  const holder = call.world.store.userByEmail(email);
  if (holder && holder === target) return null;
  if (holder) {
    const description = validation.messages.duplicate('Email', email);
    validation.add('email', { description, error: 'DuplicateValue' });
  }
  return email;
};

const readExternalId = (
  call: Call,
  input: Input,
  target: UserRow | null,
  validation: Validation,
): string | null | undefined => {
  const value = input['external_id'];
  if (value === undefined) return undefined;
  if (value === null || value === '') return null;
  const externalId = String(value);
  const holder = call.world.store.people.byExternalId(externalId);
  if (holder && holder !== target) {
    const description = validation.messages.duplicate('External', externalId);
    validation.add('external_id', { description, error: 'DuplicateValue' });
  }
  return externalId;
};

/** `role` and `custom_role_id` together: a custom role brings its role along, another role ends it. */
const readRole = (input: Input, target: UserRow | null, validation: Validation): Partial<UserRow> => {
  const named = input['role'];
  const role = named === undefined ? undefined : USER_ROLES.find((known) => known === named);
  if (named !== undefined && role === undefined) validation.invalid('role', 'Role', named);
  const customId = input['custom_role_id'];
  if (customId === undefined || customId === null) {
    const changed = role !== undefined && role !== target?.role;
    return {
      ...(role === undefined ? {} : { role }),
      ...(customId === null || changed ? { customRoleId: null } : {}),
    };
  }
  const custom = typeof customId === 'number' ? customRole(customId) : null;
  if (!custom || (role !== undefined && role !== custom.role)) {
    validation.invalid('custom_role_id', 'Custom role', customId);
    return {};
  }
  return { role: custom.role, customRoleId: custom.id };
};

const readReference = (
  input: Input,
  key: string,
  label: string,
  exists: (id: number) => boolean,
  validation: Validation,
): number | null | undefined => {
  const value = input[key];
  if (value === undefined || value === null) return value;
  if (typeof value === 'number' && exists(value)) return value;
  validation.invalid(key, label, value);
  return undefined;
};

const readFlag = (
  input: Input,
  key: 'suspended' | 'verified',
  validation: Validation,
): boolean | undefined => {
  const value = input[key];
  if (value === undefined || typeof value === 'boolean') return value;
  validation.invalid(key, key === 'suspended' ? 'Suspended' : 'Verified', value);
  return undefined;
};

const readText = (input: Input, key: string): string | null | undefined => {
  const value = input[key];
  return typeof value === 'string' || value === null ? value : undefined;
};

/** Fields named in the input; invalid ones are added to `validation`. `target` is null for a new user. */
export const readUserChanges = (
  call: Call,
  input: Input,
  target: UserRow | null,
  validation: Validation,
): UserChanges => {
  const { store } = call.world;
  const fields: Partial<UserRow> = {};
  const set = <K extends keyof UserRow>(key: K, value: UserRow[K] | undefined): void => {
    if (value !== undefined) fields[key] = value;
  };
  const organizationExists = (id: number): boolean => store.organization(id) !== null;
  const groupExists = (id: number): boolean => store.group(id) !== null;
  set('name', readName(input, target, validation));
  Object.assign(fields, readRole(input, target, validation));
  set(
    'organizationId',
    readReference(input, 'organization_id', 'Organization', organizationExists, validation),
  );
  set('defaultGroupId', readReference(input, 'default_group_id', 'Default group', groupExists, validation));
  set('externalId', readExternalId(call, input, target, validation));
  set('phone', readText(input, 'phone'));
  set('notes', readText(input, 'notes'));
  set('details', readText(input, 'details'));
  set('alias', readText(input, 'alias') ?? undefined);
  set('locale', readText(input, 'locale') ?? undefined);
  set('tags', isStringList(input['tags']) ? input['tags'] : undefined);
  set('suspended', readFlag(input, 'suspended', validation));
  set('verified', readFlag(input, 'verified', validation));
  return { fields, email: readEmail(call, input, target, validation) };
};
