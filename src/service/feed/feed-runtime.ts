/** What a process needs of what it feeds beside the database: who is connected, what seals, and hints. */
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
  /** Calls `wake` when an export of an audit log may have been asked for, until what is returned is called. */
  onExportWanted(wake: () => void): () => void;
  /** Calls `wake` when a token of a credential may have been stored, `null` for any, until what is returned is called. */
  onTokens(wake: (credentialId: string | null) => void): () => void;
  /** Calls `wake` when an access sync was asked for or came further, until what is returned is called. */
  onSyncChange(wake: () => void): () => void;
}
