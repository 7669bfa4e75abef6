/** A connection that carries one subscription: the port of the transports. */
import type { KeyLogin } from '../key-login.ts';
import type { FeedVariables } from './feed-event.ts';

/** An execution result as it came, untrusted. */
export interface ReceivedResult {
  readonly result: unknown;
  /** Milliseconds since 1970, when it came. */
  readonly at: number;
}

/** Begun when it is made; how that went is told by the first `receive`. */
export interface FeedConnection {
  /**
   * The next result. Rejects with what ended the connection, after all that came before: SealdeskError or
   * GatewayAnswerError as the gateway told it, ConnectionLostError, ConnectionPaused. One call at a time.
   */
  receive(): Promise<ReceivedResult>;
  /** Ends it, however often it is called; a `receive` that waits rejects. */
  close(): void;
}

export interface FeedRequest {
  /** The GraphQL endpoint, http or https. */
  readonly endpoint: URL;
  readonly apiKey: string | undefined;
  /** Signs each connection's login, `null` where it logs in otherwise. */
  readonly login: KeyLogin | null;
  /** The recipient. */
  readonly keyId: string;
  readonly variables: FeedVariables;
}
