/**
 * The events of a ticket's change, and their payloads as webhooks carry them: ids as strings, enums in
 * UPPERCASE, pretty-printed. One change gives one event per field, all with the same sequence id.
 *
 * Zendesk does not publish every shape. Chosen here: a new ticket gives `created` only, custom fields are
 * named under `custom_field`, a merge names its target under `target_ticket`; deletions carry no values.
 */
import { randomUUID } from 'node:crypto';
import {
  ACCOUNT_ID,
  AREA_FIELD_ID,
  BRAND_ID,
  CUSTOM_FIELD_IDS,
  CUSTOM_STATUS_IDS,
  ORDER_FIELD_ID,
  REFUND_FIELD_ID,
  TICKET_FORM_ID,
} from './account.ts';
import type { TicketChange } from './journal.ts';
import { isoTime } from './people-view.ts';
import type { TicketRow } from './records.ts';
import type { Store } from './store.ts';
import { createUlid } from './ulid.ts';
import { type TicketEventName, ticketEventType } from './webhook-event-types.ts';

const EVENT_VERSION = '2022-11-06';

/** One event, ready to be sent to any webhook that subscribed to its type. */
export interface WebhookEvent {
  /** `id` of the payload; the same for every webhook and every repetition. */
  readonly id: string;
  readonly type: string;
  readonly ticketId: number;
  /** The exact body. */
  readonly body: string;
}

interface NamedEvent {
  readonly name: TicketEventName;
  readonly event: Readonly<Record<string, unknown>>;
}

const upper = (value: string | null): string | null => value?.toUpperCase() ?? null;
const idText = (value: number | null): string | null => (value === null ? null : String(value));
const timeText = (value: number | null): string | null => (value === null ? null : isoTime(value));

/** Fields with an event of their own, by row field. */
const FIELD_EVENTS: readonly {
  readonly name: TicketEventName;
  readonly read: (row: Readonly<TicketRow>) => string | null;
}[] = [
  { name: 'status_changed', read: (row) => upper(row.status) },
  { name: 'custom_status_changed', read: (row) => idText(CUSTOM_STATUS_IDS[row.status]) },
  { name: 'agent_assignment_changed', read: (row) => idText(row.assigneeId) },
  { name: 'group_assignment_changed', read: (row) => idText(row.groupId) },
  { name: 'requester_changed', read: (row) => idText(row.requesterId) },
  { name: 'submitter_changed', read: (row) => idText(row.submitterId) },
  { name: 'organization_changed', read: (row) => idText(row.organizationId) },
  { name: 'priority_changed', read: (row) => upper(row.priority) },
  { name: 'type_changed', read: (row) => upper(row.type) },
  { name: 'subject_changed', read: (row) => row.subject },
  { name: 'external_id_changed', read: (row) => row.externalId },
  { name: 'problem_link_changed', read: (row) => idText(row.problemId) },
  { name: 'task_due_at_changed', read: (row) => timeText(row.dueAt) },
];

const FIELD_TITLES: ReadonlyMap<number, { readonly title: string; readonly type: string }> = new Map([
  [ORDER_FIELD_ID, { title: 'Order number', type: 'text' }],
  [AREA_FIELD_ID, { title: 'Area', type: 'tagger' }],
  [REFUND_FIELD_ID, { title: 'Refund amount', type: 'decimal' }],
]);

const without = <T>(list: readonly T[], other: readonly T[]): T[] =>
  list.filter((item) => !other.includes(item));

const fieldEvents = (before: Readonly<TicketRow>, row: Readonly<TicketRow>): NamedEvent[] => {
  const events: NamedEvent[] = [];
  for (const { name, read } of FIELD_EVENTS) {
    const previous = read(before);
    const current = read(row);
    if (previous !== current) events.push({ name, event: { current, previous } });
  }
  const added = without(row.tags, before.tags);
  const removed = without(before.tags, row.tags);
  if (added.length > 0 || removed.length > 0) {
    events.push({ name: 'tags_changed', event: { tags_added: added, tags_removed: removed } });
  }
  const copied = without(row.collaboratorIds, before.collaboratorIds);
  const dropped = without(before.collaboratorIds, row.collaboratorIds);
  if (copied.length > 0 || dropped.length > 0) {
    const event = { current: row.collaboratorIds.map(String), previous: before.collaboratorIds.map(String) };
    events.push({ name: 'email_ccs_changed', event });
  }
  for (const id of CUSTOM_FIELD_IDS) {
    const current = row.customFields.get(id) ?? null;
    const previous = before.customFields.get(id) ?? null;
    if (current === previous) continue;
    const field = { id: String(id), ...FIELD_TITLES.get(id) };
    events.push({ name: 'custom_field_changed', event: { custom_field: field, current, previous } });
  }
  return events;
};

