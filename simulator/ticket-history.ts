/**
 * The true history: every version of every ticket that changed, as show_many would have shown it then (a
 * deleted one as the export shows it). What a client that follows the account made of it can be held against
 * this. Kept as text, so that nobody can change it afterwards; bounded, the oldest versions go first.
 */
import type { TicketAction, TicketChange } from './journal.ts';
import type { TicketRow } from './records.ts';
import type { Store } from './store.ts';
import { ticketView } from './ticket-view.ts';

export interface TicketVersion {
  /** Order over all tickets; 1 for the first version kept. */
  readonly sequence: number;
  readonly ticketId: number;
  /** What made this version; `seeded` = how the ticket was before its first change. */
  readonly action: TicketAction | 'seeded';
  /** `2026-04-22T06:32:35Z`, as in the snapshot. */
  readonly updatedAt: string;
  /** Unix seconds. */
  readonly generatedTimestamp: number;
  /** `deleted` when the ticket was. */
  readonly status: string;
  /** The ticket's JSON, parsed anew at every reading. */
  readonly snapshot: Readonly<Record<string, unknown>>;
}

interface Kept {
  readonly sequence: number;
  readonly ticketId: number;
  readonly action: TicketVersion['action'];
  readonly json: string;
}

const versionOf = ({ sequence, ticketId, action, json }: Kept): TicketVersion => {
  const snapshot: Record<string, unknown> = JSON.parse(json);
  return {
    sequence,
    ticketId,
    action,
    updatedAt: String(snapshot['updated_at']),
    generatedTimestamp: Number(snapshot['generated_timestamp']),
    status: String(snapshot['status']),
    snapshot,
  };
};

export class TicketHistory {
  readonly #store: Store;
  readonly #capacity: number;
  readonly #origin: () => string;
  readonly #byTicket = new Map<number, Kept[]>();
  /** Tickets by the order of their versions, oldest at `#head`. */
  #order: number[] = [];
  #head = 0;
  #sequence = 0;

  /** Listens to the store's journal from now on; `origin` is what `url` in the snapshots begins with. */
  constructor(store: Store, capacity: number, origin: () => string) {
    this.#store = store;
    this.#capacity = capacity;
    this.#origin = origin;
    store.journal.subscribe((change) => this.#record(change));
  }

  #record(change: TicketChange): void {
    const { row, before, action } = change;
    if (before !== null && !this.#byTicket.has(row.id)) this.#keep(before, 'seeded');
    this.#keep(row, action);
  }

  #keep(row: Readonly<TicketRow>, action: Kept['action']): void {
    this.#sequence += 1;
    const json = JSON.stringify(ticketView(this.#store, row, this.#origin()));
    const kept: Kept = { sequence: this.#sequence, ticketId: row.id, action, json };
    const versions = this.#byTicket.get(row.id);
    if (versions) versions.push(kept);
    else this.#byTicket.set(row.id, [kept]);
    this.#order.push(row.id);
    if (this.#order.length - this.#head > this.#capacity) this.#dropOldest();
  }

  #dropOldest(): void {
    const id = this.#order[this.#head];
    this.#head += 1;
    const versions = id === undefined ? undefined : this.#byTicket.get(id);
    versions?.shift();
    if (id !== undefined && versions?.length === 0) this.#byTicket.delete(id);
    if (this.#head > 1024 && this.#head * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The kept versions of a ticket, oldest first; one that never changed has its present state only. Empty = no such ticket. */
  versions(id: number): TicketVersion[] {
    const kept = this.#byTicket.get(id);
    if (kept) return kept.map(versionOf);
    const row = this.#store.anyTicket(id);
    if (!row) return [];
    const json = JSON.stringify(ticketView(this.#store, row, this.#origin()));
    return [versionOf({ sequence: 0, ticketId: id, action: 'seeded', json })];
  }
}
