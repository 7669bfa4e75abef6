/**
 * Several gateway processes on one database, a simulated Zendesk whose tickets change all the time, and a subscriber
 * who reaches whichever process lives: what faults are done to, and held against what truly happened.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSimulator, type Simulator } from '../../../simulator/index.ts';
import type { FeedTimes } from '../../../src/service/index.ts';
import { createTestDatabase } from '../../support/store.ts';
import { buildProgram } from './build-program.ts';
import { FeedRows } from './feed-rows.ts';
import { type FoundedFeed, foundFeed } from './found-feed.ts';
import { type GatewayProcess, type GatewaySpec, openGatewayProcess } from './gateway-process.ts';
import { assertFaithful, isUpToDate, trueVersions } from './oracle.ts';
import { openRelay, type Relay } from './relay.ts';
import { Routes } from './routes.ts';
import { Subscriber } from './subscriber.ts';
import { Traffic } from './traffic.ts';

/** A dead holder stands in the way for a second, and the export is read all the time. */
export const QUICK: Partial<FeedTimes> = Object.freeze({
  ...{ lease: 1_500, renew: 400, scan: 250, poll: 250, gather: 30, spacing: 30, retry: 100 },
  ...{ export: 400, exportLag: 0, forbidden: 1_000 },
  backOff: Object.freeze({ least: 100, most: 500 }),
});

/** For what comes about within seconds, on a machine with much else to do. */
export const DEADLINE_MS = 120_000;

const UNLIMITED = 1_000_000;

export interface ClusterOptions {
  readonly seed: number;
  /** By how much the clock of each process is wrong; three with right ones where left out. */
  readonly clockOffsetsMs?: readonly number[];
  /** Empty; a database of its own where left out. */
  readonly databaseUrl?: string;
  readonly changesPerSecond?: number;
  readonly maxClockSkewSeconds?: number;
}

/** Opens it with the subscriber at its first position, and the traffic about to begin. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const { seed, clockOffsetsMs = [0, 0, 0], changesPerSecond: perSecond = 20 } = options;
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sealdesk-faults-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const databaseUrl =
    options.databaseUrl ?? resources.use(await createTestDatabase('postgres')).connectionString ?? '';
  const simulator = resources.use(
    await openSimulator({
      ...{ tickets: 1_200, seed: 7, history: true, exportLagSeconds: 0, accountLimit: UNLIMITED },
      endpointLimits: { 'incremental-exports': UNLIMITED, webhooks: UNLIMITED },
      // One that stands still is given up soon.
      webhooks: { timeoutMs: 2_000, retryDelayMs: 50 },
    }),
  );
  const processes: GatewayProcess[] = [];
  resources.defer(async () => {
    await Promise.all(processes.map((one) => one[Symbol.asyncDispose]()));
  });
  const routes = new Routes(processes);
  const zendesk = resources.use(await openRelay(() => simulator.port));
  const webhooks = resources.use(await openRelay(() => routes.toWebhooks()));
  const subscribers = resources.use(await openRelay(() => routes.toSubscribers()));
  const program = await buildProgram(folder);
  const spec: GatewaySpec = {
    ...{ databaseUrl, keyFile: join(folder, 'kms.key'), zendeskOrigin: zendesk.url },
    ...{
      publicUrl: webhooks.url,
      clockOffsetMs: 0,
      times: QUICK,
      tailPollMs: 500,
      foundsInstallation: false,
    },
  };
  const [firstOffset = 0, ...otherOffsets] = clockOffsetsMs;
  const first = await openGatewayProcess(program, {
    ...{ ...spec, clockOffsetMs: firstOffset, foundsInstallation: true },
  });
  processes.push(first);
  routes.ingester = first;
  const rows = resources.use(new FeedRows(databaseUrl));
  const operatorKey = first.operatorKey ?? '';
  const feed = await foundFeed({
    ...{ url: webhooks.url, operatorKey, subscriberUrl: subscribers.url },
    // A tenant that was founded a day ago: what a clock that is behind signs is no older than its keys.
    onTenant: () => rows.ageSigningKeys(),
  });
  processes.push(
    ...(await Promise.all(
      otherOffsets.map((clockOffsetMs) => openGatewayProcess(program, { ...spec, clockOffsetMs })),
    )),
  );
  const { maxClockSkewSeconds = 300 } = options;
  const subscriber = resources.use(new Subscriber({ ...feed, maxClockSkewSeconds }));
  await subscriber.begin();
  const traffic = resources.use(new Traffic(simulator, { perSecond, seed }));
  const kept = resources.move();
  return new Cluster(
    {
      ...{ simulator, zendesk, webhooks, subscribers, feed, rows, subscriber, traffic, routes },
      ...{ program, spec, processes },
    },
    kept,
  );
}

interface ClusterParts {
  readonly simulator: Simulator;
  /** In front of the simulator. */
  readonly zendesk: Relay;
  /** What the simulator calls. */
  readonly webhooks: Relay;
  /** What the subscriber connects to. */
  readonly subscribers: Relay;
  readonly feed: FoundedFeed;
  readonly rows: FeedRows;
  readonly subscriber: Subscriber;
  readonly traffic: Traffic;
  readonly routes: Routes;
  readonly program: string;
  readonly spec: GatewaySpec;
  readonly processes: GatewayProcess[];
}

