/**
 * The program: puts the house together and hands it to the command line. The only file that knows
 * every room.
 */
import { createInboundLimiter } from './access/index.ts';
import { openAnchor } from './audit/index.ts';
import { type Log, systemClock } from './base/index.ts';
import { anchorLocationOf, type Backend, type Gateway, runCommandLine, storeLocation } from './cli/index.ts';
import { type Config, ConfigError } from './config.ts';
import { createNodeSuite } from './envelope/node.ts';
import { type Kms, openAwsKms, openLocalKms } from './kms/index.ts';
import {
  createBudgetLedger,
  createSharedReads,
  createZendeskAuthorizer,
  createZendeskConnections,
} from './proxy/index.ts';
import {
  createDispatch,
  createEdgeTally,
  createGraphqlRoute,
  createMetrics,
  createMetricsRoute,
  createPinoLog,
  createSocketServer,
  createSubscriptions,
  openHttpServer,
  openMetricsServer,
} from './server/index.ts';
import {
  countAllClientKeys,
  createServices,
  ensureInstallation,
  isInstalled,
  openAuditWatch,
  openConnectionKeeper,
  openExportWorker,
  openFeedRuntime,
  openFeedWorker,
  openKeyRotationWorker,
  openPlanRuns,
  openPlanWorker,
  openSyncWorker,
  readAllConnections,
  readAudit,
  type ServiceDeps,
  sweepConnections,
  sweepIntents,
  sweepLoginTokens,
} from './service/index.ts';
import { openStore } from './store/index.ts';
import { type Keyring, openKeyring } from './vault/index.ts';
import { openAccountLimiters, openZendeskTransport, parseOriginTemplate } from './zendesk/index.ts';

const SWEEP_INTERVAL_MS = 60_000;
/** For how long at most a start waits until the audit logs were looked at once. */
const FIRST_LOOK_MS = 10_000;

