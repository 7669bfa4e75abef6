/** A gateway that takes the changes of a simulated Zendesk in: its webhooks come over HTTP, its clocks are quick. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll } from 'vitest';
import type { Simulator } from '../../../simulator/index.ts';
import type { TicketChangeContent } from '../../../src/base/index.ts';
import {
  type Call,
  createServices,
  ensureInstallation,
  type FeedStatusView,
  type FeedTimes,
  type FeedWorker,
  openFeedWorker,
  type ServiceDeps,
  type Services,
} from '../../../src/service/index.ts';
import { type OpenGatewayOptions, openTestGateway, type TestGateway } from '../../support/gateway.ts';
import type { DatabaseKind } from '../../support/store.ts';
import {
  ALL_OPERATIONS,
  createTestTenant,
  type TestTenant,
  type TestTenantOptions,
} from '../../support/tenant.ts';

export const QUICK: FeedTimes = {
  ...{ lease: 2_000, renew: 100, scan: 50, poll: 50, gather: 60, spacing: 5, retry: 20 },
  ...{ export: 100, exportLag: 0, forbidden: 300, purge: 60_000 },
  backOff: { least: 20, most: 200 },
};

export interface SourceRig extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly tenant: TestTenant;
  readonly simulator: Simulator;
  readonly deps: ServiceDeps;
  readonly services: Services;
  /** Where the simulator reaches the gateway. */
  readonly url: string;
  callOf(apiKey: string | null, ip?: string): Promise<Call>;
  enable(): ReturnType<Services['enableTicketFeed']>;
  disable(): ReturnType<Services['disableTicketFeed']>;
  status(): Promise<FeedStatusView>;
  /** A process that attends to feeds, until the rig is closed. */
  startWorker(times?: Partial<FeedTimes>): FeedWorker;
  /** What is appended from now on, opened. */
  follow(): Promise<Follower>;
}

/** A gateway with its simulated Zendesk, for any number of rigs one after the other. */
interface SourceHouse extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly deps: ServiceDeps;
  readonly services: Services;
  readonly url: string;
}

export type SourceHouseOptions = Omit<OpenGatewayOptions, 'database'>;