export interface SettleOptions {
  /** How often the export is read before all of it is held against what happened; 3, so that what was read is marked too. */
  readonly readings?: number;
}

export class Cluster implements AsyncDisposable {
  readonly parts: ClusterParts;
  readonly #resources: AsyncDisposableStack;

  constructor(parts: ClusterParts, resources: AsyncDisposableStack) {
    this.parts = parts;
    this.#resources = resources;
  }

  /** The process that holds the lease, once one does. */
  async holder(): Promise<GatewayProcess> {
    const { rows, processes } = this.parts;
    const { holder } = await rows.until(
      (all) => all.lease(),
      (lease) => !lease.isOver && processes.some((one) => one.isAlive && one.holder === lease.holder),
      AbortSignal.timeout(DEADLINE_MS),
    );
    const found = processes.find((one) => one.holder === holder);
    if (found === undefined) throw new Error('The holder was one of the processes');
    return found;
  }

  /** The process that the subscriber is connected to, once it is to a living one. */
  async server(): Promise<GatewayProcess> {
    const { subscribers, subscriber, processes } = this.parts;
    const look = () => processes.find((one) => one.isAlive && one.port === subscribers.targets.at(-1));
    await subscriber.until(
      () => look() !== undefined && subscriber.states.at(-1)?.kind === 'FOLLOWING',
      AbortSignal.timeout(DEADLINE_MS),
    );
    const found = look();
    if (found === undefined) throw new Error('The subscriber was connected');
    return found;
  }

  /** Starts a process in the place of one that is gone, with its clock. */
  async replace(gone: GatewayProcess): Promise<GatewayProcess> {
    const { processes, program, spec } = this.parts;
    const { clockOffsetMs } = gone;
    const made = await openGatewayProcess(program, { ...spec, clockOffsetMs });
    processes[processes.indexOf(gone)] = made;
    return made;
  }

  /** Resolves when the subscriber has got a change that was made after this call. */
  async getsNews(): Promise<void> {
    const { simulator, subscriber } = this.parts;
    const id = simulator.tickets.create({ subject: 'News', comment: { body: 'Do you hear me?' } });
    await subscriber.until(() => subscriber.of(id).length > 0, AbortSignal.timeout(DEADLINE_MS));
  }

  /**
   * Ends the traffic, waits until all that is due has come, and holds what the subscriber got against what
   * happened.
   */
  async settle({ readings = 3 }: SettleOptions = {}): Promise<void> {
    const { simulator, subscriber, traffic, rows } = this.parts;
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    traffic.stop();
    const stoppedAt = Date.now();
    await simulator.webhooks.untilDelivered(deadline);
    await this.#untilExported(stoppedAt, readings, deadline);
    const isDone = (id: number) => isUpToDate(subscriber.of(id), trueVersions(simulator, id));
    const late = new Set(traffic.touched);
    await subscriber
      .until(() => {
        for (const id of late) if (isDone(id)) late.delete(id);
        return late.size === 0;
      }, deadline)
      .catch((error: unknown) => {
        if (!deadline.aborted) throw error;
      });
    await rows.until(
      (all) => all.feed(),
      ({ marks }) => marks === 0,
      deadline,
    );
    // Whatever was still on its way is before it.
    await this.getsNews();
    for (const id of traffic.touched) assertFaithful(id, subscriber.of(id), trueVersions(simulator, id));
    const [first = 0] = subscriber.sequences;
    const torn = subscriber.sequences.findIndex((sequence, index) => sequence !== first + index);
    if (torn >= 0) throw new Error(`Number ${subscriber.sequences[torn]} is not in its place`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  /** The export was read since the second of `changedAt` is over, and what it showed is marked: it was read on. */
  async #untilExported(changedAt: number, readings: number, signal: AbortSignal): Promise<void> {
    const { simulator } = this.parts;
    let after = simulator.requests.total;
    for (let reading = 0; reading < readings; reading += 1) {
      const { sequence } = await simulator.waitForRequest(
        ({ path, at }) => path.includes('/incremental/') && at > changedAt + 2_000,
        { after, signal },
      );
      after = sequence;
    }
  }
}
