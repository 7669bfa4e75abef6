/**
 * The edge: HTTP in, one answer out, or many over WebSocket and as event streams. GraphQL, REST, webhooks,
 * well-known keys, health, metrics, and how it stops.
 */

export { type Answer, type AnswerStream, isAnswerStream } from './answer.ts';
export { createBodyReader, MAX_BODY_BYTES } from './body.ts';
export { createDispatch, type DispatchOptions } from './dispatch.ts';
export { createGraphqlRoute, type GraphqlRoute } from './graphql/route.ts';
export { withoutValues } from './graphql/without-values.ts';
export {
  type Dispatch,
  type HttpServer,
  type HttpTimes,
  type OpenHttpServerOptions,
  openHttpServer,
} from './http-server.ts';
export { createIncoming, type Incoming } from './incoming.ts';
export {
  createMetrics,
  type FeedReading,
  type Metrics,
} from './metrics.ts';
export { createMetricsRoute, type MetricsRoute, openMetricsServer } from './metrics-route.ts';
export { createPinoLog, type LogLevel } from './pino-log.ts';
export {
  type CreateSocketServerOptions,
  createSocketServer,
  type SocketServer,
} from './sockets/socket-server.ts';
export { createSubscriptions, type Subscriptions } from './subscriptions/subscriptions.ts';
export { createEdgeTally, type EdgeTally } from './tally.ts';
