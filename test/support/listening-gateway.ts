/** A whole test gateway behind a port, as clients meet it, with a record of what it sent. */
import { schema } from '../../schema/index.ts';
import { silentLog } from '../../src/base/index.ts';
import {
  type Answer,
  type AnswerStream,
  createDispatch,
  createEdgeTally,
  createGraphqlRoute,
  createSocketServer,
  createSubscriptions,
  type EdgeTally,
  type HttpTimes,
  isAnswerStream,
  openHttpServer,
} from '../../src/server/index.ts';
import { type OpenGatewayOptions, openTestGateway, type TestGateway } from './gateway.ts';

export interface OpenListeningGatewayOptions extends OpenGatewayOptions {
  readonly times?: Partial<HttpTimes>;
}

export interface ListeningGateway extends AsyncDisposable {
  readonly gateway: TestGateway;
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** Where WebSockets connect: `ws://127.0.0.1:…/graphql` */
  readonly socketUrl: string;
  readonly tally: EdgeTally;
  /** The body of every answer that left, oldest first; of one that goes on, each part. */
  readonly sent: string[];
  /** Resolves when nothing is being answered any more. */
  untilIdle(): Promise<void>;
}

/** Opens a gateway on a free port of this machine. */
export async function openListeningGateway(
  options: OpenListeningGatewayOptions = {},
): Promise<ListeningGateway> {
  await using resources = new AsyncDisposableStack();
  const gateway = resources.use(await openTestGateway(options));
  const { services } = gateway;
  const { log = silentLog, corsOrigins = [] } = options;
  const tally = createEdgeTally();
  const subscriptions = createSubscriptions({ schema, services, log });
  const dispatch = createDispatch({
    services,
    graphql: createGraphqlRoute({ schema, services, log, subscriptions, tally }),
    corsOrigins,
    log,
    tally,
  });
  const sent: string[] = [];
  const underWay = new Set<Promise<void>>();
  const server = resources.use(
    await openHttpServer({
      host: '127.0.0.1',
      port: 0,
      trustedProxies: 0,
      log,
      tally,
      sockets: createSocketServer({ schema, services, subscriptions, corsOrigins, tally, log }),
      ...(options.times === undefined ? {} : { times: options.times }),
      async dispatch(incoming) {
        const { promise, resolve } = Promise.withResolvers<void>();
        underWay.add(promise);
        try {
          return noteBody(await dispatch(incoming), sent);
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
    socketUrl: `ws://127.0.0.1:${server.port}/graphql`,
    tally,
    sent,
    async untilIdle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The answer, its body noted in `sent` as it leaves. */
function noteBody(answer: Answer, sent: string[]): Answer {
  const { body } = answer;
  if (isAnswerStream(body)) return { ...answer, body: { ...body, chunks: notedChunks(body, sent) } };
  sent.push(typeof body === 'string' ? body : new TextDecoder().decode(body));
  return answer;
}

async function* notedChunks({ chunks }: AnswerStream, sent: string[]): AsyncGenerator<string, void> {
  for await (const chunk of chunks) {
    sent.push(chunk);
    yield chunk;
  }
}
