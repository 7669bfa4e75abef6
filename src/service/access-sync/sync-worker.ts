/**
 * The part of a process that syncs directories: asks for runs whose schedule is due, hands runs that nobody attends
 * to to the job queue, takes jobs from it, and removes for good what was deleted long enough ago. Every process has
 * one. The queue is opened with the first run there is to hand on: most installations have none.
 */
import { randomUUID } from 'node:crypto';
import { findUnattendedRuns, type SyncRunKey, sweepDeleted } from '../../directory/index.ts';
import { WakeUp } from '../feed/wake-up.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { type JobQueue, openJobQueue } from './job-queue.ts';
import { runDueSchedules } from './run-due-schedules.ts';
import { takeSyncTurn } from './sync-run.ts';
import { DEFAULT_SYNC_TIMES, type SyncTimes } from './sync-times.ts';

export type SyncWorkerDeps = Pick<
  ServiceDeps,
  'store' | 'keyring' | 'connections' | 'clock' | 'log' | 'feed'
>;

export interface SyncWorkerOptions {
  /** For how long what was deleted is kept, in milliseconds. */
  readonly retentionMs: number;
  readonly times?: Partial<SyncTimes>;
}

/** Runs of one process at once. */
const MAX_RUNS = 2;
/** Runs handed on at one look. */
const MAX_HANDED = 20;
const QUEUE = 'access-sync';

/** One per process. Disposing stops every run after its page and gives its lease back, so that another process has it at once. */
export function openSyncWorker(deps: SyncWorkerDeps, options: SyncWorkerOptions): AsyncDisposable {
  return new SyncWorker(deps, options);
}

class SyncWorker implements AsyncDisposable {
  readonly #holder = randomUUID();
  readonly #deps: SyncWorkerDeps;
  readonly #retentionMs: number;
  readonly #times: SyncTimes;
  readonly #wanted = new WakeUp();
  readonly #stopped = new AbortController();
  readonly #unlisten: () => void;
  readonly #working: Promise<unknown>;
  #queue: JobQueue<SyncRunKey> | null = null;

  constructor(deps: SyncWorkerDeps, { retentionMs, times }: SyncWorkerOptions) {
    this.#deps = deps;
    this.#retentionMs = retentionMs;
    this.#times = { ...DEFAULT_SYNC_TIMES, ...times };
    this.#unlisten = deps.feed.onSyncChange(() => this.#wanted.wake());
    this.#working = Promise.all([this.#scan(), this.#sweep()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unlisten();
    this.#stopped.abort();
    await this.#working;
    await this.#queue?.[Symbol.asyncDispose]();
  }

  async #scan(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.#attempt('Access syncs could not be looked for', async () => {
        await runDueSchedules(this.#deps);
        await this.#handOn();
      });
      await this.#wanted.wait(clock, this.#times.scan, signal);
    }
  }

  async #handOn(): Promise<void> {
    const { store, log } = this.#deps;
    const found = await store.withSystem('access-syncs', (tx) => findUnattendedRuns(tx, MAX_HANDED));
    if (found.length === 0) return;
    this.#queue ??= await openJobQueue<SyncRunKey>({
      ...{ store, log, name: QUEUE, concurrency: MAX_RUNS },
      run: (key) => this.#run(key),
    });
    for (const key of found) await this.#queue.send(key.runId, key);
  }

  async #run(key: SyncRunKey): Promise<void> {
    const { signal } = this.#stopped;
    const turn = { key, holder: this.#holder, times: this.#times, signal };
    // Its lease ends by itself, and whoever claims it next goes on.
    await this.#attempt('An access sync could not be worked on', () => takeSyncTurn(this.#deps, turn));
    this.#wanted.wake();
  }

  async #sweep(): Promise<void> {
    const { store, clock } = this.#deps;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.#attempt('What was deleted from directories could not be removed', async () => {
        const until = new Date(clock.now() - this.#retentionMs);
        for (let isMore = true; isMore && !signal.aborted; ) {
          isMore = await store.withSystem('directory-retention', (tx) => sweepDeleted(tx, until));
        }
      });
      await clock.wait(this.#times.sweep, signal).catch(() => undefined);
    }
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#deps.log.warn(what, { error: error instanceof Error ? error : undefined });
    }
  }
}
