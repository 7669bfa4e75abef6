/** A gateway whose directory is synced from a simulated Zendesk with quick clocks, and an admin who asks it. */
import type { SimulatorOptions } from '../../simulator/index.ts';
import type { DirectoryUser, DirectoryUserFilter } from '../../src/directory/index.ts';
import { type DirectoryKey, listDirectoryUsers, openDirectoryUser } from '../../src/directory/index.ts';
import {
  type AccessSyncRunView,
  type Call,
  openSyncWorker,
  type SyncTimes,
  type SyncWorkerDeps,
} from '../../src/service/index.ts';
import type { Store } from '../../src/store/index.ts';
import {
  type OpenGatewayOptions,
  openTestGateway,
  type RestAnswer,
  type TestGateway,
} from '../support/gateway.ts';
import { createTestTenant, dataOf, type TestTenant, type TestTenantOptions } from '../support/tenant.ts';
import { wrappedStore } from '../support/wrapped-store.ts';

export const QUICK: SyncTimes = {
  ...{ lease: 1_000, renew: 200, scan: 50, turn: 60_000, sweep: 3_600_000 },
  backOff: { least: 50, most: 200 },
};
const RETENTION_MS = 30 * 86_400_000;

/** Everybody's limits lifted, changes exported as soon as their second is over. */
export const QUICK_SIMULATOR: SimulatorOptions = {
  ...{ tickets: 10, limits: 'off', exportLagSeconds: 0 },
  // By name: of a limit that no answer tells, the gateway keeps to what the documentation says.
  endpointLimits: { 'incremental-exports': 100_000 },
};

const RUN_FIELDS = `id integrationId kind trigger state phase requestedBy startedAt finishedAt resumesAt seen usersSeen
  usersExpected progress secondsLeft added changed removed pages failures reason advice isCancelRequested`;

export interface SyncRig extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly tenant: TestTenant;
  readonly key: DirectoryKey;
  /** A process that syncs, until it is disposed or the rig is. */
  startWorker(options?: {
    readonly deps?: Partial<SyncWorkerDeps>;
    readonly times?: Partial<SyncTimes>;
    readonly retentionMs?: number;
  }): AsyncDisposable;
  /** A process that can be killed: from then on nothing that it does reaches the database. */
  startMortal(): { readonly kill: () => void };
  ask(document: string, variables?: object, apiKey?: string): Promise<RestAnswer>;
  start(full?: boolean): Promise<AccessSyncRunView>;
  /** The run once it is over, or `until` holds. */
  follow(id: string, until?: (run: AccessSyncRunView) => boolean): Promise<AccessSyncRunView>;
  /** Starts a run and follows it to its end. */
  sync(full?: boolean): Promise<AccessSyncRunView>;
  /** The users that the directory answers with, opened. */
  users(filter?: DirectoryUserFilter): Promise<readonly DirectoryUser[]>;
}

export interface SyncRigOptions extends OpenGatewayOptions {
  readonly tenant?: TestTenantOptions;
  /** An open gateway to use, the caller's to close, in place of one of its own. */
  readonly gateway?: TestGateway;
}

/** `options` of a gateway whose directory is synced quickly. */
export function gatewayOptions(options: OpenGatewayOptions): OpenGatewayOptions {
  return {
    ...options,
    tailTimes: { pollMs: 100 },
    simulator: { ...QUICK_SIMULATOR, ...options.simulator },
  };
}

export async function openSyncRig({
  tenant: tenantOptions,
  gateway: given,
  ...options
}: SyncRigOptions): Promise<SyncRig> {
  await using resources = new AsyncDisposableStack();
  const gateway = given ?? resources.use(await openTestGateway(gatewayOptions(options)));
  const tenant = await createTestTenant(gateway, { allowedOperations: ['sync_directory'], ...tenantOptions });
  const key = { tenantId: tenant.id, integrationId: tenant.integrationId };
  const { deps, services, store } = gateway;
  const workers = resources.use(new AsyncDisposableStack());

  const callOf = async (apiKey: string): Promise<Call> => ({
    caller: await services.authenticate(apiKey, '127.0.0.1'),
    ...{ requestId: 'test', ip: '127.0.0.1', requestTarget: 'POST /graphql', clientNonce: null },
    requestSha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    ...{ recipientKeyId: null, acceptsSealedErrors: false, parentEventId: null },
    signal: new AbortController().signal,
  });
  const ask: SyncRig['ask'] = (document, variables = {}, apiKey = tenant.keys.admin) =>
    gateway.graphql(document, { apiKey, variables });
  const startWorker: SyncRig['startWorker'] = ({ deps: other, times, retentionMs = RETENTION_MS } = {}) =>
    workers.use(openSyncWorker({ ...deps, ...other }, { retentionMs, times: { ...QUICK, ...times } }));
  const start: SyncRig['start'] = async (full) => {
    const answer = await ask(
      `mutation($id: ID!, $full: Boolean) {
        startAccessSync(integrationId: $id, full: $full) { run { ${RUN_FIELDS} } } }`,
      { id: key.integrationId, full },
    );
    const data: { startAccessSync?: { readonly run: AccessSyncRunView } } = dataOf(answer);
    if (data.startAccessSync === undefined) throw new Error('No access sync was started');
    return data.startAccessSync.run;
  };
  const follow: SyncRig['follow'] = async (id, until = () => false) => {
    await using session = await services.openTicketSession(await callOf(tenant.keys.admin), () => undefined);
    let last: AccessSyncRunView | null = null;
    for await (const run of await session.followSync(id, AbortSignal.timeout(30_000))) {
      last = run;
      if (until(run)) break;
    }
    if (last === null) throw new Error('The run was not told of in time');
    return last;
  };
  const kept = resources.move();
  return {
    ...{ gateway, tenant, key, startWorker, ask, start, follow },
    startMortal() {
      let isDead = false;
      const mortal =
        <Parameters extends readonly unknown[], Result>(work: (...rest: Parameters) => Promise<Result>) =>
        async (...rest: Parameters): Promise<Result> => {
          if (isDead) throw new Error('This process is dead');
          return work(...rest);
        };
      const reach: Store = wrappedStore(store, {
        withTenant: mortal(store.withTenant.bind(store)) as Store['withTenant'],
        withSystem: mortal(store.withSystem.bind(store)) as Store['withSystem'],
        executeForJobs: mortal(store.executeForJobs.bind(store)),
      });
      startWorker({ deps: { store: reach } });
      return {
        kill: () => {
          isDead = true;
        },
      };
    },
    async sync(full) {
      const { id } = await start(full);
      return follow(id);
    },
    async users(filter = {}) {
      const keys = await deps.keyring.keysOf(tenant.id);
      const rows = await store.withTenant(tenant.id, (tx) =>
        listDirectoryUsers(tx, key, filter, { limit: 1_001 }),
      );
      return rows.map((row) => openDirectoryUser(keys, key, row));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
