/**
 * A subscription over `graphql-transport-ws`, one to a socket. `graphql-ws` speaks the protocol, loaded when it is
 * needed; its own retries are off, since each attempt here begins at the place that was reached.
 */
import type { Clock } from '../../base/index.ts';
import type { FeedConnection, FeedRequest } from './feed-connection.ts';
import { TICKET_CHANGES_DOCUMENT } from './feed-event.ts';
import { ConnectionLostError, failureOf, failureOfClose, NOT_REACHED } from './feed-failure.ts';
import { Inbox } from './inbox.ts';

/** Milliseconds from the open socket to the gateway's word that it takes us. */
const ACK_TIMEOUT = 10_000;
/** Characters of an event beside its ciphertext, somewhat more than they are. */
const EVENT_OVERHEAD = 8 * 1024;

export interface WebSocketPlatform {
  readonly WebSocket: typeof WebSocket;
  readonly clock: Clock;
}

export function openWebSocketConnection(request: FeedRequest, platform: WebSocketPlatform): FeedConnection {
  const inbox = new Inbox();
  let stop: (() => void) | null = null;
  let isEnded = false;
  const end = (reason: Error): void => {
    isEnded = true;
    inbox.end(reason);
    stop?.();
  };
  connect(request, platform, inbox, end).then(
    (opened) => {
      stop = opened;
      if (isEnded) stop();
    },
    (cause: unknown) => end(new ConnectionLostError('The WebSocket could not be made.', { cause })),
  );
  return {
    receive: () => inbox.receive(),
    close: () => end(new ConnectionLostError('The connection was closed.')),
  };
}

/** Begins; what comes goes to `inbox`, and `end` is called with why nothing comes any more. How to stop it. */
async function connect(
  { endpoint, apiKey, login, keyId, variables }: FeedRequest,
  { WebSocket, clock }: WebSocketPlatform,
  inbox: Inbox,
  end: (reason: Error) => void,
): Promise<() => void> {
  const { createClient } = await import('graphql-ws/client');
  const url = new URL(endpoint);
  url.protocol = endpoint.protocol === 'http:' ? 'ws:' : 'wss:';
  let isAcknowledged = false;
  let isStopped = false;
  const client = createClient({
    url: url.href,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionAckWaitTimeout: ACK_TIMEOUT,
    // Signed when the socket is open, so that the way there costs nothing of its time.
    connectionParams: async () => ({
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(login === null ? {} : { token: await login({ method: 'GET', path: 'graphql' }) }),
      clientKey: keyId,
    }),
    on: {
      connected: () => {
        isAcknowledged = true;
      },
      // Before graphql-ws acts on it: a close with 1000 would make it subscribe again, from the old place.
      closed: (event) => end(reasonOfClose(event)),
    },
  });
  const unsubscribe = client.subscribe(
    { query: TICKET_CHANGES_DOCUMENT, variables: { ...variables } },
    {
      next(result) {
        if (!inbox.put(result, charactersOf(result), clock.now())) stop();
      },
      error: (reason) => end(reasonOfError(reason)),
      complete: () => end(new ConnectionLostError('The gateway ended the subscription.')),
    },
  );
  const stop = (): void => {
    if (isStopped) return;
    isStopped = true;
    unsubscribe();
    if (!isAcknowledged) client.terminate();
  };
  return stop;
}

function charactersOf({ data }: { readonly data?: unknown }): number {
  const event: unknown = Object(data).ticketChanges;
  const ciphertext: unknown = Object(Object(event).envelope).encrypted?.ciphertext_data;
  return EVENT_OVERHEAD + (typeof ciphertext === 'string' ? ciphertext.length : 0);
}

function reasonOfClose(event: unknown): Error {
  const { code, reason } = Object(event);
  return failureOfClose(Number(code), typeof reason === 'string' ? reason : '');
}

/** What `graphql-ws` calls an error: those of the subscription, a message it does not understand, a socket that broke. */
function reasonOfError(reason: unknown): Error {
  if (Array.isArray(reason)) return failureOf({ errors: reason });
  return new ConnectionLostError(NOT_REACHED, { cause: reason });
}
