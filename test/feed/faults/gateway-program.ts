/**
 * A gateway as `src/main.ts serve` is one, in a process of its own, whose feed has quick clocks and whose own clock
 * may be wrong. Its argument is a GatewaySpec as JSON. It prints one line, a GatewayGreeting, when it listens, and
 * drains on SIGTERM.
 */
import { schema } from '../../../schema/index.ts';
import { createInboundLimiter } from '../../../src/access/index.ts';
import { type Clock, systemClock } from '../../../src/base/index.ts';
import { createNodeSuite } from '../../../src/envelope/node.ts';
import { openLocalKms } from '../../../src/kms/index.ts';
import {
  createBudgetLedger,
  createSharedReads,
  createZendeskAuthorizer,
  createZendeskConnections,
} from '../../../src/proxy/index.ts';
import {
  createDispatch,
  createEdgeTally,
  createGraphqlRoute,
  createPinoLog,
  createSocketServer,
  createSubscriptions,
  openHttpServer,
} from '../../../src/server/index.ts';
import {
  createOperatorKey,
  createServices,
  ensureInstallation,
  isInstalled,
  openFeedRuntime,
  openFeedWorker,
  openPlanRuns,
  type ServiceDeps,
} from '../../../src/service/index.ts';
import { openStore } from '../../../src/store/index.ts';
import { openKeyring } from '../../../src/vault/index.ts';
import { openAccountLimiters, openZendeskTransport } from '../../../src/zendesk/index.ts';
import type { GatewayGreeting, GatewaySpec } from './gateway-process.ts';

/** After which the edge ends what it still answers: no test waits for a stream that is stuck. */
const DRAIN_GRACE_MS = 5_000;

function clockOf({ clockOffsetMs }: GatewaySpec): Clock {
  return { now: () => systemClock.now() + clockOffsetMs, wait: systemClock.wait };
}

async function openDeps(spec: GatewaySpec, resources: AsyncDisposableStack): Promise<ServiceDeps> {
  const log = createPinoLog('warn');
  const clock = clockOf(spec);
  const location = { kind: 'postgres', connectionString: spec.databaseUrl } as const;
  const store = resources.use(await openStore({ location, log }));
  const createIfMissing = !(await isInstalled(store));
  const kms = resources.use(await openLocalKms({ file: spec.keyFile, createIfMissing }));
  const keyring = resources.use(openKeyring({ store, kms, suite: createNodeSuite(), clock, log }));
  const transport = resources.use(openZendeskTransport({}));
  const limiters = resources.use(openAccountLimiters({ ledger: createBudgetLedger(store), clock, log }));
  const limiter = createInboundLimiter({ clock });
  const times = { pollMs: spec.tailPollMs };
  const feed = resources.use(await openFeedRuntime({ store, keyring, clock, log, times }));
  const connections = createZendeskConnections({
    ...{ store, keyring, transport, limiters, clock, log },
    originTemplate: spec.zendeskOrigin,
    onTokens: feed.onTokens,
  });
  return {
    ...{ store, kms, keyring, limiter, clock, log, feed, publicUrl: spec.publicUrl },
    connections,
    planRuns: resources.use(openPlanRuns({ store, keyring, connections, clock, log })),
    sharedReads: createSharedReads({ clock }),
    connecting: {
      authorizer: createZendeskAuthorizer({
        ...{ transport, limiters, clock, log },
        originTemplate: spec.zendeskOrigin,
      }),
      client: null,
      returnOrigins: [],
    },
  };
}

async function openGateway(spec: GatewaySpec, resources: AsyncDisposableStack): Promise<GatewayGreeting> {
  const deps = await openDeps(spec, resources);
  const { log } = deps;
  const services = createServices(deps, (await ensureInstallation(deps)).id);
  const worker = resources.use(openFeedWorker(deps, { times: spec.times }));
  const tally = createEdgeTally();
  const subscriptions = createSubscriptions({ schema, services, log });
  const graphql = createGraphqlRoute({ schema, services, log, subscriptions, tally });
  const server = resources.use(
    await openHttpServer({
      ...{ host: '127.0.0.1', port: 0, trustedProxies: 0, log, tally },
      dispatch: createDispatch({ services, graphql, corsOrigins: [], log, tally }),
      sockets: createSocketServer({ schema, services, subscriptions, corsOrigins: [], tally, log }),
      times: { drainGraceMs: DRAIN_GRACE_MS },
    }),
  );
  const operatorKey = spec.foundsInstallation ? (await createOperatorKey(deps, 'faults')).secret : null;
  return { port: server.port, holder: worker.holder, operatorKey };
}

const spec: GatewaySpec = JSON.parse(process.argv[2] ?? '');
const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
process.once('SIGTERM', stop);
// Nothing of a test that was ended stays behind.
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
{
  await using resources = new AsyncDisposableStack();
  process.stdout.write(`${JSON.stringify(await openGateway(spec, resources))}\n`);
  await stopped;
}
process.exit(0);
