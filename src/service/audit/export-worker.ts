/**
 * The part of a process that checks exports: looks for those that nobody attends to, claims them, and walks
 * their ranges in batches, each held against the tree of the checkpoint. Every process has one. How far a walk
 * came is in its row, so where a process dies another goes on from there once its lease is over.
 */
import { randomUUID } from 'node:crypto';
import {
  type AuditExport,
  claimExport,
  deleteExpiredExports,
  type ExportLease,
  findBrokenLeaf,
  findExport,
  findUnattendedExports,
  finishExport,
  MAX_LEAF_BATCH,
  releaseExport,
  saveExportProgress,
} from '../../audit/index.ts';
import { isSealdeskError } from '../../base/index.ts';
import type { Tx } from '../../store/index.ts';
import { WakeUp } from '../feed/wake-up.ts';
import type { ServiceDeps } from '../service-deps.ts';

/** The clocks of a worker, in milliseconds. */
export interface ExportTimes {
  /** How long a lease holds unless the walk goes on: how long a dead process stands in the way. */
  readonly lease: number;
  /** Between two looks without a hint. */
  readonly scan: number;
}

export const DEFAULT_EXPORT_TIMES: ExportTimes = Object.freeze({ lease: 15_000, scan: 3_000 });

/** Walks of one process at once. */
const MAX_WALKS = 2;

type WorkerDeps = Pick<ServiceDeps, 'store' | 'clock' | 'log' | 'feed'>;

/** One per process. Disposing stops every walk and gives its lease back, so that another process has it at once. */
export function openExportWorker(deps: WorkerDeps, times: Partial<ExportTimes> = {}): AsyncDisposable {
  return new ExportWorker(deps, { ...DEFAULT_EXPORT_TIMES, ...times });
}

class ExportWorker implements AsyncDisposable {
  readonly #holder = randomUUID();
  readonly #deps: WorkerDeps;
  readonly #times: ExportTimes;
  readonly #wanted = new WakeUp();
  readonly #walks = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  readonly #unlisten: () => void;
  readonly #scanning: Promise<void>;

  constructor(deps: WorkerDeps, times: ExportTimes) {
    this.#deps = deps;
    this.#times = times;
    this.#unlisten = deps.feed.onExportWanted(() => this.#wanted.wake());
    this.#scanning = this.#scan();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unlisten();
    this.#stopped.abort();
    await this.#scanning;
    await Promise.all(this.#walks);
  }

  async #scan(): Promise<void> {
    const { store, clock, log } = this.#deps;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const room = MAX_WALKS - this.#walks.size;
        const free = await store.withSystem('audit-exports', async (tx) => {
          await deleteExpiredExports(tx, clock.now());
          return room > 0 ? findUnattendedExports(tx, room) : [];
        });
        for (const key of free) {
          const claim = { ...key, holder: this.#holder, lifetimeMs: this.#times.lease };
          const lease = await store.withTenant(key.tenantId, (tx) => claimExport(tx, claim));
          if (lease !== null) this.#begin(lease);
        }
      } catch (error) {
        log.warn('Exports of audit logs could not be looked for', {
          error: error instanceof Error ? error : undefined,
        });
      }
      await this.#wanted.wait(clock, this.#times.scan, signal);
    }
  }

  #begin(lease: ExportLease): void {
    const walk = this.#walk(lease)
      .catch((error: unknown) =>
        // The lease ends by itself, and whoever claims it next goes on.
        this.#deps.log.warn('An export of an audit log could not be checked on', {
          error: error instanceof Error ? error : undefined,
        }),
      )
      .finally(() => {
        this.#walks.delete(walk);
        this.#wanted.wake();
      });
    this.#walks.add(walk);
  }

  async #walk(lease: ExportLease): Promise<void> {
    const { clock, store } = this.#deps;
    const { tenantId, exportId } = lease;
    const within = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => store.withTenant(tenantId, work);
    const found = await within((tx) => findExport(tx, tenantId, exportId, clock.now()));
    if (found === null) return;
    for (let from = found.checkedTo; from < found.to; from += MAX_LEAF_BATCH) {
      if (this.#stopped.signal.aborted) {
        await within((tx) => releaseExport(tx, lease));
        return;
      }
      const to = Math.min(found.to, from + MAX_LEAF_BATCH);
      const brokenIndex = await within((tx) => findBroken(tx, found, { from, to }));
      if (brokenIndex !== null) {
        await within((tx) => finishExport(tx, lease, { brokenIndex, now: clock.now() }));
        return;
      }
      const progress = { checkedTo: to, lifetimeMs: this.#times.lease };
      if (!(await within((tx) => saveExportProgress(tx, lease, progress)))) return;
    }
    await within((tx) => finishExport(tx, lease, { brokenIndex: null, now: clock.now() }));
  }
}

/** A part of the log that is missing is broken as an altered one is; a database that is away is another matter. */
async function findBroken(
  tx: Tx,
  { tenantId, size, root }: AuditExport,
  range: { readonly from: number; readonly to: number },
): Promise<number | null> {
  try {
    return await findBrokenLeaf(tx, tenantId, { ...range, size, root });
  } catch (error) {
    if (isSealdeskError(error, 'AUDIT_UNAVAILABLE') && error.cause === undefined) return range.from;
    throw error;
  }
}
