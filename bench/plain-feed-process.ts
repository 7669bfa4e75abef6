/**
 * What the sealed feed is compared to: graphql-yoga with graphql-ws by the recipe of their documentation, pushing
 * changes in the clear to all subscribers from memory. A change is one JSON scalar, the cheapest form there is.
 * Nobody logs in, and nothing is kept.
 */
import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionArgs } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { answerQuestions } from './asked-process.ts';
import type { ProcessReading } from './process-reading.ts';

export interface PlainChange {
  readonly sequence: number;
  readonly occurredAt: string;
  readonly change: object;
  /** Milliseconds after the first one. */
  readonly at: number;
}

export type PlainQuestion =
  | { readonly kind: 'READ' }
  /** Pushes all, each at its time; answered after the last. */
  | { readonly kind: 'PUSH'; readonly changes: readonly PlainChange[] };

export interface PlainAnswer {
  readonly url: string;
  /** Begun so far. */
  readonly subscriptions: number;
  readonly reading: ProcessReading;
}

const eventTarget = new EventTarget();
// One for each subscriber is what is measured, and no leak.
setMaxListeners(0, eventTarget);
const pubSub = createPubSub<{ changes: [PlainChange] }>({ eventTarget });
let subscriptions = 0;

const yoga = createYoga({
  schema: createSchema({
    typeDefs: `
      scalar JSON
      type TicketChange { sequence: Int! occurredAt: String! change: JSON! }
      type Query { isReady: Boolean! }
      type Subscription { ticketChanges: TicketChange! }
    `,
    resolvers: {
      Query: { isReady: () => true },
      Subscription: {
        ticketChanges: {
          subscribe: () => {
            subscriptions += 1;
            return pubSub.subscribe('changes');
          },
          resolve: (change: PlainChange) => change,
        },
      },
    },
  }),
  logging: false,
});

interface Enveloped extends ExecutionArgs {
  readonly rootValue: Pick<ReturnType<typeof yoga.getEnveloped>, 'execute' | 'subscribe'>;
}

const server = createServer(yoga);
useServer(
  {
    execute: (args) => (args as Enveloped).rootValue.execute(args),
    subscribe: (args) => (args as Enveloped).rootValue.subscribe(args),
    onSubscribe: async (context, _id, params) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...context,
        req: context.extra.request,
        socket: context.extra.socket,
        params,
      });
      const args = {
        schema,
        operationName: params.operationName,
        document: parse(params.query),
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length > 0 ? errors : args;
    },
  },
  new WebSocketServer({ server, path: yoga.graphqlEndpoint }),
);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

answerQuestions(async (question: PlainQuestion): Promise<PlainAnswer> => {
  if (question.kind === 'PUSH') await push(question.changes);
  return { url: `ws://127.0.0.1:${port}${yoga.graphqlEndpoint}`, subscriptions, reading: readThis() };
});

async function push(changes: readonly PlainChange[]): Promise<void> {
  const begin = performance.now();
  for (const change of changes) {
    const pause = begin + change.at - performance.now();
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    pubSub.publish('changes', change);
  }
}

function readThis(): ProcessReading {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpuSeconds: (user + system) / 1e6, residentBytes: rss, liveBytes: heapUsed + external };
}
