/** A whole test gateway behind a port, as clients meet it, with a record of what it sent. */
import { schema } from '../../schema/index.ts';
import { silentLog } from '../../src/base/index.ts';
import { createDispatch, createGraphqlRoute, openHttpServer } from '../../src/server/index.ts';
import { type OpenGatewayOptions, openTestGateway, type TestGateway } from './gateway.ts';

export interface ListeningGateway extends AsyncDisposable {
  readonly gateway: TestGateway;
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** The body of every answer that left, oldest first. */
  readonly sent: string[];
  /** Resolves when nothing is being answered any more. */
  untilIdle(): Promise<void>;
}

/** Opens a gateway on a free port of this machine. */
export async function openListeningGateway(options: OpenGatewayOptions = {}): Promise<ListeningGateway> {
  await using resources = new AsyncDisposableStack();
  const gateway = resources.use(await openTestGateway(options));
  const { services } = gateway;
  const { log = silentLog, corsOrigins = [] } = options;
  const dispatch = createDispatch({
    services,
    graphql: createGraphqlRoute({ schema, services, log }),
    corsOrigins,
    log,
  });
  const sent: string[] = [];
  const underWay = new Set<Promise<void>>();
  const server = resources.use(
    await openHttpServer({
      host: '127.0.0.1',
      port: 0,
      trustedProxies: 0,
      log,
      async dispatch(incoming) {
        const { promise, resolve } = Promise.withResolvers<void>();
        underWay.add(promise);
        try {
          const answer = await dispatch(incoming);
          const { body } = answer;
          sent.push(typeof body === 'string' ? body : new TextDecoder().decode(body));
          return answer;
        } finally {
          underWay.delete(promise);
          resolve();
        }
      },
    }),
  );
  const kept = resources.move();
  return {
    gateway,
    url: `http://127.0.0.1:${server.port}`,
    sent,
    async untilIdle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
