import type { Recipient } from '../../access/index.ts';
import { SealdeskError } from '../../base/index.ts';
import type { AuthenticatedCall } from '../../proxy/index.ts';
import type { AccessSyncRunView } from '../access-sync/sync-view.ts';
import type { AuditTailEvent } from '../audit/audit-tail-event.ts';
import type { SessionIterator } from '../session-iterator.ts';
import type { FeedIterator } from './feed-iterator.ts';
import type { TicketFeedEvent } from './ticket-feed-event.ts';
import type { TicketSession, TicketSubscription } from './ticket-session.ts';

/** For whom a session's entries are sealed. */
export type Recipiency = Pick<Recipient, 'keyId' | 'lineageId' | 'restriction'>;

export interface SessionPort {
  readonly subscribe: (subscription: TicketSubscription) => Promise<FeedIterator>;
  readonly followAudit: (after: string | null) => Promise<SessionIterator<AuditTailEvent>>;
  readonly followSync: (runId: string) => Promise<SessionIterator<AccessSyncRunView>>;
  /** Called once, where a failure ended it. */
  readonly onEnd: (failure: SealdeskError) => void;
  /** Called once, where its login became too old. */
  readonly onExpired: () => void;
  /** Called once, however it ended. */
  readonly onClosed: () => void;
}

/** OPEN until it is closed, by who opened it, because a key of its caller has ended or its login is too old; then over for good. */
export class OpenSession implements TicketSession {
  readonly call: AuthenticatedCall;
  /** `null` for who has no client key, and follows the audit log or an access sync only. */
  readonly recipient: Recipiency | null;
  /** When its login is too old, in milliseconds since 1970. */
  readonly until: number;
  readonly #port: SessionPort;
  /** By integration. */
  readonly #iterators = new Map<string, Set<FeedIterator>>();
  /** What is followed in the clear. */
  readonly #clear = new Set<SessionIterator<unknown>>();
  #isOver = false;
  #failure: SealdeskError | null = null;

  constructor(call: AuthenticatedCall, recipient: Recipiency | null, until: number, port: SessionPort) {
    this.call = call;
    this.recipient = recipient;
    this.until = until;
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
    iterator.onceOver(() => {
      iterators.delete(iterator);
      if (iterators.size === 0) this.#iterators.delete(integrationId);
    });
    return this.#hold(iterator, signal);
  }

  async followAudit(
    after: string | null,
    signal: AbortSignal,
  ): Promise<AsyncIterableIterator<AuditTailEvent>> {
    this.#assertOpen();
    return this.#holdClear(await this.#port.followAudit(after), signal);
  }

  async followSync(runId: string, signal: AbortSignal): Promise<AsyncIterableIterator<AccessSyncRunView>> {
    this.#assertOpen();
    return this.#holdClear(await this.#port.followSync(runId), signal);
  }

  /** Ends the session with all its subscriptions. */
  end(failure: SealdeskError): void {
    if (this.#isOver) return;
    this.#failure = failure;
    this.#close(failure);
    this.#port.onEnd(failure);
  }

  /** Ends the session with all its subscriptions, without a failure: whoever logs in anew goes on. */
  expire(): void {
    if (this.#isOver) return;
    this.#failure = loginTooOld();
    this.#close(null);
    this.#port.onExpired();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close(null);
  }

  #close(failure: SealdeskError | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const iterators of [...this.#iterators.values(), this.#clear]) {
      for (const iterator of [...iterators]) iterator.end(failure);
    }
    this.#port.onClosed();
  }

  #holdClear<Iterator extends SessionIterator<unknown>>(iterator: Iterator, signal: AbortSignal): Iterator {
    this.#clear.add(iterator);
    iterator.onceOver(() => this.#clear.delete(iterator));
    return this.#hold(iterator, signal);
  }

  /** The iterator, which ends with `signal`, and where the session has ended while it began. */
  #hold<Iterator extends SessionIterator<unknown>>(iterator: Iterator, signal: AbortSignal): Iterator {
    const stop = (): void => iterator.end();
    signal.addEventListener('abort', stop, { once: true });
    iterator.onceOver(() => signal.removeEventListener('abort', stop));
    if (signal.aborted) iterator.end();
    if (this.#isOver) iterator.end(this.#failure);
    return iterator;
  }

  #assertOpen(): void {
    if (!this.#isOver) return;
    throw this.#failure ?? new TypeError('"subscribe" was called on a session that is closed');
  }
}

/** What is told who subscribes in the moment in which the session is over. */
function loginTooOld(): SealdeskError {
  return new SealdeskError(
    'UNAUTHENTICATED',
    'The login of this connection is as old as it may become. Connect again with a new token.',
  );
}
