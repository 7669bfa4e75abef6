/** Somebody who follows the feed with the SDK, and keeps what came for comparing. A gap or a violation is a failure. */
import {
  type FeedState,
  type SealdeskClient,
  subscribeTicketChanges,
  type TicketChange,
  type TicketChanges,
} from '../../../src/client/index.ts';
import { describeReceived } from './oracle.ts';

export interface SubscriberOptions {
  readonly client: SealdeskClient;
  readonly integrationId: string;
  /** Processes with wrong clocks sign wrong times. */
  readonly maxClockSkewSeconds?: number;
}

export class Subscriber implements AsyncDisposable {
  /** Numbers of the stream, as they came. */
  readonly sequences: number[] = [];
  readonly states: FeedState[] = [];
  readonly #byTicket = new Map<number, string[]>();
  readonly #changes: TicketChanges;
  #news = Promise.withResolvers<void>();
  #failure: unknown = null;
  #reading: Promise<void> = Promise.resolve();

  constructor({ client, integrationId, maxClockSkewSeconds = 300 }: SubscriberOptions) {
    this.#changes = subscribeTicketChanges({
      ...{ client, integrationId, maxClockSkewSeconds, random: () => 0 },
      onState: (state) => {
        this.states.push(state);
        this.#tell();
      },
    });
  }

  /** Resolves when the first position is there; what changes from then on comes. */
  async begin(): Promise<void> {
    await this.#changes.ready();
    this.#reading = this.#read();
  }

  /** The versions of a ticket that came, oldest first. */
  of(ticketId: number): readonly string[] {
    return this.#byTicket.get(ticketId) ?? [];
  }

  get received(): number {
    return this.sequences.length;
  }

  /** Resolves when `wanted` is true, looking at every change and state. Rejects with what ended the subscription. */
  async until(wanted: () => boolean, signal: AbortSignal): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const stop = (): void => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!wanted()) {
        if (this.#failure !== null) throw this.#failure;
        signal.throwIfAborted();
        await Promise.race([this.#news.promise, late]);
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changes.return();
    await this.#reading;
  }

  async #read(): Promise<void> {
    try {
      for await (const change of this.#changes) this.#take(change);
    } catch (error) {
      this.#failure = error;
      this.#tell();
    }
  }

  #take({ content, sequence }: TicketChange): void {
    this.sequences.push(sequence);
    const versions = this.#byTicket.get(content.ticket_id);
    if (versions === undefined) this.#byTicket.set(content.ticket_id, [describeReceived(content)]);
    else versions.push(describeReceived(content));
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }
}
