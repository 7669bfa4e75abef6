/** Users and organizations of Zendesk as the typed graph shows them, whole or as references. */
import { namedOf, personOf, type ZendeskRecord } from '../catalogue/records.ts';
import { integerOf, isTrue, textOf, textsOf, timeOf } from './record-fields.ts';
import type { OrganizationReferenceView, OrganizationView, PersonReferenceView, UserView } from './views.ts';

/** Every member that a view shows. Zendesk leaves none of them out of a whole object: what is empty is null. */
const WHOLE: Readonly<Record<'users' | 'organizations', readonly string[]>> = {
  users: [
    ...['name', 'photo', 'email', 'phone', 'role', 'custom_role_id', 'external_id', 'organization_id'],
    ...['default_group_id', 'active', 'suspended', 'verified', 'two_factor_auth_enabled', 'locale'],
    ...['time_zone', 'tags', 'details', 'notes', 'last_login_at', 'created_at', 'updated_at'],
  ],
  organizations: [
    ...['name', 'external_id', 'domain_names', 'details', 'notes', 'group_id', 'shared_tickets'],
    ...['shared_comments', 'tags', 'created_at', 'updated_at'],
  ],
};

/** Whether a record that came along with others shows all that loading it by itself would. */
export function isWhole(kind: 'users' | 'organizations', of: ZendeskRecord): boolean {
  return WHOLE[kind].every((name) => Object.hasOwn(of, name));
}

export function toPersonReference(integrationId: string, of: ZendeskRecord): PersonReferenceView {
  return { integrationId, ...personOf(of) };
}

export function toOrganizationReference(integrationId: string, of: ZendeskRecord): OrganizationReferenceView {
  return { integrationId, ...namedOf(of) };
}

export function toUserView(integrationId: string, of: ZendeskRecord): UserView {
  const secondFactor = of['two_factor_auth_enabled'];
  return {
    ...toPersonReference(integrationId, of),
    email: textOf(of, 'email'),
    phone: textOf(of, 'phone'),
    role: textOf(of, 'role'),
    customRoleId: integerOf(of, 'custom_role_id'),
    externalId: textOf(of, 'external_id'),
    organizationId: integerOf(of, 'organization_id'),
    defaultGroupId: integerOf(of, 'default_group_id'),
    active: isTrue(of, 'active'),
    suspended: isTrue(of, 'suspended'),
    verified: isTrue(of, 'verified'),
    twoFactorEnabled: typeof secondFactor === 'boolean' ? secondFactor : null,
    locale: textOf(of, 'locale'),
    timeZone: textOf(of, 'iana_time_zone') ?? textOf(of, 'time_zone'),
    tags: textsOf(of, 'tags'),
    details: textOf(of, 'details'),
    notes: textOf(of, 'notes'),
    lastLoginAt: timeOf(of, 'last_login_at'),
    createdAt: timeOf(of, 'created_at'),
    updatedAt: timeOf(of, 'updated_at'),
  };
}

export function toOrganizationView(integrationId: string, of: ZendeskRecord): OrganizationView {
  return {
    ...toOrganizationReference(integrationId, of),
    externalId: textOf(of, 'external_id'),
    domainNames: textsOf(of, 'domain_names'),
    details: textOf(of, 'details'),
    notes: textOf(of, 'notes'),
    groupId: integerOf(of, 'group_id'),
    sharedTickets: isTrue(of, 'shared_tickets'),
    sharedComments: isTrue(of, 'shared_comments'),
    tags: textsOf(of, 'tags'),
    createdAt: timeOf(of, 'created_at'),
    updatedAt: timeOf(of, 'updated_at'),
  };
}
