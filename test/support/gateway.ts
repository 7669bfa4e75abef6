/**
 * A whole gateway in this process, without a port: requests go to its dispatcher as to a server. Its
 * Zendesk is the simulator, its root key a file of its own, its database either kind.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { schema } from '../../schema/index.ts';
import { openSimulator, type Simulator, type SimulatorOptions } from '../../simulator/index.ts';
import { createInboundLimiter } from '../../src/access/index.ts';
import { type Clock, type Log, silentLog, systemClock } from '../../src/base/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { type Kms, openLocalKms } from '../../src/kms/index.ts';
import {
  createBudgetLedger,
  createSharedReads,
  createZendeskAuthorizer,
  createZendeskConnections,
  type KeptConnections,
} from '../../src/proxy/index.ts';
import {
  type Answer,
  createDispatch,
  createGraphqlRoute,
  createIncoming,
  isAnswerStream,
} from '../../src/server/index.ts';
import {
  createOperatorKey,
  createServices,
  ensureInstallation,
  type FeedRuntimeOptions,
  openFeedRuntime,
  openPlanRuns,
  type PlanTimes,
  type ServiceDeps,
  type Services,
} from '../../src/service/index.ts';
import type { Store } from '../../src/store/index.ts';
import { openKeyring } from '../../src/vault/index.ts';
import { openAccountLimiters, openZendeskTransport, type TransportOptions } from '../../src/zendesk/index.ts';
import { createMemoryLedger } from './memory-ledger.ts';
import { createPatientClock, createSteadyClock } from './steady-clocks.ts';
import { type DatabaseKind, openTestStore } from './store.ts';

export interface OpenGatewayOptions {
  readonly database?: DatabaseKind;
  /** An open store to use, the caller's to close, in place of one on a database of its own. */
  readonly store?: Store;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly kms?: Kms;
  readonly simulator?: SimulatorOptions;
  readonly transport?: TransportOptions;
  readonly corsOrigins?: readonly string[];
  /** The OAuth client of the installation. */
  readonly zendeskClient?: ServiceDeps['connecting']['client'];
  /** The clocks of provisioning plans. */
  readonly planTimes?: Partial<PlanTimes>;
  /** How often the feed's tails look for themselves, and tell positions. */
  readonly tailTimes?: FeedRuntimeOptions['times'];
  /** Puts something between the gateway and its store, such as an outage. */
  readonly wrapStore?: (store: Store) => Store;
}

export interface RestAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Of as many shapes as there are answers. */
  readonly json: ReturnType<typeof JSON.parse>;
  /** Of an answer that is a page. */
  readonly html?: string;
}

export interface SendOptions {
  readonly method?: string;
  readonly apiKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is; otherwise `json` is sent as JSON. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly json?: unknown;
  readonly signal?: AbortSignal;
  /** The address that it comes from; 127.0.0.1 where left out. */
  readonly ip?: string;
}

export interface TestGateway extends AsyncDisposable {
  readonly store: Store;
  readonly deps: ServiceDeps;
  /** Those of `deps`, with what keeps them up. */
  readonly connections: KeptConnections;
  readonly services: Services;
  readonly simulator: Simulator;
  readonly connectionString: string | null;
  /** The text of the first OPERATOR key. */
  readonly operatorKey: string;
  send(path: string, options?: SendOptions): Promise<RestAnswer>;
  graphql(query: string, options?: SendOptions & { readonly variables?: unknown }): Promise<RestAnswer>;
}

/** The text of a body; of one that goes on, the first result, with which it ends. */
async function textOf(body: Answer['body']): Promise<string> {
  if (!isAnswerStream(body)) return typeof body === 'string' ? body : new TextDecoder().decode(body);
  let first: string | null = null;
  for await (const chunk of body.chunks) {
    first ??= chunk;
    body.end();
  }
  return /^data: (.*)$/m.exec(first ?? '')?.[1] ?? '';
}

