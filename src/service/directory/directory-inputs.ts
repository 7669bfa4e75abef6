/** What the directory is asked for, read from the arguments of the graph. */
import { z } from 'zod';
import {
  ACCESS_FINDINGS,
  type DirectoryKeys,
  type DirectoryUserFilter,
  emailIndexOf,
  externalIdIndexOf,
} from '../../directory/index.ts';
import { parseInput } from '../input.ts';
import { notACursor, type PageInput, type PageRequest, parsePage } from '../page.ts';
import {
  listOf,
  objectIdField,
  oneLine,
  optional,
  valueField,
  zendeskIdField,
} from '../zendesk/input-fields.ts';
import { parseZendeskId } from '../zendesk/object-id.ts';

/** Characters; of an address as RFC 5321 §4.5.3.1 bounds it, of a reference as Zendesk does. */
const MAX_EMAIL_CHARACTERS = 320;
const MAX_EXTERNAL_ID_CHARACTERS = 255;
const MAX_DORMANT_DAYS = 9_999;
const DEFAULT_DORMANT_DAYS = 90;

const DAYS = `must be a whole number of days from 1 to ${MAX_DORMANT_DAYS}`;

/** By their place in the list: Zendesk's numbers for what a role stands for. */
export const ROLE_TYPES = [
  'CUSTOM_AGENT',
  'LIGHT_AGENT',
  'CHAT_AGENT',
  'CONTRIBUTOR',
  'ADMIN',
  'BILLING_ADMIN',
] as const;
export type RoleType = (typeof ROLE_TYPES)[number];

const HAS_TWO_FACTOR = Object.freeze({ ON: true, OFF: false, UNKNOWN: null });

function filterField(integrationId: string) {
  return z
    .strictObject({
      role: optional(listOf(valueField)),
      roleType: optional(listOf(z.enum(ROLE_TYPES, 'is only answered, never taken'))),
      customRoleId: optional(zendeskIdField),
      status: optional(z.enum(['ACTIVE', 'SUSPENDED'])),
      organizationId: optional(objectIdField('organization', integrationId)),
      groupId: optional(zendeskIdField),
      lastSeenAfter: optional(z.date()),
      lastSeenBefore: optional(z.date()),
      changedSince: optional(z.date()),
      twoFactor: optional(z.enum(['ON', 'OFF', 'UNKNOWN'])),
      email: optional(oneLine(MAX_EMAIL_CHARACTERS)),
      externalId: optional(oneLine(MAX_EXTERNAL_ID_CHARACTERS)),
    })
    .superRefine(({ lastSeenAfter, lastSeenBefore }, context) => {
      if (lastSeenAfter === undefined || lastSeenBefore === undefined) return;
      if (lastSeenAfter.getTime() < lastSeenBefore.getTime()) return;
      const message = 'must be after lastSeenAfter';
      context.addIssue({ code: 'custom', path: ['lastSeenBefore'], message });
    })
    .nullish()
    .transform((filter): PeopleFilter => filter ?? {});
}

/** Which people, as it was asked for. */
export interface PeopleFilter {
  readonly role?: readonly string[] | undefined;
  readonly roleType?: readonly RoleType[] | undefined;
  readonly customRoleId?: number | undefined;
  readonly status?: 'ACTIVE' | 'SUSPENDED' | undefined;
  readonly organizationId?: number | undefined;
  readonly groupId?: number | undefined;
  readonly lastSeenAfter?: Date | undefined;
  readonly lastSeenBefore?: Date | undefined;
  readonly changedSince?: Date | undefined;
  readonly twoFactor?: 'ON' | 'OFF' | 'UNKNOWN' | undefined;
  readonly email?: string | undefined;
  readonly externalId?: string | undefined;
}

/** The arguments of `directory` beside its page. Throws VALIDATION_FAILED. */
export function parsePeopleFilter(integrationId: string, filter: unknown): PeopleFilter {
  return parseInput(z.strictObject({ filter: filterField(integrationId) }), { filter }).filter;
}

/** The arguments of `accessReview` beside the integration. */
export const reviewInput = z.strictObject({
  dormantAfterDays: z
    .int(DAYS)
    .min(1, DAYS)
    .max(MAX_DORMANT_DAYS, DAYS)
    .nullish()
    .transform((days) => days ?? DEFAULT_DORMANT_DAYS),
});

/** The arguments of `AccessReview.members` beside its page. */
export function membersInput(integrationId: string) {
  return z.strictObject({
    finding: z
      .enum(ACCESS_FINDINGS)
      .nullish()
      .transform((finding) => finding ?? null),
    filter: filterField(integrationId),
  });
}

/** The filter as the directory takes it: addresses and references are looked up by their keyed hashes. */
export function toUserFilter(
  keys: DirectoryKeys,
  integrationId: string,
  { role, roleType, lastSeenAfter, lastSeenBefore, twoFactor, email, externalId, ...same }: PeopleFilter,
): DirectoryUserFilter {
  return {
    ...same,
    roles: role,
    roleTypes: roleType?.map((type) => ROLE_TYPES.indexOf(type)),
    seenSince: lastSeenAfter,
    notSeenSince: lastSeenBefore,
    ...(twoFactor === undefined ? {} : { hasTwoFactor: HAS_TWO_FACTOR[twoFactor] }),
    ...(email === undefined ? {} : { emailIndex: emailIndexOf(keys, integrationId, email) }),
    ...(externalId === undefined
      ? {}
      : { externalIdIndex: externalIdIndexOf(keys, integrationId, externalId) }),
  };
}

/** A page in the order of Zendesk's numbers, which its cursors stand for. */
export interface PeoplePageRequest {
  readonly page: PageRequest;
  readonly after: number | null;
  readonly before: number | null;
}

/** Throws VALIDATION_FAILED. */
export function parsePeoplePage(input: PageInput): PeoplePageRequest {
  const page = parsePage(input);
  return { page, after: keyOf(page.after, 'after'), before: keyOf(page.before, 'before') };
}

function keyOf(key: string | null, path: string): number | null {
  if (key === null) return null;
  const id = parseZendeskId(key);
  if (id === null) throw notACursor(path);
  return id;
}
