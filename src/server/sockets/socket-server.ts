/**
 * GraphQL over WebSocket (graphql-transport-ws, subscriptions only). The HTTP server hands over upgrades; what
 * may not be one is answered by HTTP. A connection logs in within ten seconds, has one session of its own, and
 * is closed with a code and a reason that begins with ours.
 *
 * upgraded → (connection_init) logging in → open → closing → closed. Strangers stay before `open`, where few may
 * wait at once. `drain` closes all and lets none in; `beat` closes those whose other side is gone or stalled.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type ExecutionArgs,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  parse,
} from 'graphql';
import { type Context, handleProtocols, makeServer, type Server } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { isSealdeskError, type Log, SealdeskError } from '../../base/index.ts';
import { graphqlErrorAnswer } from '../graphql/error-answer.ts';
import { publicGraphqlError } from '../graphql/mask-error.ts';
import type { Incoming } from '../incoming.ts';
import { SubscriptionError } from '../subscriptions/subscription-error.ts';
import type { Subscriptions } from '../subscriptions/subscriptions.ts';
import type { EdgeTally } from '../tally.ts';
import { CLOSE_CODES, closeCodeOf, closeReasonOf } from './close-code.ts';
import { GraphqlSocket } from './graphql-socket.ts';
import { MAX_PENDING_OF_ADDRESS, PendingLogins } from './pending-logins.ts';
import { RawSockets } from './raw-sockets.ts';
import { SocketConnection } from './socket-connection.ts';
import type { SocketDelivery } from './socket-delivery.ts';
import { type SocketServices, type UpgradeLogin, upgradeLogin } from './socket-login.ts';

/** Where WebSockets are taken. */
export const SOCKET_PATH = '/graphql';
const MAX_MESSAGE_BYTES = 16_384;
const MAX_SOCKETS = 3_840;
const LOGIN_TIMEOUT_MS = 10_000;
/** For the other side to answer a close. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Compressing would cost memory for every connection, and what leaves is sealed: it does not get smaller. */
const SOCKET_OPTIONS = Object.freeze({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_BYTES,
  maxFragments: 16,
  maxBufferedChunks: 256,
  closeTimeout: CLOSE_TIMEOUT_MS,
});
const RETRY_AFTER_SECONDS = 5;
const LOGIN_EXPIRED = 'The login is as old as it may become. Connect again with a new token.';
/** graphql-ws wants a document to see that it is a subscription; the one that was sent is not kept. */
const ANY_SUBSCRIPTION = parse('subscription { ticketChanges }');

export interface SocketServer {
  /** Takes over the connection of a request to upgrade. `incoming.signal` is aborted when it closes. */
  upgrade(incoming: Incoming, request: IncomingMessage, tcp: Duplex, head: Buffer): void;
  /** Pings all; closes who has not answered the last ping, or has taken nothing for `maxStalledBeats`. */
  beat(maxStalledBeats: number): void;
  /** Lets nobody in any more and asks all to connect elsewhere. */
  drain(): void;
  /** Cuts all off. */
  terminate(): void;
}

export interface CreateSocketServerOptions {
  readonly schema: GraphQLSchema;
  readonly services: SocketServices;
  readonly subscriptions: Subscriptions;
  /** Whose pages may connect. */
  readonly corsOrigins: readonly string[];
  readonly tally: EdgeTally;
  readonly log: Log;
  readonly loginTimeoutMs?: number;
  /** Connections that may wait at once for their login. */
  readonly maxPending?: number;
}

/** What graphql-ws hands to its hooks. */
interface Extra {
  readonly connection: SocketConnection;
  /** Gone once it was used. */
  login: UpgradeLogin | null;
  /** Ends being a stranger. */
  readonly leave: () => void;
}
type SocketContext = Context<Record<string, unknown>, Extra>;

export function createSocketServer(options: CreateSocketServerOptions): SocketServer {
  return new GraphqlSocketServer(options);
}

