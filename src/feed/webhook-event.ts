/**
 * What a webhook of Zendesk's tells (zendesk-api §9): which ticket changed, in what, and, of small fields, the
 * value before. It is a hint and no more: the ticket itself is loaded. Members that nobody knows are passed over,
 * values of an unexpected shape are left out.
 */
import { z } from 'zod';
import {
  encodeUtf8,
  type JsonObject,
  type JsonValue,
  type PreviousValues,
  parseUtf8,
  SealdeskError,
  type TicketChangeKind,
} from '../base/index.ts';
import type { NewMark } from './dirty-tickets.ts';
import { timeOf } from './ticket-snapshot.ts';

/** What is kept of an event until its version is appended, sealed. */
export interface EventHint {
  readonly change: TicketChangeKind;
  readonly previous: PreviousValues;
  /** Of a comment that is known to be public. */
  readonly isPublic?: true;
}

export interface WebhookEvent {
  /** Zendesk's own id of the event. */
  readonly id: string;
  /** Such as `ticket.status_changed`. */
  readonly type: string;
  readonly mark: NewMark;
  readonly hint: EventHint;
}

const PREFIX = 'zen:event-type:';
const TYPE = /^zen:event-type:ticket\.[a-z_]{1,64}$/;
const MAX_TEXT = 512;
const MAX_TAGS = 100;
const MAX_HINT_BYTES = 4_096;
const MAX_AHEAD_MS = 300_000;
const DIGITS = /^[1-9]\d{0,15}$/;

const zendeskId = z
  .union([z.string().regex(DIGITS), z.number()])
  .transform(Number)
  .refine((id) => Number.isSafeInteger(id) && id > 0);

const Body = z.looseObject({
  id: z.string().min(1).max(128),
  type: z.string().regex(TYPE),
  detail: z.looseObject({ id: zendeskId }),
  event: z.looseObject({}).nullish(),
});

type Read = (value: JsonValue | undefined) => JsonValue | undefined;
interface Row {
  readonly change: TicketChangeKind;
  /** The field of the snapshot whose value before the event tells, and how to read it. */
  readonly field?: keyof PreviousValues;
  readonly read?: Read;
}

const text: Read = (value) =>
  value === null || (typeof value === 'string' && value.length <= MAX_TEXT) ? value : undefined;
const word: Read = (value) => (typeof value === 'string' ? text(value.toLowerCase()) : text(value));
const id: Read = (value) => (value === null ? null : (zendeskId.safeParse(value).data ?? undefined));
const time: Read = (value) => (value === null ? null : (timeOf(value) ?? undefined));
const ids: Read = (value) => {
  const read = Array.isArray(value) ? value.slice(0, MAX_TAGS).map(id) : [];
  return Array.isArray(value) && read.every((one) => typeof one === 'number') ? read : undefined;
};

/** By the event's name. The description is no small field; what a custom field was is left to the reader's own copy. */
const ROWS: Readonly<Record<string, Row>> = Object.freeze({
  created: { change: 'CREATED' },
  status_changed: { change: 'STATUS', field: 'status', read: word },
  custom_status_changed: { change: 'CUSTOM_STATUS', field: 'custom_status_id', read: id },
  priority_changed: { change: 'PRIORITY', field: 'priority', read: word },
  type_changed: { change: 'TYPE', field: 'type', read: word },
  subject_changed: { change: 'SUBJECT', field: 'subject', read: text },
  description_changed: { change: 'DESCRIPTION' },
  tags_changed: { change: 'TAGS', field: 'tags' },
  custom_field_changed: { change: 'CUSTOM_FIELD' },
  agent_assignment_changed: { change: 'ASSIGNEE', field: 'assignee_id', read: id },
  group_assignment_changed: { change: 'GROUP', field: 'group_id', read: id },
  requester_changed: { change: 'REQUESTER', field: 'requester_id', read: id },
  submitter_changed: { change: 'SUBMITTER', field: 'submitter_id', read: id },
  organization_changed: { change: 'ORGANIZATION', field: 'organization_id', read: id },
  brand_changed: { change: 'BRAND', field: 'brand_id', read: id },
  form_changed: { change: 'FORM', field: 'ticket_form_id', read: id },
  external_id_changed: { change: 'EXTERNAL_ID', field: 'external_id', read: text },
  email_ccs_changed: { change: 'EMAIL_CCS', field: 'email_cc_ids', read: ids },
  followers_changed: { change: 'FOLLOWERS', field: 'follower_ids', read: ids },
  problem_link_changed: { change: 'PROBLEM_LINK', field: 'problem_id', read: id },
  task_due_at_changed: { change: 'DUE_AT', field: 'due_at', read: time },
  comment_added: { change: 'COMMENT_ADDED' },
  comment_made_private: { change: 'COMMENT_CHANGED' },
  comment_redacted: { change: 'COMMENT_CHANGED' },
  attachment_linked_to_comment: { change: 'ATTACHMENT' },
  attachment_redacted_from_comment: { change: 'ATTACHMENT' },
  merged: { change: 'MERGED' },
  marked_as_spam: { change: 'MARKED_AS_SPAM' },
  soft_deleted: { change: 'DELETED' },
  permanently_deleted: { change: 'DELETED' },
  undeleted: { change: 'UNDELETED' },
  csat_requested: { change: 'SATISFACTION' },
  csat_received: { change: 'SATISFACTION' },
  schedule_changed: { change: 'SERVICE_LEVEL' },
  sla_policy_changed: { change: 'SERVICE_LEVEL' },
  ola_policy_changed: { change: 'SERVICE_LEVEL' },
  next_sla_breach_changed: { change: 'SERVICE_LEVEL' },
} satisfies Record<string, Row>);

