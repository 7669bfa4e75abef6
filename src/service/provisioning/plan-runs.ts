import type { PlanToRun } from '../../provisioning/index.ts';
import type { PlanTimes } from './plan-times.ts';

/** What applies plans in a process. */
export interface PlanRuns extends AsyncDisposable {
  readonly times: PlanTimes;
  /**
   * Goes on with a plan that is to be applied, unless another process does. Resolves when there is nothing more to do
   * here, whatever became of it; never rejects. Plans of one person do not wait for those of many, nor a tenant's for
   * another's.
   */
  run(plan: PlanToRun): Promise<void>;
}
