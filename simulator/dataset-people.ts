/**
 * The seeded groups, organizations and users. Every user has a stream of draws of their own, so that more
 * people change nobody who was there before, except that more staff move the customers' ids.
 */
import {
  ADMIN_EMAIL,
  AGENT_EMAIL,
  BLOCKED_CUSTOMER_EMAIL,
  CUSTOMER_EMAIL,
  FIRST_GROUP_ID,
  FIRST_ORGANIZATION_ID,
  FIRST_USER_ID,
  OWNER_ID,
  SUSPENDED_EMAIL,
} from './account.ts';
import { CONTRIBUTOR_ROLE_ID, LIGHT_AGENT_ROLE_ID, TEAM_LEAD_ROLE_ID } from './custom-roles.ts';
import { FIRST_NAMES, LAST_NAMES, ORGANIZATION_FIRST, ORGANIZATION_LAST } from './names.ts';
import { ODD_PEOPLE } from './odd-people.ts';
import type { PeopleOptions } from './options.ts';
import { createRandom, mixSeed, type Random } from './random.ts';
import type { GroupRow, OrganizationRow, UserRow } from './records.ts';
import { GROUP_NAMES } from './stories.ts';

const DAY = 86_400_000;
const DEFAULT_STAFF = 24;
const ADMIN_COUNT = 3;

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000) * 1000;

export const createGroups = (anchor: number): GroupRow[] =>
  GROUP_NAMES.map((name, index) => ({
    id: FIRST_GROUP_ID + index,
    name,
    description: `${name} at Lumen & Oak`,
    createdAt: anchor - 900 * DAY,
    updatedAt: anchor - 900 * DAY,
  }));

export const createOrganizations = (seed: number, count: number, anchor: number): OrganizationRow[] => {
  const rows: OrganizationRow[] = [];
  for (let index = 0; index < count; index += 1) {
    const random = createRandom(mixSeed(seed, index, 2));
    const first = ORGANIZATION_FIRST[index % ORGANIZATION_FIRST.length] ?? 'Alder';
    const last =
      ORGANIZATION_LAST[(index * 7 + Math.floor(index / 30)) % ORGANIZATION_LAST.length] ?? 'Hotels';
    const round = Math.floor(index / (ORGANIZATION_FIRST.length * ORGANIZATION_LAST.length));
    const name = round === 0 ? `${first} ${last}` : `${first} ${last} ${round + 1}`;
    const createdAt = seconds(anchor - 800 * DAY + random.next() * 250 * DAY);
    rows.push({
      id: FIRST_ORGANIZATION_ID + index * 3,
      name,
      domain: `${name.toLowerCase().replaceAll(' ', '-')}.example`,
      externalId: random.chance(0.6) ? `crm-${1000 + index}` : null,
      details: random.chance(0.3) ? 'Pays by invoice, 30 days.' : null,
      tags: random.chance(0.2) ? ['vip', 'enterprise'] : random.chance(0.5) ? ['retail'] : [],
      createdAt,
      updatedAt: seconds(createdAt + random.next() * 200 * DAY),
    });
  }
  return rows;
};

const personName = (random: Random): string => `${random.pick(FIRST_NAMES)} ${random.pick(LAST_NAMES)}`;

/** What makes a staff worth reviewing: roles of all kinds, some long away, some without a second factor. */
const variedStaff = (seed: number, index: number, anchor: number): Partial<UserRow> => {
  const random = createRandom(mixSeed(seed, index, 7));
  const kind = random.next();
  const customRoleId =
    kind < 0.2
      ? LIGHT_AGENT_ROLE_ID
      : kind < 0.25
        ? CONTRIBUTOR_ROLE_ID
        : kind < 0.4
          ? TEAM_LEAD_ROLE_ID
          : null;
  const away = random.next();
  return {
    ...(index > 4 ? { customRoleId } : {}),
    twoFactor: random.chance(0.6),
    ...(away < 0.05 ? { lastLoginAt: null } : {}),
    ...(away >= 0.05 && away < 0.25
      ? { lastLoginAt: seconds(anchor - (100 + random.next() * 300) * DAY) }
      : {}),
    ...(index > 4 && random.chance(0.05) ? { suspended: true } : {}),
  };
};