async function openSourceHouse(database: DatabaseKind, options: SourceHouseOptions): Promise<SourceHouse> {
  await using resources = new AsyncDisposableStack();
  const gateway = resources.use(
    await openTestGateway({
      database,
      tailTimes: { pollMs: 50 },
      ...options,
      simulator: {
        ...{ tickets: 12, history: true, exportLagSeconds: 0, accountLimit: 100_000 },
        endpointLimits: { 'incremental-exports': 100_000, 'tickets-update': 100_000, webhooks: 100_000 },
        webhooks: { retryDelayMs: 20 },
        ...options.simulator,
      },
    }),
  );
  const url = await listen(gateway, resources);
  const deps: ServiceDeps = { ...gateway.deps, publicUrl: url };
  const services = createServices(deps, (await ensureInstallation(deps)).id);
  const kept = resources.move();
  return { gateway, deps, services, url, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Zendesk as it was at first, and a tenant of its own; all that it began has ended when it is disposed. */
async function openRigIn(house: SourceHouse, tenantOptions: TestTenantOptions = {}): Promise<SourceRig> {
  const { gateway, deps, services, url } = house;
  const { simulator } = gateway;
  simulator.reset({ data: true });
  const tenant = await createTestTenant(gateway, {
    allowedOperations: [...ALL_OPERATIONS, 'subscribe_tickets'],
    ...tenantOptions,
  });
  const { integrationId, keys } = tenant;
  await using resources = new AsyncDisposableStack();
  // Else the worker of the next test would attend to this feed too.
  resources.defer(() =>
    deps.store.withTenant(tenant.id, async (tx) => {
      await tx.updateTable('ticket_feeds').set({ status: 'DISABLED' }).execute();
    }),
  );
  const callOf = async (apiKey: string | null, ip = '127.0.0.1'): Promise<Call> => ({
    caller: apiKey === null ? null : await services.authenticate(apiKey, ip),
    ...{ requestId: 'test', ip, requestTarget: 'POST /graphql', clientNonce: null, recipientKeyId: null },
    requestSha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    ...{ acceptsSealedErrors: false, parentEventId: null, signal: new AbortController().signal },
  });
  const kept = resources.move();
  return {
    ...{ gateway, tenant, simulator, deps, services, url, callOf },
    enable: async () => services.enableTicketFeed(await callOf(keys.admin), { integrationId }),
    disable: async () => services.disableTicketFeed(await callOf(keys.admin), { integrationId }),
    async status() {
      const status = await services.getFeedStatus(await callOf(keys.dashboard), integrationId);
      if (status === null) throw new Error('The feed was never enabled');
      return status;
    },
    startWorker: (times) => kept.use(openFeedWorker(deps, { times: { ...QUICK, ...times } })),
    async follow() {
      const session = kept.use(
        await services.openTicketSession(await callOf(keys.dashboard), () => undefined),
      );
      const stop = new AbortController();
      kept.defer(() => stop.abort());
      const events = await session.subscribe({ integrationId, after: null }, stop.signal);
      await events.next();
      return new Follower(tenant, events);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** A rig with a gateway of its own. */
export async function openSourceRig(
  database: DatabaseKind,
  options: SourceHouseOptions & { readonly tenant?: TestTenantOptions } = {},
): Promise<SourceRig> {
  const { tenant, ...houseOptions } = options;
  await using resources = new AsyncDisposableStack();
  const house = resources.use(await openSourceHouse(database, houseOptions));
  const rig = resources.use(await openRigIn(house, tenant));
  const kept = resources.move();
  return { ...rig, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** One gateway for a suite; the function opens a rig in it, of which there is one at a time. */
export function useSourceRigs(database: DatabaseKind): (tenant?: TestTenantOptions) => Promise<SourceRig> {
  let house: SourceHouse | undefined;
  beforeAll(async () => {
    house = await openSourceHouse(database, {});
  });
  afterAll(() => house?.[Symbol.asyncDispose]());
  return (tenant) => {
    if (house === undefined) throw new Error('The gateway opens before the first test');
    return openRigIn(house, tenant);
  };
}

type Events = Awaited<ReturnType<Awaited<ReturnType<Services['openTicketSession']>>['subscribe']>>;

/** Reads a subscription to its end, and lets tests wait for what comes. */
export class Follower {
  /** In the order of the stream. */
  readonly changes: TicketChangeContent[] = [];
  #arrived = Promise.withResolvers<void>();
  #failure: unknown = null;

  constructor(tenant: TestTenant, events: Events) {
    void this.#read(tenant, events);
  }

  /** The changes of one ticket. */
  of(ticketId: number): readonly TicketChangeContent[] {
    return this.changes.filter((change) => change.kind !== 'GAP' && change.ticket_id === ticketId);
  }

  /** The first change that satisfies `wanted`, past or future. */
  async until(wanted: (change: TicketChangeContent) => boolean): Promise<TicketChangeContent> {
    for (;;) {
      const found = this.changes.find(wanted);
      if (found !== undefined) return found;
      if (this.#failure !== null) throw this.#failure;
      await this.#arrived.promise;
    }
  }

  async #read(tenant: TestTenant, events: Events): Promise<void> {
    try {
      for await (const event of events) {
        if (event.type !== 'CHANGE') continue;
        this.changes.push((await tenant.open(event.envelope)).value as TicketChangeContent);
        this.#wake();
      }
    } catch (error) {
      this.#failure = error;
      this.#wake();
    }
  }

  #wake(): void {
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers<void>();
  }
}

/** The gateway behind a port, so that the simulator's webhooks come over HTTP. */
async function listen(gateway: TestGateway, resources: AsyncDisposableStack): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
    const answer = await gateway.send(request.url ?? '/', {
      method: request.method ?? 'POST',
      headers: Object.fromEntries(headers),
      body: Uint8Array.from(Buffer.concat(chunks)),
    });
    response.writeHead(answer.status, answer.headers);
    response.end(answer.json === null ? '' : JSON.stringify(answer.json));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  resources.defer(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A ticket of the data that can still be changed. */
export function openTicket({ tickets }: Simulator, index = 0): number {
  const id = tickets.all().filter(({ status }) => status !== 'closed')[index]?.id;
  if (id === undefined)
    throw new RangeError(`"index" is beyond the tickets that are not closed, got ${index}`);
  return id;
}

/** Looks again and again until `look` finds what is wanted, and lets all else run in between. */
export async function eventually<T>(look: () => Promise<T>, wanted: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await look();
    if (wanted(value)) return value;
    // PGlite answers without leaving the turn: timers would never come.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
