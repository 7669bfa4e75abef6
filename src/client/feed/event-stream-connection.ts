/**
 * A subscription over server-sent events, as graphql-sse has them for "distinct connections": one request, one
 * stream. It goes wherever `fetch` does, proxies included. It is read as it comes, not as it is asked for, so that the
 * age of a position is known.
 */
import { type Clock, encodeUtf8, parseUtf8 } from '../../base/index.ts';
import { GATEWAY_LIMITS, GatewayAnswerError, readBody } from '../gateway-transport.ts';
import { EventStreamParser } from './event-stream-parser.ts';
import type { FeedConnection, FeedRequest } from './feed-connection.ts';
import { TICKET_CHANGES_DOCUMENT } from './feed-event.ts';
import { ConnectionLostError, failureOf, NOT_REACHED } from './feed-failure.ts';
import { Inbox } from './inbox.ts';

const EVENT_STREAM = 'text/event-stream';

export interface EventStreamPlatform {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

export function openEventStreamConnection(
  request: FeedRequest,
  platform: EventStreamPlatform,
): FeedConnection {
  const inbox = new Inbox();
  const closing = new AbortController();
  const end = (reason: unknown): void => {
    // `fetch` and its streams reject with TypeError for a network that broke.
    const isKnown = reason instanceof Error && !(reason instanceof TypeError);
    inbox.end(isKnown ? reason : new ConnectionLostError(NOT_REACHED, { cause: reason }));
    closing.abort();
  };
  read(request, platform, inbox, closing.signal).then(end, end);
  return {
    receive: () => inbox.receive(),
    close: () => end(new ConnectionLostError('The connection was closed.')),
  };
}

/** Puts what comes into `inbox`. Resolves with why nothing comes any more, where it was not a failure to read. */
async function read(
  request: FeedRequest,
  { fetch, clock }: EventStreamPlatform,
  inbox: Inbox,
  signal: AbortSignal,
): Promise<Error> {
  const reader = await openStream(request, fetch, signal);
  const parser = new EventStreamParser();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (;;) {
    const { value } = await reader.read();
    if (value === undefined) return new ConnectionLostError('The connection ended.');
    for (const { event, data } of parser.push(decoder.decode(value, { stream: true }))) {
      if (event === 'complete') return new ConnectionLostError('The gateway ended the subscription.');
      const isTaken = event !== 'next' || inbox.put(parseJson(data), data.length, clock.now());
      if (!isTaken) return new ConnectionLostError('The connection was closed.');
    }
  }
}

async function openStream(
  { endpoint, apiKey, login, keyId, variables }: FeedRequest,
  fetch: EventStreamPlatform['fetch'],
  signal: AbortSignal,
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const body = encodeUtf8(JSON.stringify({ query: TICKET_CHANGES_DOCUMENT, variables }));
  const token = (await login?.({ method: 'POST', path: 'graphql', body })) ?? null;
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      accept: EVENT_STREAM,
      'content-type': 'application/json',
      'x-sealdesk-key': keyId,
      ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body,
    redirect: 'error',
    cache: 'no-store',
    signal,
  });
  const { status, headers, body: stream } = response;
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (status === 200 && type === EVENT_STREAM && stream !== null) return stream.getReader();
  throw await refusalOf(response);
}

/** What an answer tells that is no event stream. */
async function refusalOf(response: Response): Promise<Error> {
  const text = parseUtf8(await readBody(response, GATEWAY_LIMITS.maxAnswer));
  try {
    return failureOf(JSON.parse(text ?? ''));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return new GatewayAnswerError(`The gateway answered without an event stream (HTTP ${response.status}).`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new GatewayAnswerError('The gateway sent an event that is no JSON.');
  }
}
