/**
 * The way from the page to the gateway: path and body go on unchanged, since the sealed answer names both,
 * and the API key is added here, where no page sees it. What comes back is passed on as it is: this
 * server cannot open it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

const REQUEST_HEADERS = ['accept', 'content-type', 'x-sealdesk-key', 'x-sealdesk-nonce'];
/** Bytes of a question; the gateway takes no longer one. */
const MAX_BODY = 1_048_576;
const ANSWER_HEADERS = ['content-type', 'cache-control', 'retry-after', 'x-request-id'];

/** Whether `request` is one that the SDK makes of a gateway. */
export function isForGateway({ method, url = '' }: IncomingMessage): boolean {
  return (
    (method === 'POST' && url === '/graphql') ||
    (method === 'GET' && /^\/\.well-known\/sealdesk\/[\w]+\/keys\.json$/.test(url))
  );
}

export interface ForwardOptions {
  /** Address of the gateway. */
  readonly gateway: string;
  readonly apiKey: string;
}

/** Answers `request` with what the gateway answers; 413 to a body without a length or too long, 502 where the gateway cannot be reached. */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  { gateway, apiKey }: ForwardOptions,
): Promise<void> {
  const { method = 'GET' } = request;
  if (method === 'POST' && !(Number(request.headers['content-length']) <= MAX_BODY)) {
    response.writeHead(413).end();
    return;
  }
  const headers = new Headers();
  for (const name of REQUEST_HEADERS) {
    const value = request.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  if (method === 'POST') headers.set('x-api-key', apiKey);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const url = new URL((request.url ?? '/').slice(1), gateway.endsWith('/') ? gateway : `${gateway}/`);
  const answer = await fetch(url, {
    method,
    headers,
    redirect: 'error',
    signal: gone.signal,
    ...(method === 'POST' ? { body: new Uint8Array(await buffer(request)) } : {}),
  }).catch((error: unknown) => {
    if (gone.signal.aborted) return null;
    console.error('The gateway was not reached:', error);
    return Response.json({ errors: [{ message: 'The gateway was not reached.' }] }, { status: 502 });
  });
  if (answer === null) return;
  for (const name of ANSWER_HEADERS) {
    const value = answer.headers.get(name);
    if (value !== null) response.setHeader(name, value);
  }
  response.writeHead(answer.status).end(new Uint8Array(await answer.arrayBuffer()));
}