class GraphqlSocketServer implements SocketServer {
  readonly #options: CreateSocketServerOptions;
  readonly #wss = new WebSocketServer({ ...SOCKET_OPTIONS, handleProtocols });
  readonly #protocol: Server<Extra>;
  readonly #connections = new Set<SocketConnection>();
  readonly #pending: PendingLogins;
  readonly #raw = new RawSockets();
  #isDraining = false;

  constructor(options: CreateSocketServerOptions) {
    this.#options = options;
    this.#pending = new PendingLogins(options.maxPending);
    this.#protocol = makeServer<Record<string, unknown>, Extra>({
      connectionInitWaitTimeout: options.loginTimeoutMs ?? LOGIN_TIMEOUT_MS,
      onConnect: (context) => this.#login(context),
      onSubscribe: (context, id, payload) => this.#subscribe(context, id, payload),
      subscribe: ({ contextValue }) => contextValue as SocketDelivery,
      onError: (_context, _id, _payload, errors) => this.#told(errors),
    });
  }

  upgrade(incoming: Incoming, request: IncomingMessage, tcp: Duplex, head: Buffer): void {
    this.#raw.hold(tcp);
    const refusal = this.#refusalOf(incoming, request.url ?? '');
    const leave = refusal === null ? this.#pending.enter(incoming.ip, () => tcp.destroy()) : null;
    const login = upgradeLogin(incoming);
    if (leave === null) {
      this.#refuse(tcp, refusal ?? tooManyStrangers(), login, incoming);
      return;
    }
    tcp.once('close', leave);
    this.#wss.handleUpgrade(request, tcp, head, (ws) => {
      this.#raw.release(tcp);
      this.#open(ws, tcp, login, leave);
    });
    // The library answers a handshake that is none, by itself and at once.
    if (this.#raw.has(tcp) && !this.#countStranger(login)) tcp.destroy();
  }

  beat(maxStalledBeats: number): void {
    const tally = this.#options.tally.streams.websocket;
    for (const { socket } of this.#connections) {
      const state = socket.beat(maxStalledBeats);
      if (state === 'ALIVE') continue;
      if (state === 'STALLED') tally.slowConsumers += 1;
      socket.terminate();
    }
    this.#raw.beat();
  }

  drain(): void {
    this.#isDraining = true;
    for (const { socket } of this.#connections) socket.close(CLOSE_CODES.restart, closeReasonOf(stopping()));
  }

  terminate(): void {
    for (const { socket } of this.#connections) socket.terminate();
    this.#raw.terminate();
  }

  /** Why a request to upgrade is refused, before anybody looks who it is; `null` where it is not. */
  #refusalOf({ path, headers }: Incoming, url: string): SealdeskError | null {
    if (this.#isDraining) return stopping();
    if (path !== SOCKET_PATH) {
      return new SealdeskError('NOT_FOUND', `There is no WebSocket here. Connect to ${SOCKET_PATH}.`);
    }
    // URLs end up in logs of everybody on the way.
    if (url.includes('?')) {
      return new SealdeskError(
        'VALIDATION_FAILED',
        'The URL of a WebSocket may have no query: send the key as a header, or in connection_init.',
      );
    }
    const origin = headers.get('origin');
    if (origin !== null && !this.#options.corsOrigins.includes(origin)) {
      return new SealdeskError(
        'FORBIDDEN',
        'Pages of this origin may not connect. An operator can list it in SEALDESK_CORS_ORIGINS.',
      );
    }
    return this.#connections.size < MAX_SOCKETS ? null : tooManySockets();
  }

  #open(ws: WebSocket, tcp: Duplex, login: UpgradeLogin, leave: () => void): void {
    const { services, subscriptions, tally } = this.#options;
    const counts = tally.streams.websocket;
    const fail = (error: unknown): void => {
      const failure = isSealdeskError(error) ? error : this.#internal(error);
      socket.close(closeCodeOf(failure), closeReasonOf(failure));
    };
    const socket = new GraphqlSocket(ws, tcp, fail);
    const onExpired = (): void => socket.close(CLOSE_CODES.loginExpired, LOGIN_EXPIRED);
    const connection = new SocketConnection({
      ...{ socket, services, subscriptions, tally: counts },
      ...{ onEnd: fail, onExpired },
    });
    this.#connections.add(connection);
    counts.connections += 1;
    const extra: Extra = { connection, login, leave };
    const closed = this.#protocol.opened(socket, extra);
    // What a client does wrong is told by the code that its connection is closed with.
    ws.on('error', ignore);
    ws.once('close', (code, reason) => {
      this.#connections.delete(connection);
      counts.connections -= 1;
      if (extra.login !== null) this.#countStranger(extra.login);
      Promise.all([closed(code, String(reason)), connection.dispose()]).catch((error: unknown) => {
        this.#internal(error);
      });
    });
    if (this.#isDraining) fail(stopping());
  }

  /** Counts who proved nothing against the address; whether it may go on. */
  #countStranger({ call }: UpgradeLogin): boolean {
    const { services } = this.#options;
    try {
      services.takeFromRate(call);
      return true;
    } catch (error) {
      if (!isSealdeskError(error)) throw error;
      services.recordFailure(call, error).catch((failure: unknown) => this.#internal(failure));
      return false;
    }
  }

  async #login(context: SocketContext): Promise<void> {
    const { extra, connectionParams = {} } = context;
    const { connection, login, leave } = extra;
    if (login === null) throw new TypeError('"login" must be used once');
    // Keys are not kept for as long as the connection lives.
    extra.login = null;
    Reflect.deleteProperty(context, 'connectionParams');
    await connection.login(login, connectionParams);
    leave();
  }

  async #subscribe(
    { extra }: SocketContext,
    id: string,
    payload: object,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    try {
      const contextValue = await extra.connection.subscribe(id, payload);
      return { schema: this.#options.schema, document: ANY_SUBSCRIPTION, contextValue };
    } catch (error) {
      return [new GraphQLError('The subscription was refused', { cause: error })];
    }
  }

  /** What is told of the errors of graphql-ws, behind which are ours. */
  #told(errors: readonly GraphQLError[]): readonly GraphQLFormattedError[] {
    const cause = errors[0]?.cause;
    if (cause instanceof SubscriptionError) return cause.told();
    return [publicGraphqlError(this.#internal(cause)).toJSON()];
  }

  #internal(error: unknown): SealdeskError {
    this.#options.log.error('A WebSocket failed inside the gateway', {
      error: error instanceof Error ? error : new TypeError('something other than an Error was thrown'),
    });
    return new SealdeskError('INTERNAL', 'The gateway failed. Connect again.');
  }

  /** Answers by HTTP; who is refused too often is told nothing. */
  #refuse(tcp: Duplex, refusal: SealdeskError, login: UpgradeLogin, incoming: Incoming): void {
    if (!this.#countStranger(login)) {
      tcp.destroy();
      return;
    }
    this.#options.services
      .recordFailure(login.call, refusal)
      .then((recorded) => this.#raw.end(tcp, upgradeAnswer(recorded, incoming)))
      .catch((error: unknown) => {
        this.#internal(error);
        tcp.destroy();
      });
  }
}

function ignore(): void {}

/** The refusal of an upgrade as it goes over the wire. */
function upgradeAnswer(refusal: SealdeskError, incoming: Incoming): string {
  const { status, headers, body } = graphqlErrorAnswer(refusal, incoming);
  const text = String(body);
  const lines = Object.entries({
    ...headers,
    'x-request-id': incoming.requestId,
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', text].join('\r\n');
}

function stopping(): SealdeskError {
  return new SealdeskError('UPSTREAM_UNAVAILABLE', 'The gateway stops. Connect again, here or elsewhere.');
}

function tooManyStrangers(): SealdeskError {
  return new SealdeskError(
    'TOO_MANY_REQUESTS',
    `An address may have ${MAX_PENDING_OF_ADDRESS} connections that have not logged in. Wait ${RETRY_AFTER_SECONDS} s.`,
    { retryAfter: RETRY_AFTER_SECONDS },
  );
}

function tooManySockets(): SealdeskError {
  return new SealdeskError(
    'TOO_MANY_REQUESTS',
    `The gateway holds as many connections as it can. Wait ${RETRY_AFTER_SECONDS} s.`,
    { retryAfter: RETRY_AFTER_SECONDS },
  );
}
