/** Deleting tickets, the trash (`/deleted_tickets`), permanent deletion and merging. */
import { type Call, idParam, userOf } from './call.ts';
import { jobQueued } from './jobs.ts';
import { compareRows, type Order, pageByCursor, pageByOffset, wantsCursor } from './pagination.ts';
import { isoTime } from './people-view.ts';
import type { TicketRow } from './records.ts';
import { empty, invalidAttribute, json, type Reply, recordNotFound } from './reply.ts';
import { deleteRow, mergeRows, restoreRow, scrubRow } from './ticket-life.ts';
import { isIdList, isRecord, Validation } from './validation.ts';

const BY_ID: Order<TicketRow> = {
  name: 'id',
  descending: false,
  key: (row) => row.id,
  id: (row) => row.id,
};

export const deleteTicket = (call: Call): Reply => {
  const { store, clock } = call.world;
  const row = store.ticket(idParam(call));
  if (!row) throw recordNotFound();
  deleteRow(store, row, userOf(call).id, clock.now());
  return empty(204);
};

const deletedView = (call: Call, row: TicketRow): object => {
  const actor = row.deletedBy === null ? null : call.world.store.user(row.deletedBy);
  return {
    id: row.id,
    subject: row.subject,
    description: call.world.store.description(row),
    actor: { id: actor?.id ?? null, name: actor?.name ?? null },
    deleted_at: isoTime(row.deletedAt ?? 0),
    previous_state: row.status,
  };
};

/** The trash: what was deleted and can be restored. */
export const listDeletedTickets = (call: Call): Reply => {
  const { store } = call.world;
  const rows = store.tickets
    .filter((row) => row.deletedAt !== null && !row.scrubbed)
    .sort(compareRows(BY_ID));
  const page = wantsCursor(call.query) ? pageByCursor(call, rows, BY_ID) : pageByOffset(call, rows);
  return json(200, { deleted_tickets: page.rows.map((row) => deletedView(call, row)), ...page.fields });
};

export const restoreTicket = (call: Call): Reply => {
  const { store, clock } = call.world;
  const row = store.deletedTicket(idParam(call));
  if (!row) throw recordNotFound();
  restoreRow(store, row, userOf(call).id, clock.now());
  return json(200, {});
};

/** Permanent deletion; at Zendesk a background job, here done at once. */
export const scrubTicket = (call: Call): Reply => {
  const { store, clock } = call.world;
  const row = store.deletedTicket(idParam(call));
  if (!row) throw recordNotFound();
  scrubRow(store, row, userOf(call).id, clock.now());
  return jobQueued(call, 'Bulk Delete Ticket', 1, { success: true });
};

const optionalText = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Merges `ids` into the ticket of the path. Sources that can't be merged are told in the job's results. */
export const mergeTickets = (call: Call): Reply => {
  const { store, clock, messages } = call.world;
  const target = store.ticket(idParam(call));
  if (!target) throw recordNotFound();
  const input = isRecord(call.body) ? call.body : {};
  const { ids } = input;
  if (!isIdList(ids) || ids.length === 0)
    throw invalidAttribute('ids', 'must be a list of ids', 'tickets/merge');
  if (target.status === 'closed') {
    const validation = new Validation(messages);
    validation.add('status', { description: messages.closed() });
    validation.assertValid();
  }
  const sources: TicketRow[] = [];
  const results = [...new Set(ids)].map((id, index) => {
    const source = id === target.id ? null : store.ticket(id);
    if (!source) return { index, id, error: 'TicketNotFound', details: 'Not found' };
    if (source.status === 'closed') return { index, id, error: 'RecordInvalid', details: messages.closed() };
    sources.push(source);
    return { index, id, action: 'merge', success: true, status: 'Merged' };
  });
  mergeRows(store, target, sources, {
    actorId: userOf(call).id,
    now: clock.now(),
    sourceComment: optionalText(input['source_comment']),
    targetComment: optionalText(input['target_comment']),
    sourcePublic: input['source_comment_is_public'] === true,
    targetPublic: input['target_comment_is_public'] === true,
  });
  return jobQueued(call, 'Merge Ticket', results.length, results);
};