export async function openTestGateway(options: OpenGatewayOptions = {}): Promise<TestGateway> {
  const { clock = systemClock, log = silentLog } = options;
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sealdesk-gateway-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const simulator = resources.use(await openSimulator({ tickets: 300, ...options.simulator }));
  const opened =
    options.store === undefined
      ? resources.use(await openTestStore(options.database ?? 'pglite'))
      : { store: options.store, connectionString: null };
  const store = options.wrapStore?.(opened.store) ?? opened.store;
  const kms =
    options.kms ??
    resources.use(await openLocalKms({ file: join(folder, 'kms.key'), createIfMissing: true }));
  const steady = clock === systemClock ? clock : createSteadyClock(clock);
  const keyring = resources.use(openKeyring({ store, kms, suite: createNodeSuite(), clock: steady, log }));
  const transport = resources.use(openZendeskTransport(options.transport ?? {}));
  // The database keeps its own time, which a test's clock would run away from.
  const limiters = resources.use(
    clock === systemClock
      ? openAccountLimiters({ ledger: createBudgetLedger(store), clock, log })
      : openAccountLimiters({ ledger: createMemoryLedger(clock), clock: createPatientClock(clock), log }),
  );
  // Its rounds would never end where waits are over at once.
  const patient = clock === systemClock ? clock : createPatientClock(clock);
  const feed = resources.use(
    await openFeedRuntime({
      ...{ store, keyring, clock: patient, log },
      ...(options.tailTimes === undefined ? {} : { times: options.tailTimes }),
    }),
  );
  const connections = createZendeskConnections({
    store,
    keyring,
    transport,
    limiters,
    originTemplate: simulator.url,
    clock,
    log,
    installationClient: options.zendeskClient,
    onTokens: feed.onTokens,
  });
  const deps: ServiceDeps = {
    store,
    kms,
    keyring,
    feed,
    connections,
    planRuns: resources.use(openPlanRuns({ store, keyring, connections, clock, log }, options.planTimes)),
    sharedReads: createSharedReads({ clock }),
    limiter: createInboundLimiter({ clock }),
    clock,
    log,
    publicUrl: 'http://localhost:4000',
    connecting: {
      authorizer: createZendeskAuthorizer({
        ...{ transport, limiters, clock, log },
        originTemplate: simulator.url,
      }),
      client: options.zendeskClient ?? null,
      returnOrigins: options.corsOrigins ?? [],
    },
  };
  const installation = await ensureInstallation(deps);
  const services = createServices(deps, installation.id);
  const dispatch = createDispatch({
    services,
    graphql: createGraphqlRoute({ schema, services, log }),
    corsOrigins: options.corsOrigins ?? [],
    log,
  });
  const { secret: operatorKey } = await createOperatorKey(deps, 'test operator');

  const send = async (path: string, sent: SendOptions = {}): Promise<RestAnswer> => {
    const body = sent.body ?? (sent.json === undefined ? '' : JSON.stringify(sent.json));
    const answer = await dispatch(
      createIncoming({
        method: sent.method ?? 'POST',
        url: path,
        headers: new Headers({
          'content-type': 'application/json',
          ...(sent.apiKey === undefined ? {} : { 'x-api-key': sent.apiKey }),
          ...sent.headers,
        }),
        body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
        ip: sent.ip ?? '127.0.0.1',
        signal: sent.signal ?? new AbortController().signal,
      }),
    );
    const text = await textOf(answer.body);
    const { status, headers } = answer;
    const isPage = headers['content-type']?.startsWith('text/html') === true;
    const json = isPage || text === '' ? null : JSON.parse(text);
    return { status, headers, json, ...(isPage ? { html: text } : {}) };
  };
  const kept = resources.move();
  return {
    store,
    deps,
    connections,
    services,
    simulator,
    connectionString: opened.connectionString,
    operatorKey,
    send,
    graphql: (query, { variables, ...sent } = {}) =>
      send('/graphql', { ...sent, json: { query, variables } }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
