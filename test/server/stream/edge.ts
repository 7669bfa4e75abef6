/** A listening edge over a whole gateway whose change feed is a fake. */
import { schema } from '../../../schema/index.ts';
import { type Log, silentLog } from '../../../src/base/index.ts';
import {
  createDispatch,
  createEdgeTally,
  createGraphqlRoute,
  createSocketServer,
  createSubscriptions,
  type DispatchOptions,
  type EdgeTally,
  type HttpServer,
  type HttpTimes,
  openHttpServer,
  type SocketServer,
} from '../../../src/server/index.ts';
import type { Services } from '../../../src/service/index.ts';
import type { TestGateway } from '../../support/gateway.ts';
import { FakeFeed } from './fake-feed.ts';
import { type OpenSocketOptions, TestSocket } from './test-socket.ts';

export interface OpenEdgeOptions {
  readonly times?: Partial<HttpTimes>;
  readonly loginTimeoutMs?: number;
  readonly maxPending?: number;
  readonly trustedProxies?: number;
  readonly corsOrigins?: readonly string[];
  readonly services?: Partial<Services>;
  readonly metrics?: DispatchOptions['metrics'];
  readonly tally?: EdgeTally;
  readonly log?: Log;
}

export interface Edge extends AsyncDisposable {
  readonly feed: FakeFeed;
  readonly tally: EdgeTally;
  readonly server: HttpServer;
  readonly sockets: SocketServer;
  readonly url: string;
  readonly socketUrl: string;
  /** Connects, without a login. */
  connect(options?: OpenSocketOptions): Promise<TestSocket>;
  /** Connects and logs in with `apiKey`. */
  login(apiKey: string): Promise<TestSocket>;
}

export async function openEdge(gateway: TestGateway, options: OpenEdgeOptions = {}): Promise<Edge> {
  const { corsOrigins = [], log = silentLog, tally = createEdgeTally() } = options;
  const feed = new FakeFeed();
  const services: Services = {
    ...gateway.services,
    openTicketSession: feed.openTicketSession,
    ...options.services,
  };
  const subscriptions = createSubscriptions({ schema, services, log });
  const sockets = createSocketServer({
    ...{ schema, services, subscriptions, corsOrigins, tally, log },
    ...(options.loginTimeoutMs === undefined ? {} : { loginTimeoutMs: options.loginTimeoutMs }),
    ...(options.maxPending === undefined ? {} : { maxPending: options.maxPending }),
  });
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    trustedProxies: options.trustedProxies ?? 0,
    log,
    tally,
    dispatch: createDispatch({
      services,
      graphql: createGraphqlRoute({ schema, services, log, subscriptions, tally }),
      corsOrigins,
      log,
      tally,
      ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    }),
    sockets,
    times: { drainGraceMs: 2_000, ...options.times },
  });
  const socketUrl = `ws://127.0.0.1:${server.port}/graphql`;
  return {
    ...{ feed, tally, server, sockets, socketUrl },
    url: `http://127.0.0.1:${server.port}`,
    connect: (socket) => TestSocket.open(socketUrl, socket),
    async login(apiKey) {
      const socket = await TestSocket.open(socketUrl);
      socket.send({ type: 'connection_init', payload: { apiKey } });
      await socket.next();
      return socket;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
