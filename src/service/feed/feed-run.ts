/**
 * One feed while its lease is held: renews the lease, loads what is marked, reads the export, clears away. It
 * ends when the lease is lost, the feed is turned off, the process stops, or one of its tasks meets what nobody
 * foresaw; then all tasks are stopped and the lease is given back. A holder whose lease ran out without its
 * knowing does no harm: the lock of the log refuses it.
 */
import {
  type FeedKey,
  type FeedLease,
  LeaseLostError,
  purgeInvocations,
  type RetentionTerms,
  releaseLease,
  renewLease,
  retireUnreadStreams,
  trimStreams,
} from '../../feed/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { FeedWork, type FeedWorkDeps } from './feed-work.ts';
import { runLoader } from './load-tickets.ts';
import { runExport } from './poll-export.ts';
import type { Slots } from './slots.ts';

export interface FeedRunDeps extends FeedWorkDeps {
  readonly slots: Slots;
  readonly onMarked: ServiceDeps['feed']['onMarked'];
  /** How much of the log is kept. */
  readonly retention: RetentionTerms;
}

/** Attends to the feed until `stopped` is aborted or the lease is lost. Never rejects. */
export async function runFeed(
  deps: FeedRunDeps,
  key: FeedKey,
  lease: FeedLease,
  stopped: AbortSignal,
): Promise<void> {
  const work = new FeedWork(deps, key, lease);
  const ended = new AbortController();
  const signal = AbortSignal.any([stopped, ended.signal]);
  const unlisten = deps.onMarked((id) => {
    if (id === null || id === key.integrationId) work.marked.wake();
  });
  const task = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      if (error instanceof LeaseLostError) {
        deps.log.info('The lease on a change feed is lost', { integrationId: key.integrationId });
      } else if (!signal.aborted) {
        deps.log.error('A change feed failed inside the gateway', {
          integrationId: key.integrationId,
          error: error instanceof Error ? error : undefined,
        });
      }
    } finally {
      ended.abort();
    }
  };
  try {
    await Promise.all([
      task(() => keepLease(work, signal)),
      task(() => runLoader(work, deps.slots, signal)),
      task(() => runExport(work, deps.slots, signal)),
      task(() => clearAway(work, deps.retention, signal)),
    ]);
  } finally {
    unlisten();
    // Where the database is away the lease ends by itself.
    await work.read((tx) => releaseLease(tx, lease)).catch(() => undefined);
  }
}

/** Renews the lease, and looks each time whether the integration still permits the feed. */
async function keepLease(work: FeedWork, signal: AbortSignal): Promise<void> {
  const { clock, times, lease, key } = work;
  let heldUntil = clock.now() + times.lease;
  while (!signal.aborted) {
    try {
      await work.look();
      const renewedAt = clock.now();
      if (!(await work.read((tx) => renewLease(tx, lease, times.lease)))) throw lost(work);
      heldUntil = renewedAt + times.lease;
    } catch (error) {
      if (error instanceof LeaseLostError) throw error;
      // Another may hold it by now: there is no use in going on before it is claimed again.
      if (clock.now() >= heldUntil) throw lost(work);
      work.log.warn('The lease on a change feed could not be renewed', {
        integrationId: key.integrationId,
        error: error instanceof Error ? error : undefined,
      });
    }
    await clock.wait(times.renew, signal).catch(() => undefined);
  }
}

/** Forgets old webhook calls, and of the log what is not kept. Rejects with {@link LeaseLostError}. */
async function clearAway(work: FeedWork, retention: RetentionTerms, signal: AbortSignal): Promise<void> {
  const { clock, times, key } = work;
  while (!signal.aborted) {
    await clock.wait(work.jittered(times.purge), signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      for (let isMore = true; isMore && !signal.aborted; ) {
        isMore = await work.read((tx) => purgeInvocations(tx, key.integrationId));
      }
      await work.write((tx) => retireUnreadStreams(tx, key, retention, new Date(clock.now())));
      // In short acts, between which changes can be appended.
      for (let isMore = true; isMore && !signal.aborted; ) {
        isMore = await work.write((tx) => trimStreams(tx, key, retention, new Date(clock.now())));
      }
    } catch (error) {
      if (error instanceof LeaseLostError) throw error;
      work.log.warn('What a change feed does not keep could not be cleared away', {
        integrationId: key.integrationId,
        error: error instanceof Error ? error : undefined,
      });
    }
  }
}

function lost({ key }: FeedWork): LeaseLostError {
  return new LeaseLostError(key.integrationId);
}
