/** What was due at webhooks and what became of it: a bounded log, and counts since the last reset. */

/**
 * `due` until it is settled; `delivered` by a 2xx; `failed` after the last attempt; `lost` on demand (a
 * disturbance); `dropped` unsent, as the queue was full, the breaker open or the webhook gone or inactive.
 */
export type DeliveryState = 'due' | 'delivered' | 'failed' | 'lost' | 'dropped';

export interface Attempt {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly outcome: 'answered' | 'timeout' | 'unreachable' | 'circuit_broken';
  /** Only of an answer. */
  readonly status: number | null;
}

/** One event on its way to one webhook. */
export interface Delivery {
  /** Order in which events fell due; 1 for the first since the start or the last reset. */
  readonly sequence: number;
  readonly webhookId: string;
  /** Stays the same over retries. */
  readonly invocationId: string;
  readonly eventId: string;
  readonly type: string;
  readonly ticketId: number;
  readonly body: string;
  /** A second delivery of the same event, made by a disturbance. */
  readonly duplicate: boolean;
  readonly state: DeliveryState;
  readonly attempts: readonly Attempt[];
}

/** A delivery as its lane moves it on. */
export interface OpenDelivery extends Delivery {
  state: DeliveryState;
  readonly attempts: Attempt[];
}

export class DeliveryLog {
  readonly #capacity: number;
  #entries: Delivery[] = [];
  #sequence = 0;
  #counts = new Map<DeliveryState, number>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The kept deliveries by the order they fell due; states move on in place. */
  get entries(): readonly Delivery[] {
    return this.#entries;
  }

  /** Settled deliveries by state, also those no longer kept. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort());
  }

  open(fields: Omit<Delivery, 'sequence' | 'state' | 'attempts'>): OpenDelivery {
    this.#sequence += 1;
    const delivery: OpenDelivery = { ...fields, sequence: this.#sequence, state: 'due', attempts: [] };
    this.#entries.push(delivery);
    if (this.#entries.length >= this.#capacity * 2) this.#entries = this.#entries.slice(-this.#capacity);
    return delivery;
  }

  settle(delivery: OpenDelivery, state: Exclude<DeliveryState, 'due'>): void {
    delivery.state = state;
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + 1);
  }

  clear(): void {
    this.#entries = [];
    this.#sequence = 0;
    this.#counts = new Map();
  }
}
