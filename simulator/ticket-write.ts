/**
 * Creating and updating tickets: field checks, comments, safe update, idempotent creation. Keys Zendesk
 * doesn't permit are ignored and named in `x-zendesk-api-warn`.
 */
import { DESCRIPTION_FIELD_ID } from './account.ts';
import { bodyObject, type Call, idParam, userOf, warnUnpermitted } from './call.ts';
import { isoTime } from './people-view.ts';
import type { TicketRow, UserRow } from './records.ts';
import { coded, json, Refusal, type Reply, recordNotFound } from './reply.ts';
import { readChanges, resolvePerson, TICKET_KEYS } from './ticket-changes.ts';
import { ticketView } from './ticket-view.ts';
import { isRecord, Validation } from './validation.ts';

/** Longer bodies are cut without an error, as Zendesk does. */
const MAX_COMMENT_BYTES = 65_536;
const MAX_COMMENTS = 5000;

interface CommentInput {
  readonly body: string;
  readonly public: boolean | null;
  readonly author: UserRow | null;
}

const cutToBytes = (value: string): string => {
  const bytes = Buffer.from(value);
  if (bytes.length <= MAX_COMMENT_BYTES) return value;
  return bytes.subarray(0, MAX_COMMENT_BYTES).toString('utf8').replace(/�$/, '');
};

const readComment = (call: Call, input: Record<string, unknown>): CommentInput | null => {
  const comment = input['comment'];
  if (typeof comment === 'string') return { body: cutToBytes(comment), public: null, author: null };
  if (!isRecord(comment)) {
    const description = input['description'];
    return typeof description === 'string'
      ? { body: cutToBytes(description), public: null, author: null }
      : null;
  }
  const body = comment['body'] ?? comment['html_body'];
  const authorId = comment['author_id'];
  return {
    body: typeof body === 'string' ? cutToBytes(body) : '',
    public: typeof comment['public'] === 'boolean' ? comment['public'] : null,
    author: typeof authorId === 'number' ? call.world.store.user(authorId) : null,
  };
};

const unpermitted = (input: Record<string, unknown>): string[] =>
  Object.keys(input)
    .filter((key) => !TICKET_KEYS.has(key))
    .map((key) => `ticket.${key}`);

interface AuditEvent {
  readonly [key: string]: unknown;
}

const auditView = (
  row: TicketRow,
  author: UserRow,
  id: number,
  now: number,
  events: readonly AuditEvent[],
): object => ({
  id,
  ticket_id: row.id,
  created_at: isoTime(now),
  author_id: author.id,
  metadata: { system: { client: 'sealdesk-simulator', ip_address: '192.0.2.17' }, custom: {} },
  events,
  via: { channel: 'api', source: { from: {}, to: {}, rel: 'web_service' } },
});

const createNow = (call: Call): Reply => {
  const { store, clock, messages } = call.world;
  const caller = userOf(call);
  const input = bodyObject(call, 'ticket');
  const now = Math.floor(clock.now() / 1000) * 1000;
  const validation = new Validation(messages);
  const comment = readComment(call, input);
  if (!comment || comment.body.trim() === '') {
    validation.add('base', {
      description: messages.blank('Description'),
      error: 'BlankValue',
      ticket_field_id: DESCRIPTION_FIELD_ID,
      ticket_field_type: 'FieldDescription',
    });
  }
  const changes = readChanges(call, input, validation);
  const followup = input['via_followup_source_id'];
  if (typeof followup === 'number' && store.ticket(followup)?.status !== 'closed') {
    validation.invalid('via_followup_source_id', 'Via followup source', followup);
  }
  validation.assertValid();
  const requester = resolvePerson(call, input, validation) ?? caller;
  if (requester.suspended) {
    validation.add('requester', { description: messages.suspended(requester.name) });
  }
  validation.assertValid();
  const isPublic = comment?.public ?? true;
  const status = changes.status ?? (changes.assigneeId ? 'open' : 'new');
  const row: TicketRow = {
    id: store.nextTicketId(),
    createdAt: now,
    updatedAt: now,
    generatedAt: now / 1000,
    solvedAt: status === 'solved' || status === 'closed' ? now : null,
    deletedAt: null,
    deletedBy: null,
    scrubbed: false,
    subject: null,
    priority: null,
    type: null,
    submitterId: caller.id,
    assigneeId: null,
    groupId: null,
    problemId: null,
    followupSourceId: typeof followup === 'number' ? followup : null,
    externalId: null,
    dueAt: null,
    channel: 'api',
    tags: [],
    collaboratorIds: [],
    customFields: new Map(),
    satisfaction: 'unoffered',
    isPublic,
    aiAgent: false,
    commentCount: 0,
    story: -1,
    comments: [],
    ...changes,
    requesterId: requester.id,
    organizationId: changes.organizationId ?? requester.organizationId,
    status,
  };
  const author = comment?.author ?? requester;
  const first = {
    authorId: author.id,
    body: comment?.body ?? '',
    public: isPublic,
    createdAt: now,
    channel: 'api',
  };
  const added = store.createTicket(row, first, caller.id, clock.now());
  const audit = auditView(row, caller, added.auditId, now, [
    {
      id: added.id,
      type: 'Comment',
      author_id: author.id,
      body: added.body,
      public: added.public,
      attachments: [],
    },
    { id: added.id + 100_000_000, type: 'Create', field_name: 'subject', value: row.subject },
    { id: added.id + 100_000_001, type: 'Create', field_name: 'status', value: row.status },
  ]);
  return json(
    201,
    { ticket: ticketView(store, row, call.origin), audit },
    {
      location: `${call.origin}/api/v2/tickets/${row.id}.json`,
      ...warnUnpermitted('tickets', 'create', unpermitted(input)),
    },
  );
};