/** Changes of one comment, which may be an internal note. */
const COMMENT_CHANGES: ReadonlySet<TicketChangeKind> = new Set([
  'COMMENT_ADDED',
  'COMMENT_CHANGED',
  'ATTACHMENT',
]);
const OTHER: Row = Object.freeze({ change: 'OTHER' });

/** Every type of event that the feed subscribes to at Zendesk. */
export const SUBSCRIBED_EVENT_TYPES: readonly string[] = Object.freeze(
  Object.keys(ROWS).map((name) => `${PREFIX}ticket.${name}`),
);

/**
 * The event of a webhook's body, that comes at `now`. A time of change from well after that is left out: an answer
 * that is no older would never come. Throws VALIDATION_FAILED.
 */
export function parseWebhookEvent(body: Uint8Array, now: number): WebhookEvent {
  const parsed = Body.safeParse(parseJson(body));
  if (!parsed.success) {
    throw new SealdeskError('VALIDATION_FAILED', 'The body is not that of a ticket event of Zendesk.');
  }
  const { id: eventId, type, detail, event } = parsed.data;
  const name = type.slice(`${PREFIX}ticket.`.length);
  const row: Row = Object.hasOwn(ROWS, name) ? (ROWS[name] ?? OTHER) : OTHER;
  const expected = timeOf(detail['updated_at']);
  return {
    id: eventId,
    type: type.slice(PREFIX.length),
    mark: {
      ticketId: detail.id,
      gone: goneOf(name, detail['status']),
      expectedAt:
        expected === null || Date.parse(expected) > now + MAX_AHEAD_MS ? null : wholeSecond(expected),
      exportedAt: null,
    },
    hint: {
      change: row.change,
      previous: previousOf(row, detail as JsonObject, (event ?? {}) as JsonObject),
      ...(isPublicComment((event ?? {}) as JsonObject) ? { isPublic: true } : {}),
    },
  };
}

/** A hint as it is sealed; of one that is large, the kind alone. */
export function encodeHint(hint: EventHint): string {
  const whole = JSON.stringify(hint);
  return encodeUtf8(whole).length <= MAX_HINT_BYTES ? whole : JSON.stringify({ ...hint, previous: {} });
}

/** What {@link encodeHint} wrote; only ever read back from a sealed text. */
export function decodeHint(sealed: string): EventHint {
  return JSON.parse(sealed) as EventHint;
}

/** All hints of one ticket, oldest first, as its next version tells them: the oldest value of each field is what it was before. */
export function mergeHints(hints: readonly EventHint[]): {
  readonly changes: readonly TicketChangeKind[];
  /** Those but of comments that are not known to be public. */
  readonly publicChanges: readonly TicketChangeKind[];
  readonly previous: PreviousValues;
} {
  const previous: PreviousValues = Object.assign({}, ...hints.toReversed().map((hint) => hint.previous));
  const open = hints.filter(({ change, isPublic }) => isPublic === true || !COMMENT_CHANGES.has(change));
  return { changes: kindsOf(hints), publicChanges: kindsOf(open), previous };
}

function kindsOf(hints: readonly EventHint[]): readonly TicketChangeKind[] {
  return [...new Set(hints.map(({ change }) => change))];
}

function parseJson(body: Uint8Array): unknown {
  const json = parseUtf8(body);
  if (json === null) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own error quotes the body.
    return undefined;
  }
}

function isPublicComment({ comment }: JsonObject): boolean {
  return (
    typeof comment === 'object' && comment !== null && 'is_public' in comment && comment['is_public'] === true
  );
}

function goneOf(name: string, status: unknown): NewMark['gone'] {
  if (name === 'permanently_deleted' || status === 'SCRUBBED') return 'ERASED';
  return name === 'soft_deleted' || status === 'DELETED' ? 'DELETED' : null;
}

/** Zendesk's API tells whole seconds where an event may tell fractions. */
function wholeSecond(at: string): Date {
  return new Date(Math.floor(Date.parse(at) / 1_000) * 1_000);
}

function previousOf({ field, read }: Row, detail: JsonObject, event: JsonObject): PreviousValues {
  if (field === undefined) return {};
  const value = field === 'tags' ? tagsBefore(detail, event) : read?.(event['previous']);
  return value === undefined ? {} : { [field]: value };
}

/** An event tells which tags came and went; what was before follows from what is now. */
function tagsBefore(detail: JsonObject, event: JsonObject): readonly string[] | undefined {
  const [now, added, removed] = [detail['tags'], event['tags_added'], event['tags_removed']].map(tagsOf);
  if (now === undefined || added === undefined || removed === undefined) return undefined;
  return [...new Set([...now.filter((tag) => !added.includes(tag)), ...removed])].toSorted();
}

function tagsOf(value: JsonValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_TAGS) return undefined;
  return value.every((tag) => typeof tag === 'string' && tag.length <= MAX_TEXT)
    ? (value as string[])
    : undefined;
}
