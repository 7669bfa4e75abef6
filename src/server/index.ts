/** The edge: HTTP in, one answer out. GraphQL, REST, well-known keys, health, and how it stops. */
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
export { createPinoLog, type LogLevel } from './pino-log.ts';
