/**
 * The listening side: reads a node:http request into an {@link Incoming}, hands it to the
 * dispatcher and writes its answer; hands WebSockets over. Limits on size, header and body time, and
 * connections are set here, and one timer beats for all connections that live long. Stopping has two
 * phases: no new connection while answers under way are finished and those that would not end are ended,
 * then, after the grace time, their signals are aborted.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Log, SealdeskError } from '../base/index.ts';
import { type Answer, isAnswerStream } from './answer.ts';
import { type BodyReader, createBodyReader } from './body.ts';
import { createIncoming, type Incoming } from './incoming.ts';
import type { SocketServer } from './sockets/socket-server.ts';
import { StreamWriter } from './stream-writer.ts';
import { createEdgeTally, type EdgeTally } from './tally.ts';

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
  /** How often connections that live long are looked after. */
  readonly heartbeatMs: number;
  /** How long the other side of one may take nothing of what was sent. */
  readonly stallMs: number;
}

export const DEFAULT_HTTP_TIMES: HttpTimes = Object.freeze({
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkIntervalMs: 2_000,
  drainGraceMs: 20_000,
  heartbeatMs: 15_000,
  stallMs: 60_000,
});

export type Dispatch = (incoming: Incoming) => Promise<Answer>;

export interface OpenHttpServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly dispatch: Dispatch;
  /** Proxies in front that append to X-Forwarded-For. */
  readonly trustedProxies: number;
  /** Takes WebSockets, which else are not there. */
  readonly sockets?: SocketServer;
  readonly tally?: EdgeTally;
  readonly times?: Partial<HttpTimes>;
  readonly log: Log;
}

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
}

/** Listens; disposing drains. */
export async function openHttpServer(options: OpenHttpServerOptions): Promise<HttpServer> {
  const server = new ListeningServer(options);
  await server.listen();
  return server;
}

class ListeningServer implements HttpServer {
  readonly #options: OpenHttpServerOptions;
  readonly #times: HttpTimes;
  readonly #server: Server;
  readonly #stopping = new AbortController();
  readonly #readBody: BodyReader = createBodyReader();
  readonly #tally: EdgeTally;
  readonly #streams = new Set<StreamWriter>();
  #port = 0;
  #heartbeat: NodeJS.Timeout | null = null;
  #drained: Promise<void> | null = null;

