/** Random people of a directory, and what of them a filter lets through, told without a database. */
import fc from 'fast-check';
import type { SeededNames, SeededPerson } from './directory-rig.ts';

export const GROUP_IDS = [11, 12, 13];
export const ORGANIZATION_IDS = [21, 22];
export const CUSTOM_ROLE_IDS = [31, 32];
/** A group that has members but no entry: a sync saw the one before the other. */
export const UNKNOWN_GROUP_ID = 19;
export const UNUSED_CUSTOM_ROLE_ID = 39;

const DAY = 86_400_000;
export const NOW = Date.UTC(2026, 10, 29, 12);

export const NAMES: SeededNames = {
  groups: new Map(GROUP_IDS.map((id) => [id, `Group ${id}`])),
  organizations: new Map(ORGANIZATION_IDS.map((id) => [id, `Organization ${id}`])),
  customRoles: new Map([...CUSTOM_ROLE_IDS, UNUSED_CUSTOM_ROLE_ID].map((id) => [id, `Role ${id}`])),
};

const daysAgo = fc.integer({ min: 0, max: 400 }).map((days) => new Date(NOW - days * DAY));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 3 });

const person = fc
  .record({
    kind: fc.constantFrom(
      ...([
        { role: 'end-user', roleType: null },
        { role: 'end-user', roleType: null },
        { role: 'agent', roleType: null },
        { role: 'agent', roleType: 0 },
        { role: 'agent', roleType: 1 },
        { role: 'agent', roleType: 2 },
        { role: 'agent', roleType: 3 },
        { role: 'admin', roleType: 4 },
        { role: 'admin', roleType: 5 },
      ] as const),
    ),
    customRoleId: fc.constantFrom(...CUSTOM_ROLE_IDS),
    status: fc.constantFrom('ACTIVE', 'ACTIVE', 'ACTIVE', 'SUSPENDED', 'DELETED' as const),
    organizationId: maybe(fc.constantFrom(...ORGANIZATION_IDS)),
    hasTwoFactor: maybe(fc.boolean()),
    lastSeenAt: maybe(daysAgo),
    createdAt: maybe(daysAgo),
    changedAt: daysAgo,
    groupIds: fc.uniqueArray(fc.constantFrom(...GROUP_IDS, UNKNOWN_GROUP_ID), { maxLength: 3 }),
    externalId: maybe(fc.constantFrom('CRM-1', 'crm-2', 'Crm-3')),
    hasEmail: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  })
  .map(({ kind, customRoleId, hasEmail, ...rest }) => ({
    ...kind,
    ...rest,
    customRoleId: kind.roleType === 0 ? customRoleId : null,
    hasEmail,
  }));

/** `count` people, the same for the same `seed`. */
export function samplePeople(count: number, seed: number): readonly SeededPerson[] {
  return fc.sample(person, { numRuns: count, seed }).map(({ hasEmail, ...rest }, index) => ({
    ...rest,
    zendeskId: 6_130_907_993_000 + index * 7,
    name: `Person ${index}`,
    email: hasEmail ? `Person${index}@Example.com` : null,
  }));
}

export interface Filter {
  readonly role?: readonly string[];
  readonly roleType?: readonly string[];
  readonly customRoleId?: string;
  readonly status?: string;
  readonly organizationId?: string;
  readonly groupId?: string;
  readonly lastSeenAfter?: string;
  readonly lastSeenBefore?: string;
  readonly changedSince?: string;
  readonly twoFactor?: string;
  readonly email?: string;
  readonly externalId?: string;
}

const time = daysAgo.map((date) => date.toISOString());

/** Mostly of one condition, so that something passes. */
export const filters: fc.Arbitrary<Filter> = fc.oneof(
  ...[
    fc.record({ role: fc.subarray(['END_USER', 'AGENT', 'ADMIN'], { minLength: 1 }) }),
    fc.record({ roleType: fc.subarray(['LIGHT_AGENT', 'CHAT_AGENT', 'BILLING_ADMIN'], { minLength: 1 }) }),
    fc.record({ customRoleId: fc.constantFrom(...CUSTOM_ROLE_IDS.map(String)) }),
    fc.record({ status: fc.constantFrom('ACTIVE', 'SUSPENDED') }),
    fc.record({ organizationId: fc.constantFrom(...ORGANIZATION_IDS.map(String)) }),
    fc.record({ groupId: fc.constantFrom(...[...GROUP_IDS, UNKNOWN_GROUP_ID].map(String)) }),
    fc.record({ lastSeenAfter: time }),
    fc.record({ lastSeenBefore: time }),
    fc.record({ changedSince: time }),
    fc.record({ twoFactor: fc.constantFrom('ON', 'OFF', 'UNKNOWN') }),
    fc.record({ externalId: fc.constantFrom('crm-1', 'CRM-2', ' cRm-3 ', 'crm-4') }),
    fc.record({ status: fc.constant('ACTIVE'), role: fc.constant(['AGENT']), lastSeenBefore: time }),
    fc.constant({}),
  ],
);

const ROLES: Readonly<Record<string, string>> = { END_USER: 'end-user', AGENT: 'agent', ADMIN: 'admin' };
const ROLE_TYPES: Readonly<Record<string, number>> = { LIGHT_AGENT: 1, CHAT_AGENT: 2, BILLING_ADMIN: 5 };
const TWO_FACTOR: Readonly<Record<string, boolean | null>> = { ON: true, OFF: false, UNKNOWN: null };

const same = (one: string | null, other: string): boolean =>
  one?.toLowerCase() === other.trim().toLowerCase();

/** Whether a person who is there passes. */
export function passes(filter: Filter, one: SeededPerson): boolean {
  return [
    one.status !== 'DELETED',
    filter.role?.some((role) => ROLES[role] === one.role) ?? true,
    filter.roleType?.some((type) => ROLE_TYPES[type] === one.roleType) ?? true,
    filter.customRoleId === undefined || filter.customRoleId === String(one.customRoleId),
    filter.status === undefined || filter.status === one.status,
    filter.organizationId === undefined || filter.organizationId === String(one.organizationId),
    filter.groupId === undefined || one.groupIds.map(String).includes(filter.groupId),
    filter.lastSeenAfter === undefined ||
      (one.lastSeenAt !== null && one.lastSeenAt.getTime() >= Date.parse(filter.lastSeenAfter)),
    filter.lastSeenBefore === undefined ||
      one.lastSeenAt === null ||
      one.lastSeenAt.getTime() < Date.parse(filter.lastSeenBefore),
    filter.changedSince === undefined || one.changedAt.getTime() >= Date.parse(filter.changedSince),
    filter.twoFactor === undefined || TWO_FACTOR[filter.twoFactor] === one.hasTwoFactor,
    filter.email === undefined || same(one.email, filter.email),
    filter.externalId === undefined || same(one.externalId, filter.externalId),
  ].every(Boolean);
}
