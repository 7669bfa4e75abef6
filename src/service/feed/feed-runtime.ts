/** What a process needs of its change feeds beside the database: who is connected, what seals, and hints. */
import type { Call } from '../../proxy/index.ts';
import type { FeedSealer } from './feed-sealer.ts';
import type { SessionOptions, TicketSession } from './ticket-session.ts';

export interface FeedRuntime extends AsyncDisposable {
  readonly sealer: FeedSealer;
  /** A session for who calls. Rejects with UNAUTHENTICATED, the failures of the recipient, and TOO_MANY_REQUESTS. */
  openSession(call: Call, options: SessionOptions): Promise<TicketSession>;
  /**
   * Calls `wake` when a ticket of an integration may have been marked, `null` for any, until what is returned is
   * called.
   */
  onMarked(wake: (integrationId: string | null) => void): () => void;
}
