/**
 * The part of a process that applies plans, a few at a time. A plan of one person may be an emergency, and has places
 * of its own; of either kind a tenant has a share only, so that none waits for all that another does. Disposing ends
 * each after the step under way, and gives it back, so that another process goes on at once; where a process dies,
 * another does when the lease is over.
 */
import { randomUUID } from 'node:crypto';
import type { PlanToRun } from '../../provisioning/index.ts';
import type { PlanRuns } from './plan-runs.ts';
import { DEFAULT_PLAN_TIMES, type PlanTimes } from './plan-times.ts';
import { type PlanRunsDeps, runPlan } from './run-plan.ts';
import { TenantTurns } from './tenant-turns.ts';

/** Plans of one person that a process applies at once, and as many of more; and of one tenant. */
const TURNS = { atOnce: 8, ofTenant: 2 } as const;

export function openPlanRuns(deps: PlanRunsDeps, times: Partial<PlanTimes> = {}): PlanRuns {
  return new ProcessPlanRuns(deps, { ...DEFAULT_PLAN_TIMES, ...times });
}

class ProcessPlanRuns implements PlanRuns {
  readonly times: PlanTimes;
  readonly #deps: PlanRunsDeps;
  readonly #stopped = new AbortController();
  readonly #single = new TenantTurns(TURNS);
  readonly #many = new TenantTurns(TURNS);
  readonly #running = new Map<string, Promise<void>>();

  constructor(deps: PlanRunsDeps, times: PlanTimes) {
    this.#deps = deps;
    this.times = times;
  }

  run({ tenantId, planId, items }: PlanToRun): Promise<void> {
    const { signal } = this.#stopped;
    const key = { tenantId, planId };
    const turns = items === 1 ? this.#single : this.#many;
    if (signal.aborted) return Promise.resolve();
    const present = this.#running.get(planId);
    if (present !== undefined) return present;
    const run = turns
      // A name of its own for each run: one that lost its claim is not taken for the next.
      .run(tenantId, signal, () =>
        runPlan(this.#deps, key, { holder: randomUUID(), signal, times: this.times }),
      )
      .catch((error: unknown) => {
        if (signal.aborted) return;
        this.#deps.log.warn('A provisioning plan could not go on', {
          tenantId,
          error: error instanceof Error ? error : undefined,
        });
      })
      .finally(() => this.#running.delete(planId));
    this.#running.set(planId, run);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort(new Error('The process stops'));
    await Promise.all(this.#running.values());
  }
}