export const createTicket = (call: Call): Reply => {
  const key = call.headers['idempotency-key'];
  if (typeof key !== 'string' || key === '') return createNow(call);
  return call.world.idempotency.once(userOf(call).id, key, call.rawBody, () => createNow(call));
};

const assertFresh = (row: TicketRow, input: Record<string, unknown>): void => {
  if (input['safe_update'] === undefined) return;
  const stamp = input['updated_stamp'];
  if (typeof stamp === 'string' && Date.parse(stamp) === row.updatedAt) return;
  throw new Refusal(
    coded(
      409,
      'UpdateConflict',
      'Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data and try again.',
    ),
  );
};

const FIELD_NAMES: Readonly<Record<string, string>> = {
  subject: 'subject',
  status: 'status',
  priority: 'priority',
  type: 'type',
  assigneeId: 'assignee_id',
  groupId: 'group_id',
  requesterId: 'requester_id',
  organizationId: 'organization_id',
  externalId: 'external_id',
  tags: 'tags',
};

const changeEvents = (row: TicketRow, changes: Partial<TicketRow>, firstId: number): AuditEvent[] => {
  const before = new Map(Object.entries(row));
  return Object.entries(changes)
    .filter(([key, value]) => FIELD_NAMES[key] !== undefined && before.get(key) !== value)
    .map(([key, value], index) => ({
      id: firstId + index,
      type: 'Change',
      field_name: FIELD_NAMES[key],
      value,
      previous_value: before.get(key),
    }));
};

export const updateTicket = (call: Call): Reply => {
  const { store, clock, messages } = call.world;
  const caller = userOf(call);
  const row = store.ticket(idParam(call));
  if (!row) throw recordNotFound();
  const input = bodyObject(call, 'ticket');
  const validation = new Validation(messages);
  if (row.status === 'closed') validation.add('status', { description: messages.closed() });
  validation.assertValid();
  assertFresh(row, input);
  const comment = isRecord(input['comment']) ? readComment(call, input) : null;
  if (comment && comment.body.trim() === '') {
    validation.add('comment', { description: messages.blank('Comment'), error: 'BlankValue' });
  }
  if (comment && row.commentCount >= MAX_COMMENTS) {
    validation.add('comment', { description: messages.tooMany('Comment'), error: 'TooManyValues' });
  }
  const changes = readChanges(call, input, validation);
  validation.assertValid();
  const requester = resolvePerson(call, input, validation);
  validation.assertValid();
  const now = Math.floor(clock.now() / 1000) * 1000;
  const status =
    changes.status ??
    (row.status === 'new' && (changes.assigneeId ?? row.assigneeId) !== null ? 'open' : row.status);
  const full: Partial<TicketRow> = {
    ...changes,
    status,
    ...(requester ? { requesterId: requester.id } : {}),
    ...(status === 'solved' && row.status !== 'solved' ? { solvedAt: now } : {}),
    ...(status !== 'solved' && status !== 'closed' ? { solvedAt: null } : {}),
  };
  const author = comment?.author ?? caller;
  const before = { ...row };
  const added = store.changeTicket(
    row,
    {
      action: 'updated',
      actorId: caller.id,
      changes: full,
      comment: comment && {
        authorId: author.id,
        body: comment.body,
        // As the first one, which need not be as public as the ticket has become.
        public: comment.public ?? store.comments(row)[0]?.public ?? row.isPublic,
        createdAt: now,
        channel: 'api',
      },
    },
    clock.now(),
  );
  const events: AuditEvent[] = [];
  if (added) {
    events.push({
      id: added.id,
      type: 'Comment',
      author_id: author.id,
      body: added.body,
      public: added.public,
      attachments: [],
    });
  }
  const auditId = added?.auditId ?? 6_139_000_000_000 + store.version * 64;
  events.push(...changeEvents(before, full, auditId + 100_000_000));
  return json(
    200,
    { ticket: ticketView(store, row, call.origin), audit: auditView(row, caller, auditId, now, events) },
    warnUnpermitted('tickets', 'update', unpermitted(input)),
  );
};
