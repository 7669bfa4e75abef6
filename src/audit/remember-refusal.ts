import { isSealdeskError } from '../base/index.ts';
import type { Condition } from './tenant-writer.ts';

export interface RememberedCondition {
  readonly ask: Condition | undefined;
  /** Whether `error` is what the condition refused with, and not a failure of the log. */
  isRefusal(error: unknown): boolean;
  /** What it refused with last; `undefined` where it did not. */
  readonly refusal: unknown;
}

/** `condition`, and the failure of ours that it throws. */
export function rememberRefusal(condition: Condition | undefined): RememberedCondition {
  let refusal: unknown;
  return {
    ask:
      condition &&
      (async (tx) => {
        await condition(tx).catch((error: unknown) => {
          if (isSealdeskError(error)) refusal = error;
          throw error;
        });
      }),
    isRefusal: (error) => refusal !== undefined && error === refusal,
    get refusal() {
      return refusal;
    },
  };
}