const FIXED_STAFF: readonly Partial<UserRow>[] = [
  { name: 'Demo Admin', email: ADMIN_EMAIL, role: 'admin', suspended: false, verified: true },
  { name: 'Demo Agent', email: AGENT_EMAIL, role: 'agent', verified: true },
  { name: 'Suspended Agent', email: SUSPENDED_EMAIL, role: 'agent', suspended: true },
];

const FIXED_CUSTOMERS: readonly Partial<UserRow>[] = [
  { name: 'Demo Customer', email: CUSTOMER_EMAIL, verified: true },
  { name: 'Blocked Customer', email: BLOCKED_CUSTOMER_EMAIL, suspended: true },
];

/** `usual`: customers when `people` names no count. */
export const createUsers = (
  seed: number,
  usual: number,
  organizations: readonly OrganizationRow[],
  anchor: number,
  people: PeopleOptions,
): UserRow[] => {
  const staffCount = people.staff ?? DEFAULT_STAFF;
  const customers = people.count === undefined ? usual : Math.max(2, people.count - staffCount);
  const rows: UserRow[] = [];
  const add = (index: number, fixed: Partial<UserRow>, staff: boolean): void => {
    const random = createRandom(mixSeed(seed, index, 3));
    const name = personName(random);
    const organization = staff || random.chance(0.35) ? null : random.pick(organizations);
    const host = staff ? 'lumenoak.example' : (organization?.domain ?? 'mail.example');
    const createdAt = seconds(anchor - 700 * DAY + random.next() * 150 * DAY);
    const phone = random.chance(0.3) ? `+4420${String(79_460_000 + index).padStart(8, '0')}` : null;
    const externalId = staff || random.chance(0.5) ? null : `cust-${10_000 + index}`;
    const notes = random.chance(0.05) ? 'Prefers to be called back in the morning.' : null;
    const tags = random.chance(0.08) ? ['vip'] : [];
    const verified = random.chance(0.9);
    const locale = random.chance(0.85) ? 'en-US' : 'de';
    const updatedAt = seconds(createdAt + random.next() * 300 * DAY);
    const number = staff && index < DEFAULT_STAFF ? '' : index;
    rows.push({
      id: FIRST_USER_ID + index * 7,
      name,
      email: `${name.toLowerCase().replace(' ', '.')}${number}@${host}`,
      role: 'end-user',
      organizationId: organization?.id ?? null,
      defaultGroupId: staff ? FIRST_GROUP_ID + (index % GROUP_NAMES.length) : null,
      phone,
      externalId,
      notes,
      details: null,
      tags,
      suspended: false,
      active: true,
      verified,
      locale,
      alias: '',
      customRoleId: null,
      twoFactor: false,
      scrubbed: false,
      createdAt,
      updatedAt,
      generatedAt: updatedAt / 1000 + 1,
      lastLoginAt: staff || random.chance(0.4) ? seconds(anchor - random.next() * 30 * DAY) : null,
      ...fixed,
    });
  };
  for (let index = 0; index < staffCount; index += 1) {
    const usualRole = { role: index < 3 + ADMIN_COUNT - 1 ? 'admin' : 'agent' } as const;
    const fixed = FIXED_STAFF[index] ?? {
      ...usualRole,
      ...(people.varied === true ? variedStaff(seed, index, anchor) : {}),
    };
    add(index, fixed, true);
  }
  for (let index = 0; index < customers; index += 1) {
    add(staffCount + index, FIXED_CUSTOMERS[index] ?? {}, false);
  }
  if (people.odd === true)
    ODD_PEOPLE.forEach((odd, index) => void add(staffCount + customers + index, odd, false));
  const owner = rows.find((row) => row.id === OWNER_ID);
  if (owner) owner.role = 'admin';
  return rows;
};