  constructor(options: OpenHttpServerOptions) {
    this.#options = options;
    this.#times = { ...DEFAULT_HTTP_TIMES, ...options.times };
    this.#tally = options.tally ?? createEdgeTally();
    const { sockets, log } = options;
    this.#server = createServer({
      headersTimeout: this.#times.headersTimeoutMs,
      requestTimeout: this.#times.requestTimeoutMs,
      connectionsCheckingInterval: this.#times.checkIntervalMs,
      maxHeaderSize: MAX_HEADER_BYTES,
      // Clients that would rather speak HTTP/2 ask for that, and are answered as if they had not.
      shouldUpgradeCallback: ({ headers }) =>
        sockets !== undefined && headers.upgrade?.toLowerCase() === 'websocket',
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('request', (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        // Whoever breaks off in the middle of a request is no fault of ours.
        const tell = request.complete ? log.error : log.debug;
        tell('A request could not be answered', { error: error instanceof Error ? error : new Error() });
        response.destroy();
      });
    });
    this.#server.on('upgrade', (request, tcp, head) => {
      // What is thrown here would end the process.
      try {
        this.#upgrade(request, tcp, head);
      } catch (error) {
        log.error('An upgrade failed', { error: error instanceof Error ? error : new Error() });
        tcp.destroy();
      }
    });
  }

  /** Told after the end too. */
  get port(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(port, host, () => {
      this.#server.off('error', reject);
      resolve();
    });
    await promise;
    this.#port = (this.#server.address() as AddressInfo).port;
    // After what has arrived was read: else a process that stood still would take all answers for missing.
    this.#heartbeat = setInterval(() => setImmediate(() => this.#beat()), this.#times.heartbeatMs);
    this.#heartbeat.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#drained ??= this.#drain();
    await this.#drained;
  }

  async #drain(): Promise<void> {
    const { sockets } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeIdleConnections();
    sockets?.drain();
    for (const stream of this.#streams) stream.end();
    const grace = setTimeout(() => {
      this.#stopping.abort(
        brokenOff('The gateway stopped before the answer was ready. Send the request again.'),
      );
      this.#server.closeAllConnections();
      sockets?.terminate();
    }, this.#times.drainGraceMs);
    await promise;
    clearTimeout(grace);
    clearInterval(this.#heartbeat ?? undefined);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = new AbortController();
    response.once('close', () =>
      closed.abort(brokenOff('The caller went away before the answer was ready.')),
    );
    const parts = this.#partsOf(request, AbortSignal.any([closed.signal, this.#stopping.signal]));
    const { body, refusal } = await this.#readBody(request);
    const answer: Answer = await this.#options.dispatch(createIncoming({ ...parts, body, refusal }));
    const { status, headers, body: answered } = answer;
    const isStream = isAnswerStream(answered);
    // A stopping server keeps no connection for another request, and what was a stream is not worth keeping.
    if (refusal !== null || isStream || !this.#server.listening) response.shouldKeepAlive = false;
    response.writeHead(status, headers);
    if (isStream) await this.#stream(new StreamWriter(response, answered));
    else response.end(answered);
  }

  #upgrade(request: IncomingMessage, tcp: Duplex, head: Buffer): void {
    const { sockets } = this.#options;
    if (sockets === undefined) {
      tcp.destroy();
      return;
    }
    const closed = new AbortController();
    tcp.once('close', () => closed.abort(brokenOff('The connection was closed.')));
    const parts = this.#partsOf(request, closed.signal);
    sockets.upgrade(createIncoming({ ...parts, body: new Uint8Array() }), request, tcp, head);
  }

  async #stream(writer: StreamWriter): Promise<void> {
    const counts = this.#tally.streams.sse;
    const counted = writer.kind === 'EVENTS' ? 1 : 0;
    this.#streams.add(writer);
    counts.connections += counted;
    if (!this.#server.listening) writer.end();
    try {
      await writer.write();
    } finally {
      this.#streams.delete(writer);
      counts.connections -= counted;
    }
  }

  #beat(): void {
    const maxStalledBeats = Math.max(1, Math.ceil(this.#times.stallMs / this.#times.heartbeatMs));
    this.#options.sockets?.beat(maxStalledBeats);
    for (const writer of this.#streams) {
      if (writer.beat(maxStalledBeats)) continue;
      if (writer.kind === 'EVENTS') this.#tally.streams.sse.slowConsumers += 1;
      writer.destroy();
    }
  }

  #partsOf(request: IncomingMessage, signal: AbortSignal) {
    const headers = headersOf(request);
    return {
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers,
      ip: addressOf(request, headers, this.#options.trustedProxies),
      signal,
    };
  }
}

/** Why a request ends early, coded, so that wherever it is met it is told and recorded as what it is. */
function brokenOff(message: string): SealdeskError {
  return new SealdeskError('UPSTREAM_UNAVAILABLE', message);
}

/** Read as they came: `headersDistinct` throws for the name `__proto__` before Node 24.14.1 (CVE-2026-21710). */
function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  }
  return headers;
}

function addressOf({ socket }: IncomingMessage, headers: Headers, trustedProxies: number): string | null {
  const forwarded = (headers.get('x-forwarded-for') ?? '').split(',');
  const named = trustedProxies === 0 ? '' : (forwarded.at(-trustedProxies)?.trim() ?? '');
  return isIP(named) === 0 ? (socket.remoteAddress ?? null) : named;
}
