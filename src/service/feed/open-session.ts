import type { Recipient } from '../../access/index.ts';
import type { SealdeskError } from '../../base/index.ts';
import type { AuthenticatedCall } from '../../proxy/index.ts';
import type { FeedIterator } from './feed-iterator.ts';
import type { TicketFeedEvent } from './ticket-feed-event.ts';
import type { TicketSession, TicketSubscription } from './ticket-session.ts';

/** For whom a session's entries are sealed. */
export type Recipiency = Pick<Recipient, 'keyId' | 'lineageId'>;

export interface SessionPort {
  readonly subscribe: (subscription: TicketSubscription) => Promise<FeedIterator>;
  /** Called once, where a failure ended it. */
  readonly onEnd: (failure: SealdeskError) => void;
  /** Called once, however it ended. */
  readonly onClosed: () => void;
}

/** OPEN until it is closed, by who opened it or because a key of its caller has ended; then over for good. */
export class OpenSession implements TicketSession {
  readonly call: AuthenticatedCall;
  readonly recipient: Recipiency;
  readonly #port: SessionPort;
  /** By integration. */
  readonly #iterators = new Map<string, Set<FeedIterator>>();
  #isOver = false;
  #failure: SealdeskError | null = null;

  constructor(call: AuthenticatedCall, recipient: Recipiency, port: SessionPort) {
    this.call = call;
    this.recipient = recipient;
    this.#port = port;
  }

  subscriptions(): readonly (readonly [integrationId: string, iterators: readonly FeedIterator[]])[] {
    return [...this.#iterators].map(([integrationId, iterators]) => [integrationId, [...iterators]]);
  }

  async subscribe(
    subscription: TicketSubscription,
    signal: AbortSignal,
  ): Promise<AsyncIterableIterator<TicketFeedEvent>> {
    this.#assertOpen();
    const { integrationId } = subscription;
    const iterator = await this.#port.subscribe(subscription);
    const iterators = this.#iterators.get(integrationId) ?? new Set();
    this.#iterators.set(integrationId, iterators);
    iterators.add(iterator);
    const stop = (): void => iterator.end();
    signal.addEventListener('abort', stop, { once: true });
    iterator.onceOver(() => {
      signal.removeEventListener('abort', stop);
      iterators.delete(iterator);
      if (iterators.size === 0) this.#iterators.delete(integrationId);
    });
    if (signal.aborted) iterator.end();
    // The session may have ended while the subscription began.
    if (this.#isOver) iterator.end(this.#failure);
    return iterator;
  }

  /** Ends the session with all its subscriptions. */
  end(failure: SealdeskError): void {
    if (this.#isOver) return;
    this.#failure = failure;
    this.#close(failure);
    this.#port.onEnd(failure);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close(null);
  }

  #close(failure: SealdeskError | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const iterators of this.#iterators.values()) {
      for (const iterator of [...iterators]) iterator.end(failure);
    }
    this.#port.onClosed();
  }

  #assertOpen(): void {
    if (!this.#isOver) return;
    throw this.#failure ?? new TypeError('"subscribe" was called on a session that is closed');
  }
}
