/** The `tickets` member of an open simulator: the stored rows to look at, and the desk that changes them. */
import { assertDone, createdId } from './desk-answers.ts';
import type { TicketsControl } from './simulator.ts';
import type { Store } from './store.ts';
import type { TicketDesk } from './ticket-desk.ts';

/** `store` is looked up at every use, since a reset replaces it. */
export const createTicketsControl = (store: () => Store, desk: TicketDesk): TicketsControl => ({
  get count() {
    return store().tickets.reduce((count, row) => count + (row.deletedAt === null ? 1 : 0), 0);
  },
  get: (id) => store().ticket(id),
  comments: (id) => {
    const row = store().ticket(id);
    return row ? store().comments(row) : [];
  },
  all: () => store().tickets.filter((row) => row.deletedAt === null),
  description: (id) => {
    const row = store().ticket(id);
    return row ? store().description(row) : null;
  },
  current: (id) => desk.current(id),
  create: (fields) =>
    createdId(
      assertDone(() => desk.create(fields)),
      'ticket',
    ),
  change: (id, fields) => {
    assertDone(() => desk.change(id, fields));
  },
  delete: (id) => {
    assertDone(() => desk.delete(id));
  },
  restore: (id) => {
    assertDone(() => desk.restore(id));
  },
  scrub: (id) => {
    assertDone(() => desk.scrub(id));
  },
  merge: (id, ids) => {
    assertDone(() => desk.merge(id, ids));
  },
  systemUpdate: (id) => {
    if (!desk.systemUpdate(id)) throw new RangeError(`"id" must be that of a ticket, got ${id}`);
  },
});
