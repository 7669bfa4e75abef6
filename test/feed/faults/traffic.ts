/** Agents at work in the simulated Zendesk: changes of tickets, many a second, the same ones for the same seed. */
import type { Simulator } from '../../../simulator/index.ts';

export interface TrafficOptions {
  readonly perSecond: number;
  readonly seed: number;
}

const STATUSES = ['open', 'pending', 'hold', 'solved'];
const PRIORITIES = ['low', 'normal', 'high', 'urgent'];

/** 0 ≤ x < 1, the same row of numbers for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Tickets of the data that agents still work on, by ascending id. */
export function workableTickets({ tickets }: Simulator): readonly number[] {
  return tickets
    .all()
    .filter(({ status }) => status !== 'closed')
    .map(({ id }) => id);
}

export class Traffic implements Disposable {
  /** Every ticket that was changed. */
  readonly touched = new Set<number>();
  readonly #simulator: Simulator;
  readonly #random: () => number;
  readonly #perSecond: number;
  readonly #waiters = new Set<{ readonly count: number; readonly resolve: () => void }>();
  #tickets: readonly number[];
  #timer: NodeJS.Timeout | null = null;
  #made = 0;

  constructor(simulator: Simulator, { perSecond, seed }: TrafficOptions) {
    this.#simulator = simulator;
    this.#perSecond = perSecond;
    this.#random = createRandom(seed);
    this.#tickets = workableTickets(simulator).slice(0, 30);
  }

  /** Changes made since the beginning. */
  get made(): number {
    return this.#made;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#act(), 1_000 / this.#perSecond);
  }

  stop(): void {
    clearInterval(this.#timer ?? undefined);
    this.#timer = null;
  }

  /** From now on these tickets are changed, and no others: what was lost of the others stays to be seen. */
  turnTo(tickets: readonly number[]): void {
    this.#tickets = tickets;
  }

  /** Resolves when `count` more changes were made. */
  async makes(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.add({ count: this.#made + count, resolve });
    await promise;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #act(): void {
    const id = this.#pick(this.#tickets);
    this.#change(id);
    this.touched.add(id);
    this.#made += 1;
    for (const waiter of this.#waiters) {
      if (this.#made < waiter.count) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #change(id: number): void {
    const { tickets } = this.#simulator;
    const ticket = tickets.current(id);
    const dice = this.#random();
    const status = ticket?.['status'];
    if (status === 'deleted') {
      if (ticket?.['subject'] === 'SCRUBBED') return;
      if (dice < 0.1) tickets.scrub(id);
      else if (dice < 0.7) tickets.restore(id);
    } else if (dice < 0.06) {
      tickets.delete(id);
    } else if (dice < 0.1) {
      tickets.systemUpdate(id);
    } else if (status !== 'closed') {
      tickets.change(id, this.#fields(dice));
    }
  }

  /** The subject tells each change from every other; more fields make more webhooks of one change. */
  #fields(dice: number): Readonly<Record<string, unknown>> {
    return {
      subject: `Change ${this.#made}`,
      ...(dice < 0.5 ? { priority: this.#pick(PRIORITIES) } : {}),
      ...(dice < 0.3 ? { status: this.#pick(STATUSES), tags: [`t${this.#made}`] } : {}),
      ...(dice < 0.2 ? { comment: { body: `Note ${this.#made}`, public: dice < 0.15 } } : {}),
    };
  }

  #pick<T>(list: readonly T[]): T {
    const one = list[Math.floor(this.#random() * list.length)];
    if (one === undefined) throw new RangeError('"list" must not be empty');
    return one;
  }
}
