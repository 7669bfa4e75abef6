/**
 * What happens to tickets, told in order to whoever listens: the history and the webhooks. A change is told
 * once, after the row has moved and before the next change can begin; listeners are synchronous and must not
 * change tickets themselves.
 */
import type { CommentRow, TicketRow } from './records.ts';

/** `system`: a change of the system's own that moves `generated_timestamp` only. */
export type TicketAction = 'created' | 'updated' | 'deleted' | 'restored' | 'scrubbed' | 'merged' | 'system';

export interface TicketChange {
  readonly action: TicketAction;
  /** The row as it is now; live, so read it at once. */
  readonly row: Readonly<TicketRow>;
  /** The row's fields as they were; null when the ticket is new. */
  readonly before: Readonly<TicketRow> | null;
  /** The comment that came with the change. */
  readonly comment: CommentRow | null;
  /** The ticket that took over a merged one. */
  readonly mergedInto: number | null;
  /** Who did it. */
  readonly actorId: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export class Journal {
  readonly #listeners = new Set<(change: TicketChange) => void>();

  /** Calls back after every change until the returned function is called. */
  subscribe(listener: (change: TicketChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(change: TicketChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
