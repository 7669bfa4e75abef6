/**
 * `PUT /tickets/update_many`: one change for many tickets (`ids=`), or a change for each (`{"tickets":[…]}`).
 * What becomes of each ticket is told in the job, which is `completed` whatever that was.
 */
import { bodyObject, type Call } from './call.ts';
import { failedItem, jobQueued } from './jobs.ts';
import type { TicketRow } from './records.ts';
import { coded, invalidAttribute, Refusal, type Reply } from './reply.ts';
import { updateTicket } from './ticket-write.ts';
import { listParam } from './tickets.ts';
import { isRecord, isStringList } from './validation.ts';

const MAX_MANY = 100;

interface TicketItem {
  readonly id: number;
  readonly input: Readonly<Record<string, unknown>>;
}

const readItems = (call: Call): TicketItem[] => {
  const batch = isRecord(call.body) ? call.body['tickets'] : undefined;
  if (!Array.isArray(batch)) {
    const ids = listParam(call, 'ids');
    if (ids.length === 0) throw invalidAttribute('ids', 'is required', 'tickets/update_many');
    const input = bodyObject(call, 'ticket');
    return ids.map((id) => ({ id: Number(id), input }));
  }
  if (batch.length > MAX_MANY) {
    const text = `Parameter  cannot specify more than ${MAX_MANY} values`;
    throw new Refusal(coded(400, 'TooManyValues', text, { max_count: MAX_MANY }));
  }
  return batch.filter(isRecord).map((input) => ({ id: Number(input['id']), input }));
};

/** `additional_tags` and `remove_tags`, which only bulk updates know, as the tags they come to. */
const withTags = (row: TicketRow | null, input: TicketItem['input']): TicketItem['input'] => {
  const added = input['additional_tags'];
  const removed = input['remove_tags'];
  if (!row || (!isStringList(added) && !isStringList(removed))) return input;
  const tags = [...row.tags, ...(isStringList(added) ? added : [])];
  return { ...input, tags: tags.filter((tag) => !isStringList(removed) || !removed.includes(tag)) };
};

export const updateManyTickets = (call: Call): Reply => {
  const { store } = call.world;
  const results = readItems(call).map(({ id, input }, index) => {
    try {
      const ticket = withTags(store.ticket(id), input);
      updateTicket({ ...call, params: [String(id)], body: { ticket } });
      return { index, id, action: 'update', success: true, status: 'Updated' };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const name = error.reply.status === 404 ? 'TicketNotFound' : 'TicketUpdateFailed';
      return { index, id, ...failedItem(error.reply, name) };
    }
  });
  return jobQueued(call, 'Bulk Update Ticket', results.length, results);
};
