/**
 * The fields of a person that can be set, shared by creation and update, and what an answer tells of one.
 * An address can be given to a new person only: of one who is there Zendesk adds it beside the old one
 * (zendesk-api §7). Suspension has an operation of its own.
 */
import { z } from 'zod';
import type { ZendeskResponse } from '../../zendesk/index.ts';
import { MAX_COMMENT_BYTES, tags, text, zendeskId } from './payload-fields.ts';
import { isObject, readBody, record } from './records.ts';
import { MAX_EXTERNAL_ID_LENGTH } from './ticket-fields.ts';

export const PERSON_ROLES = ['end-user', 'agent', 'admin'] as const;
export const MAX_PERSON_NAME_LENGTH = 255;
const MAX_PHONE_LENGTH = 64;
const MAX_LOCALE_LENGTH = 32;
const MAX_TIME_ZONE_LENGTH = 64;
const TICKET_RESTRICTIONS = ['organization', 'groups', 'assigned', 'requested'] as const;

/** Fields of both operations. `null` clears a field; where null is not listed it cannot be cleared. */
export const userFields = {
  role: z
    .enum(PERSON_ROLES)
    .optional()
    .describe(`${PERSON_ROLES.join(', ')}; agents and admins take a seat.`),
  custom_role_id: zendeskId
    .nullable()
    .optional()
    .describe('A custom role of the account, for the role agent; it sets what an agent may do.'),
  external_id: text(MAX_EXTERNAL_ID_LENGTH).nullable().optional().describe('Your own reference.'),
  organization_id: zendeskId
    .nullable()
    .optional()
    .describe('The organization; it takes the place of all others of the person.'),
  default_group_id: zendeskId.optional().describe('The group an agent belongs to first of all.'),
  phone: text(MAX_PHONE_LENGTH).nullable().optional().describe('The primary number.'),
  tags: tags.optional().describe('The whole list of tags; an update replaces it.'),
  details: text(MAX_COMMENT_BYTES).nullable().optional().describe('What is noted of the person.'),
  notes: text(MAX_COMMENT_BYTES).nullable().optional().describe('What agents note of the person.'),
  locale: text(MAX_LOCALE_LENGTH).optional().describe('The language, such as en-US.'),
  time_zone: text(MAX_TIME_ZONE_LENGTH).optional().describe('The time zone, as Zendesk names it.'),
  ticket_restriction: z
    .enum(TICKET_RESTRICTIONS)
    .nullable()
    .optional()
    .describe(`Which tickets an agent sees: ${TICKET_RESTRICTIONS.join(', ')}; null for all.`),
} as const;

/** What an answer to a change tells of the person: what the change was about, and nothing else of them. */
export const changedUser = z.strictObject({
  id: z.number(),
  role: z.string().nullable(),
  custom_role_id: z.number().nullable(),
  suspended: z.boolean(),
  active: z.boolean(),
});
export type ChangedUser = z.infer<typeof changedUser>;

const userBody = z.looseObject({ user: record });

/** The person in the answer to a change, which was applied whatever the answer looks like. Throws as `readBody` does. */
export function changedUserIn(response: ZendeskResponse): ChangedUser {
  const { user } = readBody(userBody, response, true);
  const { role, custom_role_id: customRoleId } = user;
  return {
    id: user.id,
    role: typeof role === 'string' ? role : null,
    custom_role_id: typeof customRoleId === 'number' ? customRoleId : null,
    suspended: user['suspended'] === true,
    active: user['active'] !== false,
  };
}

/** A custom role is an agent's. */
export function roleIssue({
  role,
  custom_role_id: customRoleId,
}: {
  readonly role?: string | undefined;
  readonly custom_role_id?: number | null | undefined;
}): string | null {
  return customRoleId != null && role !== undefined && role !== 'agent' ? 'is for the role agent only' : null;
}

/** The id of a record behind `key` of an answer's body, `null` where there is none. */
export function idIn(body: unknown, key: string, member = 'id'): number | null {
  const record = isObject(body) ? body[key] : undefined;
  const id = isObject(record) ? record[member] : undefined;
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? id : null;
}
