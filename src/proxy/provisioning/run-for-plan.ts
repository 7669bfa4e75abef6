import type { Clock, JsonObject } from '../../base/index.ts';
import { createUsageMeter, type ZendeskClient } from '../../zendesk/index.ts';
import type { Operation } from '../catalogue/operation.ts';
import { OPERATION_DEADLINE_MS } from '../operation-deadline.ts';

/**
 * Runs one operation of the catalogue as a part of a plan; its intent is in the log already. `breakGlassIds` are
 * whom it may not lock out, as they were when the intent was written.
 */
export type RunOperation = (
  operation: Operation,
  payload: JsonObject,
  breakGlassIds: ReadonlySet<number>,
) => Promise<JsonObject>;

/**
 * Owner and credential of the account are asked for once more where somebody could be locked out. What is under way
 * is not broken off: its outcome would be lost. Rejects with the failures of Zendesk, telling what became of the
 * change.
 */
export function runForPlan({
  client,
  caller,
  clock,
}: {
  readonly client: ZendeskClient;
  readonly caller: string;
  readonly clock: Clock;
}): RunOperation {
  return async (operation, payload, breakGlassIds) => {
    const { result } = await operation.prepare(payload, null).run(client, {
      ...{ caller, gate: null, guard: { breakGlassIds } },
      usage: createUsageMeter(),
      isPermitted: () => false,
      deadline: clock.now() + OPERATION_DEADLINE_MS,
    });
    return result;
  };
}
