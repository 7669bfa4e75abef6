/** The ticket fields that can be set, shared by creation and update, and their rules across fields. */
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../base/index.ts';
import {
  customFields,
  dateOrTime,
  PRIORITIES,
  STATUSES,
  subject,
  TYPES,
  tags,
  text,
  zendeskId,
} from './payload-fields.ts';

export const MAX_EXTERNAL_ID_LENGTH = 255;

/** Ticket fields of both operations. `null` clears a field; where null is not listed it cannot be cleared. */
export const ticketFields = {
  subject: subject.optional().describe('The subject line, up to 1 000 characters.'),
  status: z
    .enum(STATUSES)
    .optional()
    .describe(`${STATUSES.join(', ')}; closed is final.`),
  custom_status_id: zendeskId.optional().describe('A custom status; sets the status too.'),
  priority: z
    .enum(PRIORITIES)
    .nullable()
    .optional()
    .describe(`${PRIORITIES.join(', ')}.`),
  type: z
    .enum(TYPES)
    .nullable()
    .optional()
    .describe(`${TYPES.join(', ')}.`),
  tags: tags.optional().describe('The whole list of tags; an update replaces it.'),
  custom_fields: customFields.optional().describe('List of {id, value}.'),
  assignee_id: zendeskId.nullable().optional().describe('The agent in charge.'),
  group_id: zendeskId.nullable().optional().describe('The group in charge.'),
  organization_id: zendeskId.nullable().optional().describe('The organization of the requester.'),
  brand_id: zendeskId.optional().describe('The brand.'),
  ticket_form_id: zendeskId.optional().describe('The ticket form.'),
  problem_id: zendeskId.nullable().optional().describe('The problem behind an incident.'),
  external_id: text(MAX_EXTERNAL_ID_LENGTH)
    .nullable()
    .optional()
    .describe('Your own reference; Zendesk does not keep it unique.'),
  due_at: dateOrTime.nullable().optional().describe('When a task is due; a date or a time with offset.'),
} as const;

interface TypedTicket {
  readonly type?: string | null | undefined;
  readonly due_at?: string | null | undefined;
  readonly problem_id?: number | null | undefined;
}

/** What Zendesk would ignore without a word: a due date on what is not a task, a problem behind what is no incident. */
export function ticketTypeIssues(
  ticket: TypedTicket,
): readonly { readonly path: string; readonly message: string }[] {
  const issues: { path: string; message: string }[] = [];
  const { type, due_at: dueAt, problem_id: problemId } = ticket;
  if (type === undefined) return issues;
  if (dueAt != null && type !== 'task') issues.push({ path: 'due_at', message: 'is for the type task only' });
  if (problemId != null && type !== 'incident') {
    issues.push({ path: 'problem_id', message: 'is for the type incident only' });
  }
  return issues;
}

/** The members that are given, as a JSON object for Zendesk. */
export function given(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
