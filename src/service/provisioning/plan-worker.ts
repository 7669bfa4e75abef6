/** The part of a process that finds plans which nobody attends to any more, and clears away what has expired. */
import { deleteExpiredPlans, findUnattendedPlans } from '../../provisioning/index.ts';
import type { ServiceDeps } from '../service-deps.ts';

const MAX_PLANS = 20;

/** Looks now and then. Disposing waits for the look under way; the plans are their runs'. */
export function openPlanWorker({
  store,
  clock,
  log,
  planRuns,
}: Pick<ServiceDeps, 'store' | 'clock' | 'log' | 'planRuns'>): AsyncDisposable {
  const stopped = new AbortController();
  const { signal } = stopped;
  const looking = (async () => {
    while (!signal.aborted) {
      try {
        const unattended = await store.withSystem('provisioning-plans', async (tx) => {
          await deleteExpiredPlans(tx, clock.now());
          return findUnattendedPlans(tx, MAX_PLANS);
        });
        for (const plan of unattended) void planRuns.run(plan);
      } catch (error) {
        log.warn('Provisioning plans could not be looked for', {
          error: error instanceof Error ? error : undefined,
        });
      }
      await clock.wait(planRuns.times.scan, signal).catch(() => undefined);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await looking;
    },
  };
}
