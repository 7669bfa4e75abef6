/**
 * The listening side: reads a node:http request into an {@link Incoming}, hands it to the
 * dispatcher and writes its answer. Limits on size, header and body time, and connections are set
 * here. Stopping has two phases: no new connection while answers under way are finished, then,
 * after the grace time, their signals are aborted.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { type Log, SealdeskError } from '../base/index.ts';
import type { Answer } from './answer.ts';
import { type BodyReader, createBodyReader } from './body.ts';
import { createIncoming, type Incoming } from './incoming.ts';

const MAX_HEADER_BYTES = 16_384;
const MAX_CONNECTIONS = 4_096;

export interface HttpTimes {
  /** For the headers of a request to arrive. */
  readonly headersTimeoutMs: number;
  /** For a whole request to arrive. */
  readonly requestTimeoutMs: number;
  /** How often connections are held against the above. */
  readonly checkIntervalMs: number;
  /** Answers under way may take this long once the server is asked to stop. */
  readonly drainGraceMs: number;
}

export const DEFAULT_HTTP_TIMES: HttpTimes = Object.freeze({
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkIntervalMs: 2_000,
  drainGraceMs: 20_000,
});

export type Dispatch = (incoming: Incoming) => Promise<Answer>;

export interface OpenHttpServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly dispatch: Dispatch;
  /** Proxies in front that append to X-Forwarded-For. */
  readonly trustedProxies: number;
  readonly times?: Partial<HttpTimes>;
  readonly log: Log;
}

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
}

/** Listens; disposing drains. */
export async function openHttpServer(options: OpenHttpServerOptions): Promise<HttpServer> {
  const { host, port, log } = options;
  const times: HttpTimes = { ...DEFAULT_HTTP_TIMES, ...options.times };
  const stopping = new AbortController();
  const server = createServer({
    headersTimeout: times.headersTimeoutMs,
    requestTimeout: times.requestTimeoutMs,
    connectionsCheckingInterval: times.checkIntervalMs,
    maxHeaderSize: MAX_HEADER_BYTES,
  });
  server.maxConnections = MAX_CONNECTIONS;
  const readBody = createBodyReader();
  server.on('request', (request, response) => {
    answerOne(options, readBody, request, response, stopping.signal, () => server.listening).catch(
      (error: unknown) => {
        // Whoever breaks off in the middle of a request is no fault of ours.
        const tell = request.complete ? log.error : log.debug;
        tell('A request could not be answered', { error: error instanceof Error ? error : new Error() });
        response.destroy();
      },
    );
  });
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => drain(server, stopping, times.drainGraceMs),
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, () => {
    server.off('error', reject);
    resolve();
  });
  await promise;
}

async function drain(server: Server, stopping: AbortController, graceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const grace = setTimeout(() => {
    stopping.abort(brokenOff('The gateway stopped before the answer was ready. Send the request again.'));
    server.closeAllConnections();
  }, graceMs);
  await promise;
  clearTimeout(grace);
}

/** Why a request ends early, coded, so that wherever it is met it is told and recorded as what it is. */
function brokenOff(message: string): SealdeskError {
  return new SealdeskError('UPSTREAM_UNAVAILABLE', message);
}

async function answerOne(
  options: OpenHttpServerOptions,
  readBody: BodyReader,
  request: IncomingMessage,
  response: ServerResponse,
  stopping: AbortSignal,
  isListening: () => boolean,
): Promise<void> {
  const closed = new AbortController();
  response.once('close', () => closed.abort(brokenOff('The caller went away before the answer was ready.')));
  const parts = {
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    headers: headersOf(request),
    ip: addressOf(request, options.trustedProxies),
    signal: AbortSignal.any([closed.signal, stopping]),
  };
  const { body, refusal } = await readBody(request);
  const answer: Answer = await options.dispatch(createIncoming({ ...parts, body, refusal }));
  // A stopping server keeps no connection for another request.
  if (refusal !== null || !isListening()) response.shouldKeepAlive = false;
  response.writeHead(answer.status, answer.headers);
  response.end(answer.body);
}

function headersOf(request: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}

function addressOf(request: IncomingMessage, trustedProxies: number): string | null {
  const forwarded = (request.headersDistinct['x-forwarded-for'] ?? []).join(',').split(',');
  const named = trustedProxies === 0 ? '' : (forwarded.at(-trustedProxies)?.trim() ?? '');
  return isIP(named) === 0 ? (request.socket.remoteAddress ?? null) : named;
}