const commentEvent = (store: Store, change: TicketChange): NamedEvent[] => {
  const { comment } = change;
  if (comment === null) return [];
  const author = store.user(comment.authorId);
  return [
    {
      name: 'comment_added',
      event: {
        comment: {
          id: String(comment.id),
          body: comment.body,
          is_public: comment.public,
          author: {
            id: String(comment.authorId),
            is_staff: author !== null && author.role !== 'end-user',
            name: author?.name ?? '',
          },
        },
      },
    },
  ];
};

const namedEvents = (store: Store, change: TicketChange): NamedEvent[] => {
  const { action, before, row, mergedInto } = change;
  switch (action) {
    case 'created':
      return [{ name: 'created', event: {} }];
    case 'deleted':
      return [{ name: 'soft_deleted', event: {} }];
    case 'restored':
      return [{ name: 'undeleted', event: {} }];
    case 'scrubbed':
      return [{ name: 'permanently_deleted', event: {} }];
    case 'system':
      return [];
    case 'updated':
    case 'merged': {
      const fields = before === null ? [] : fieldEvents(before, row);
      const merged: NamedEvent[] =
        mergedInto === null ? [] : [{ name: 'merged', event: { target_ticket: { id: String(mergedInto) } } }];
      return [...merged, ...fields, ...commentEvent(store, change)];
    }
    default:
      throw action satisfies never;
  }
};

const statusOf = (row: Readonly<TicketRow>): string => {
  if (row.scrubbed) return 'SCRUBBED';
  return row.deletedAt === null ? row.status.toUpperCase() : 'DELETED';
};

const detailOf = (store: Store, row: Readonly<TicketRow>, actorId: number): Record<string, unknown> => ({
  actor_id: String(actorId),
  assignee_id: idText(row.assigneeId),
  brand_id: String(BRAND_ID),
  created_at: isoTime(row.createdAt),
  custom_status: String(CUSTOM_STATUS_IDS[row.status]),
  description: store.description(row),
  external_id: row.externalId,
  form_id: String(TICKET_FORM_ID),
  group_id: idText(row.groupId),
  id: String(row.id),
  is_public: row.isPublic,
  organization_id: idText(row.organizationId),
  priority: upper(row.priority),
  requester_id: String(row.requesterId),
  status: statusOf(row),
  subject: row.subject,
  submitter_id: String(row.submitterId),
  tags: row.tags,
  type: upper(row.type),
  updated_at: isoTime(row.updatedAt),
  via: { channel: row.channel === 'api' ? 'web_service' : row.channel },
});

/** `2026-01-08T14:25:30.123456789Z`; what is finer than a millisecond tells the events of one change apart. */
const nanosecondTime = (milliseconds: number, position: number): string =>
  new Date(milliseconds).toISOString().replace('Z', `${String(100_000 + position).slice(0, 6)}Z`);

/** The events of a change whose type is `wanted`, in the order they are due. */
export const eventsOf = (
  store: Store,
  change: TicketChange,
  wanted: (type: string) => boolean,
): WebhookEvent[] => {
  const named = namedEvents(store, change);
  if (!named.some(({ name }) => wanted(ticketEventType(name)))) return [];
  const detail = detailOf(store, change.row, change.actorId);
  const sequence = createUlid(change.at);
  const events: WebhookEvent[] = [];
  for (const [index, { name, event }] of named.entries()) {
    const type = ticketEventType(name);
    if (!wanted(type)) continue;
    const id = randomUUID();
    const payload = {
      type,
      account_id: ACCOUNT_ID,
      id,
      time: nanosecondTime(change.at, index + 1),
      zendesk_event_version: EVENT_VERSION,
      subject: `zen:ticket:${change.row.id}`,
      detail,
      event: { ...event, meta: { sequence: { id: sequence, position: index + 1 } } },
    };
    events.push({ id, type, ticketId: change.row.id, body: JSON.stringify(payload, null, 2) });
  }
  return events;
};