/** Everything below the edge: database, keys, use cases. Migrates the database and founds the installation. */
async function openBackend(config: Config): Promise<Backend> {
  const log = createPinoLog(config.logLevel);
  const originTemplate = zendeskOriginOf(config);
  await using resources = new AsyncDisposableStack();
  const store = resources.use(
    await openStore({ location: storeLocation(config), tenantRole: config.dbRole, log }),
  );
  // A key that the database rests on is never made anew: its loss has to be noticed.
  const kms = resources.use(await openKms(config, !(await isInstalled(store))));
  const keyring = resources.use(openKeyring({ store, kms, suite: createNodeSuite(), log }));
  const transport = resources.use(openZendeskTransport({}));
  const clock = systemClock;
  const limiters = resources.use(openAccountLimiters({ ledger: createBudgetLedger(store), clock, log }));
  const feed = resources.use(await openFeedRuntime({ store, keyring, clock, log }));
  const connections = createZendeskConnections({
    ...{ store, keyring, transport, limiters, originTemplate, clock, log },
    installationClient: config.zendeskClient,
    onTokens: feed.onTokens,
  });
  // Before what it stands on is closed: a pair of tokens that is given out and not stored is lost.
  resources.defer(() => connections.settle());
  const deps: ServiceDeps = {
    store,
    kms,
    keyring,
    feed,
    connections,
    planRuns: resources.use(openPlanRuns({ store, keyring, connections, clock, log })),
    sharedReads: createSharedReads({ clock }),
    limiter: createInboundLimiter({ clock }),
    clock,
    log,
    publicUrl: config.publicUrl,
    connecting: {
      authorizer: createZendeskAuthorizer({ transport, limiters, originTemplate, clock, log }),
      client: config.zendeskClient,
      returnOrigins: config.corsOrigins,
    },
  };
  const installation = await ensureInstallation(deps);
  await assertUnwrappable(keyring, installation.id);
  const kept = resources.move();
  return {
    deps,
    services: createServices(deps, installation.id),
    connections,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The listening gateway over a backend, with its housekeeping. The schema is loaded here, where alone it is needed. */
async function openGateway(config: Config, backend: Backend): Promise<Gateway> {
  const { schema } = await import('../schema/index.ts');
  const { deps, services, connections } = backend;
  const { log } = deps;
  const { corsOrigins, host, trustedProxies } = config;
  await using resources = new AsyncDisposableStack();
  const anchor = resources.use(await openAnchor(anchorLocationOf(config)));
  const watch = resources.use(openAuditWatch(deps, { anchor }));
  // Before anything is appended to them, where there are not too many.
  const looked = new AbortController();
  const patience = deps.clock.wait(FIRST_LOOK_MS, looked.signal).catch(() => undefined);
  await Promise.race([watch.started, patience]);
  looked.abort();
  resources.use(openSweeper(deps, log));
  resources.use(openKeyRotationWorker(deps));
  resources.use(openConnectionKeeper({ ...deps, connections }));
  // Stops after the edge, so that what is under way when the gateway drains is still appended.
  const worker = resources.use(openFeedWorker(deps, { retention: config.feed }));
  resources.use(openExportWorker(deps));
  resources.use(openSyncWorker(deps, { retentionMs: config.directory.keepMs }));
  resources.use(openPlanWorker(deps));
  const tally = createEdgeTally();
  const metrics = createMetrics({
    tally,
    readFeeds: () => worker.readFeeds(),
    readClientKeys: () => countAllClientKeys(deps),
    readSealed: () => deps.feed.sealer.sealed,
    readAudit: () => readAudit(deps),
    readAnchored: () => watch,
    readConnections: () => readAllConnections(deps),
    readRenewals: () => connections.renewals,
    log,
  });
  const subscriptions = createSubscriptions({ schema, services, log });
  const graphql = createGraphqlRoute({ schema, services, log, subscriptions, tally });
  const { token, port: metricsPort } = config.metrics;
  const dispatch = createDispatch({
    ...{ services, graphql, corsOrigins, log, tally },
    ...(token === null ? {} : { metrics: createMetricsRoute(metrics, token) }),
  });
  if (metricsPort !== null) {
    const listening = { host, port: metricsPort, trustedProxies, log };
    resources.use(await openMetricsServer({ ...listening, metrics, token }));
  }
  const sockets = createSocketServer({ schema, services, subscriptions, corsOrigins, tally, log });
  const server = resources.use(
    await openHttpServer({ host, port: config.port, dispatch, trustedProxies, log, tally, sockets }),
  );
  const kept = resources.move();
  return { port: server.port, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Closes stale intents, forgets old login tokens and goes on with connections that were interrupted, now and then, one sweep at a time. Disposing waits for the sweep under way. */
function openSweeper(deps: ServiceDeps, log: Log): AsyncDisposable {
  const stopped = new AbortController();
  const running = (async () => {
    while (!stopped.signal.aborted) {
      await sweepIntents(deps).catch((error: unknown) =>
        log.warn('Stale intents could not be looked for', {
          error: error instanceof Error ? error : undefined,
        }),
      );
      await sweepLoginTokens(deps).catch((error: unknown) =>
        log.warn('Old login tokens could not be forgotten', {
          error: error instanceof Error ? error : undefined,
        }),
      );
      await sweepConnections(deps).catch((error: unknown) =>
        log.warn('Connections that nobody attends to could not be looked for', {
          error: error instanceof Error ? error : undefined,
        }),
      );
      await deps.clock.wait(SWEEP_INTERVAL_MS, stopped.signal).catch(() => undefined);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await running;
    },
  };
}

function zendeskOriginOf(config: Config): string {
  try {
    return parseOriginTemplate(config.zendeskOrigin);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError(`SEALDESK_ZENDESK_ORIGIN cannot be used. ${error.message}`);
  }
}

/** Says at start, and not at the first call, that the root key is not the one this database was sealed under. */
async function assertUnwrappable(keyring: Keyring, installationId: string): Promise<void> {
  try {
    await keyring.keysOf(installationId);
  } catch (cause) {
    const reason = cause instanceof Error ? ` ${cause.message}` : '';
    throw new ConfigError(
      `The keys in the database cannot be unwrapped.${reason} Name the key that it was begun with (SEALDESK_KMS…).`,
      { cause },
    );
  }
}

async function openKms({ kms }: Config, createIfMissing: boolean): Promise<Kms> {
  return kms.kind === 'local'
    ? openLocalKms({ file: kms.keyFile, createIfMissing })
    : openAwsKms({ defaultKeyArn: kms.keyArn, ...(kms.endpoint === null ? {} : { endpoint: kms.endpoint }) });
}

process.exitCode = await runCommandLine(process.argv.slice(2), { openBackend, openGateway });
