/**
 * A ticket as Zendesk sends it, reduced to what the feed tells. The reading is tolerant: what is missing is null
 * or empty. It is canonical: lists without an order of their own are sorted and times have one form, so that the
 * same version gives the same snapshot whichever endpoint showed it.
 */
import type { JsonObject, JsonValue, TicketSnapshot } from '../base/index.ts';

export interface ReadTicket {
  readonly snapshot: TicketSnapshot;
  readonly updatedAt: Date;
  /** Unix seconds; `null` where it was not told. */
  readonly generatedAt: number | null;
}

/** The ticket of a record; `null` where it lacks what every ticket has: id, status and times. */
export function readTicket(record: JsonObject): ReadTicket | null {
  const id = wholeOf(record['id']);
  const createdAt = timeOf(record['created_at']);
  const updatedAt = timeOf(record['updated_at']);
  const status = textOf(record['status']);
  if (id === null || createdAt === null || updatedAt === null || status === null) return null;
  const via = record['via'];
  const satisfaction = record['satisfaction_rating'];
  const channel = isObject(via) ? via['channel'] : null;
  return {
    updatedAt: new Date(updatedAt),
    generatedAt: wholeOf(record['generated_timestamp']),
    snapshot: {
      id,
      subject: textOf(record['subject']),
      description: textOf(record['description']),
      status,
      custom_status_id: wholeOf(record['custom_status_id']),
      priority: textOf(record['priority']),
      type: textOf(record['type']),
      tags: listOf(record['tags'], textOf).toSorted(),
      requester_id: wholeOf(record['requester_id']),
      submitter_id: wholeOf(record['submitter_id']),
      assignee_id: wholeOf(record['assignee_id']),
      organization_id: wholeOf(record['organization_id']),
      group_id: wholeOf(record['group_id']),
      brand_id: wholeOf(record['brand_id']),
      ticket_form_id: wholeOf(record['ticket_form_id']),
      problem_id: wholeOf(record['problem_id']),
      has_incidents: record['has_incidents'] === true,
      is_public: record['is_public'] !== false,
      external_id: textOf(record['external_id']),
      due_at: timeOf(record['due_at']),
      collaborator_ids: idsOf(record['collaborator_ids']),
      follower_ids: idsOf(record['follower_ids']),
      email_cc_ids: idsOf(record['email_cc_ids']),
      custom_fields: customFieldsOf(record['custom_fields']),
      via_channel: typeof channel === 'number' ? String(channel) : textOf(channel),
      satisfaction_score: isObject(satisfaction) ? textOf(satisfaction['score']) : null,
      created_at: createdAt,
      updated_at: updatedAt,
    },
  };
}

/** RFC 3339 in UTC, without a fraction where it is zero, as Zendesk writes it; `null` for anything that is no time. */
export function timeOf(value: unknown): string | null {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? null : new Date(time).toISOString().replace('.000Z', 'Z');
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function wholeOf(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}

function listOf<T>(value: JsonValue | undefined, read: (one: JsonValue) => T | null): T[] {
  const list: readonly JsonValue[] = Array.isArray(value) ? value : [];
  return list.map(read).filter((one): one is T & {} => one !== null);
}

function idsOf(value: JsonValue | undefined): number[] {
  return listOf(value, wholeOf).toSorted((a, b) => a - b);
}

function customFieldsOf(value: JsonValue | undefined): TicketSnapshot['custom_fields'] {
  const fields = listOf(value, (one) => {
    const id = isObject(one) ? wholeOf(one['id']) : null;
    return id === null || !isObject(one) ? null : { id, value: one['value'] ?? null };
  });
  return fields.toSorted((a, b) => a.id - b.id);
}
