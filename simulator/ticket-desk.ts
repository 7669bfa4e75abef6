/**
 * Changes tickets from outside the API: for tests and demos that play the account's agents. Every change runs
 * through the API's own handler as the account's administrator, so that checks, events and history are the
 * same; it needs no login, draws from no limit and is not in the request log.
 */
import { ADMIN_EMAIL } from './account.ts';
import type { Handler, World } from './call.ts';
import { deleteTicket, mergeTickets, restoreTicket, scrubTicket } from './deleted-tickets.ts';
import { createDeskCall } from './desk-call.ts';
import type { Reply } from './reply.ts';
import { ticketView } from './ticket-view.ts';
import { createTicket, updateTicket } from './ticket-write.ts';

type Fields = Readonly<Record<string, unknown>>;

export class TicketDesk {
  readonly #world: () => World;
  readonly #origin: () => string;

  constructor(world: () => World, origin: () => string) {
    this.#world = world;
    this.#origin = origin;
  }

  #run(handler: Handler, method: string, id: number | null, body: unknown): Reply {
    const world = this.#world();
    const user = world.store.userByEmail(ADMIN_EMAIL);
    if (!user) throw new RangeError(`the account has no ${ADMIN_EMAIL}`);
    const params = id === null ? [] : [id];
    return handler(
      createDeskCall(world, this.#origin(), user, { method, path: '/api/v2/tickets', params, body }),
    );
  }

  /** `fields` as in `{"ticket":{…}}` of the API; answers as the API does, refusals included. */
  create(fields: Fields): Reply {
    return this.#run(createTicket, 'POST', null, { ticket: fields });
  }

  change(id: number, fields: Fields): Reply {
    return this.#run(updateTicket, 'PUT', id, { ticket: fields });
  }

  delete(id: number): Reply {
    return this.#run(deleteTicket, 'DELETE', id, undefined);
  }

  restore(id: number): Reply {
    return this.#run(restoreTicket, 'PUT', id, undefined);
  }

  /** Deletes for good, whether the ticket is in the trash already or not. */
  scrub(id: number): Reply {
    if (this.#world().store.ticket(id)) this.delete(id);
    return this.#run(scrubTicket, 'DELETE', id, undefined);
  }

  merge(id: number, ids: readonly number[]): Reply {
    return this.#run(mergeTickets, 'POST', id, { ids });
  }

  /**
   * A change of the system's own: `generated_timestamp` moves to the present second, `updated_at` does not, and
   * no webhook tells of it. False when there is no such ticket. Within the second of the ticket's last change
   * there is nothing to move.
   */
  systemUpdate(id: number): boolean {
    const { store, clock } = this.#world();
    const row = store.anyTicket(id);
    if (!row) return false;
    store.changeTicket(row, { action: 'system', actorId: row.submitterId }, clock.now());
    return true;
  }

  /** The ticket's JSON as it is now, deleted or not; null when there is none of this id. */
  current(id: number): Record<string, unknown> | null {
    const { store } = this.#world();
    const row = store.anyTicket(id);
    return row && ticketView(store, row, this.#origin());
  }
}
