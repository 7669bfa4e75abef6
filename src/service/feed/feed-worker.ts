/**
 * The part of a process that attends to change feeds: looks for enabled feeds that nobody attends to, claims
 * them, and runs each until it is lost. Every process has one, and each feed is run by one of them.
 */
import { randomUUID } from 'node:crypto';
import {
  claimLease,
  DEFAULT_RETENTION,
  type FeedKey,
  findUnattendedFeeds,
  type RetentionTerms,
} from '../../feed/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { appendChanges } from './append-changes.ts';
import { type FeedRunDeps, runFeed } from './feed-run.ts';
import { type FeedStatusView, readFeedStatus } from './feed-status.ts';
import { DEFAULT_FEED_TIMES, type FeedTimes } from './feed-times.ts';
import { Slots } from './slots.ts';

export interface FeedWorkerOptions {
  readonly times?: Partial<FeedTimes>;
  readonly retention?: RetentionTerms;
  /** Loads and readings of exports under way at once; default 64. */
  readonly maxWorking?: number;
  /** Feeds held at once; default 1 000. */
  readonly maxFeeds?: number;
  /** Of these, feeds of one tenant, unless no other's are unattended; default 250. */
  readonly maxFeedsOfTenant?: number;
  /** 0 ≤ x < 1. */
  readonly random?: () => number;
}

export interface FeedWorker extends AsyncDisposable {
  /** The name under which it holds leases. */
  readonly holder: string;
  /** Feeds that it attends to. */
  readonly held: number;
  /** How these feeds stand. */
  readFeeds(): Promise<readonly FeedStatusView[]>;
}

const MAX_CLAIMS = 50;

/** One per process. Disposing stops every feed and gives its lease back, so that another process has it at once. */
export function openFeedWorker(deps: ServiceDeps, options: FeedWorkerOptions = {}): FeedWorker {
  return new ScanningWorker(deps, options);
}

class ScanningWorker implements FeedWorker {
  readonly holder = randomUUID();
  readonly #deps: FeedRunDeps;
  readonly #maxFeeds: number;
  readonly #maxFeedsOfTenant: number;
  readonly #runs = new Map<string, { readonly key: FeedKey; readonly over: Promise<void> }>();
  readonly #stopped = new AbortController();
  readonly #scanning: Promise<void>;

  constructor(deps: ServiceDeps, options: FeedWorkerOptions) {
    const { times, maxWorking = 64, maxFeeds = 1_000, maxFeedsOfTenant = 250 } = options;
    const { random = Math.random } = options;
    const { store, keyring, connections, clock, log, feed } = deps;
    this.#maxFeeds = maxFeeds;
    this.#maxFeedsOfTenant = maxFeedsOfTenant;
    this.#deps = {
      ...{ store, keyring, connections, clock, log, random },
      append: (append) => appendChanges({ store, keyring, clock, sealer: feed.sealer }, append),
      times: { ...DEFAULT_FEED_TIMES, ...times },
      retention: options.retention ?? DEFAULT_RETENTION,
      slots: new Slots(maxWorking),
      onMarked: (wake) => feed.onMarked(wake),
    };
    this.#scanning = this.#scan();
  }

  get held(): number {
    return this.#runs.size;
  }

  async readFeeds(): Promise<readonly FeedStatusView[]> {
    const { store, clock } = this.#deps;
    const byTenant = Map.groupBy(this.#runs.values(), ({ key }) => key.tenantId);
    const views: FeedStatusView[] = [];
    for (const [tenantId, runs] of byTenant) {
      const wish = { lineageId: null, now: clock.now() };
      await store.withTenant(tenantId, async (tx) => {
        for (const { key } of runs) {
          const view = await readFeedStatus(tx, key, wish);
          if (view !== null) views.push(view);
        }
      });
    }
    return views;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#scanning;
    await Promise.all([...this.#runs.values()].map(({ over }) => over));
  }

  async #scan(): Promise<void> {
    const { clock, log, times, random } = this.#deps;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#claimFree();
      } catch (error) {
        log.warn('Change feeds could not be looked for', {
          error: error instanceof Error ? error : undefined,
        });
      }
      await clock.wait(times.scan * (0.75 + random() / 2), signal).catch(() => undefined);
    }
  }

  async #claimFree(): Promise<void> {
    const room = Math.min(MAX_CLAIMS, this.#maxFeeds - this.#runs.size);
    if (room <= 0) return;
    const { store } = this.#deps;
    const full = this.#fullTenants();
    const free = await store.withSystem('feed-leases', async (tx) => {
      const others = await findUnattendedFeeds(tx, room, full);
      return others.length > 0 || full.length === 0 ? others : findUnattendedFeeds(tx, room);
    });
    for (const key of free) {
      if (this.#stopped.signal.aborted) return;
      if (!this.#runs.has(key.integrationId)) await this.#claim(key);
    }
  }

  /** Tenants of which this process holds as many feeds as it does for one. */
  #fullTenants(): readonly string[] {
    const byTenant = Map.groupBy(this.#runs.values(), ({ key }) => key.tenantId);
    return [...byTenant].flatMap(([tenantId, runs]) =>
      runs.length >= this.#maxFeedsOfTenant ? tenantId : [],
    );
  }

  async #claim(key: FeedKey): Promise<void> {
    const { store, times } = this.#deps;
    const claim = { ...key, holder: this.holder, lifetimeMs: times.lease };
    const lease = await store.withTenant(key.tenantId, (tx) => claimLease(tx, claim));
    if (lease === null) return;
    const over = runFeed(this.#deps, key, lease, this.#stopped.signal).finally(() =>
      this.#runs.delete(key.integrationId),
    );
    this.#runs.set(key.integrationId, { key, over });
  }
}
