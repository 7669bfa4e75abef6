/** A change feed in memory in place of the real one: what the edge does with it is what is looked at. */
import { createId, SealdeskError } from '../../../src/base/index.ts';
import type { HybridCryptoEnvelope } from '../../../src/envelope/index.ts';
import type { Call, Services, TicketFeedEvent, TicketSession } from '../../../src/service/index.ts';

/** An object of the form of an envelope, with `size` characters in it. */
export function fakeEnvelope(size = 16): HybridCryptoEnvelope {
  const text = 'A'.repeat(size);
  return {
    success: true,
    encrypted: {
      ciphertext_kem: text,
      ciphertext_data: '',
      nonce: '',
      tenant_id: createId('tenant'),
      algorithm: 'ML-KEM-768',
      protected: '',
    },
    signature: { pqc_signature: '', hmac_signature: '', algorithm: 'ML-DSA-65+HMAC-SHA-512' },
    audit_event_id: createId('auditEvent'),
  };
}

export function fakePosition(sequence: number): TicketFeedEvent {
  return { type: 'POSITION', cursor: `c${sequence}`, sequence, envelope: fakeEnvelope() };
}

export function fakeChange(sequence: number, envelope = fakeEnvelope()): TicketFeedEvent {
  const occurredAt = new Date(Date.UTC(2026, 10, 29, 12, 0, sequence));
  return { type: 'CHANGE', cursor: `c${sequence}`, sequence, occurredAt, envelope };
}

/** One session that was opened, as the feed saw it. */
export interface SeenSession {
  readonly call: Call;
  readonly onEnd: (failure: SealdeskError) => void;
  disposed: boolean;
}

/** One subscription, as the feed saw it. */
export interface SeenSubscription {
  readonly integrationId: string;
  readonly after: string | null;
  readonly signal: AbortSignal;
  /** How many events were pulled. */
  pulled: number;
}

/** Hands the events of one list to all that subscribe. */
export class FakeFeed {
  readonly events: TicketFeedEvent[] = [];
  readonly sessions: SeenSession[] = [];
  readonly subscriptions: SeenSubscription[] = [];
  /** Refuses every session. */
  sessionFailure: SealdeskError | null = null;
  /** Refuses every subscription. */
  refusal: SealdeskError | null = null;
  /** Every subscription waits for it before it begins. */
  beginning: Promise<void> = Promise.resolve();
  #failure: SealdeskError | null = null;
  #changed = Promise.withResolvers<void>();

  readonly openTicketSession: Services['openTicketSession'] = async (call, onEnd) => {
    if (this.sessionFailure !== null) throw this.sessionFailure;
    const { caller } = call;
    if (caller === null) throw new SealdeskError('UNAUTHENTICATED', 'This needs a key.');
    const seen: SeenSession = { call, onEnd, disposed: false };
    this.sessions.push(seen);
    const session: TicketSession = {
      call: { ...call, caller },
      subscribe: async ({ integrationId, after }, signal) => {
        await this.beginning;
        if (this.refusal !== null) throw this.refusal;
        const subscription: SeenSubscription = { integrationId, after, signal, pulled: 0 };
        this.subscriptions.push(subscription);
        signal.addEventListener('abort', () => this.#wake(), { once: true });
        this.#wake();
        return this.#follow(subscription);
      },
      followAudit: async () => {
        throw new SealdeskError('FORBIDDEN', 'This feed has tickets only.');
      },
      followSync: async () => {
        throw new SealdeskError('FORBIDDEN', 'This feed has tickets only.');
      },
      [Symbol.asyncDispose]: async () => {
        seen.disposed = true;
        this.#wake();
      },
    };
    return session;
  };

  publish(...events: readonly TicketFeedEvent[]): void {
    this.events.push(...events);
    this.#wake();
  }

  /** Ends every subscription, once it has everything, with `failure`. */
  fail(failure: SealdeskError): void {
    this.#failure = failure;
    this.#wake();
  }

  /** Resolves when `holds`, which is looked at whenever something happens here. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#changed.promise;
  }

  async *#follow(subscription: SeenSubscription): AsyncGenerator<TicketFeedEvent, void> {
    const { signal } = subscription;
    for (let next = 0; !signal.aborted; ) {
      const event = this.events[next];
      if (event !== undefined) {
        next += 1;
        subscription.pulled += 1;
        yield event;
      } else if (this.#failure !== null) throw this.#failure;
      else await this.#changed.promise;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
