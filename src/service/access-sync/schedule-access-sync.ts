/** When an integration is synced by itself. */
import { z } from 'zod';
import { SealdeskError } from '../../base/index.ts';
import { putSyncSchedule, removeSyncSchedule, type SyncSchedule } from '../../directory/index.ts';
import type { Call } from '../../proxy/index.ts';
import { audited } from '../audited.ts';
import { idField, parseInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { admitSync, reachSync } from './admit-sync.ts';
import { nextRunAfter, parseSchedule, scheduleFields } from './schedule.ts';
import { type AccessSyncScheduleView, toScheduleView } from './sync-view.ts';

const SetInput = z.strictObject({
  integrationId: idField('integration'),
  cron: scheduleFields.cron,
  timeZone: scheduleFields.timeZone.nullish(),
});
const RemoveInput = z.strictObject({ integrationId: idField('integration') });

/**
 * Sets the schedule of an integration in place of the one it has. For ADMIN. Rejects with VALIDATION_FAILED for what
 * is no schedule, NOT_FOUND and OPERATION_NOT_ALLOWED.
 */
export async function setAccessSyncSchedule(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly schedule: AccessSyncScheduleView; readonly auditEventId: string }> {
  const act = { action: 'access-sync.schedule', roles: ['ADMIN'] } as const;
  return audited(deps, call, act, async (step, authenticated) => {
    const { integrationId, cron, timeZone } = parseInput(SetInput, input);
    const schedule = await step.commit(
      async (tx) => {
        await admitSync(tx, authenticated, integrationId);
        const now = deps.clock.now();
        const parsed = parseSchedule({ cron, timeZone: timeZone ?? 'UTC' }, now);
        const set: SyncSchedule = {
          ...parsed,
          ...{ tenantId: step.tenantId, integrationId, createdBy: authenticated.caller.id },
          ...{ createdAt: new Date(now), nextRunAt: nextRunAfter(parsed, now) },
        };
        await putSyncSchedule(tx, set);
        return set;
      },
      () => ({ resource: integrationId, integrationId }),
    );
    return { schedule: toScheduleView(schedule), auditEventId: step.eventId };
  });
}

/** Removes the schedule; a run under way goes on. For ADMIN. Rejects with NOT_FOUND, and with CONFLICT where there is none. */
export async function removeAccessSyncSchedule(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly integrationId: string; readonly auditEventId: string }> {
  const act = { action: 'access-sync.unschedule', roles: ['ADMIN'] } as const;
  return audited(deps, call, act, async (step, authenticated) => {
    const { integrationId } = parseInput(RemoveInput, input);
    await step.commit(
      async (tx) => {
        await reachSync(tx, authenticated, integrationId);
        if (await removeSyncSchedule(tx, { tenantId: step.tenantId, integrationId })) return;
        throw new SealdeskError('CONFLICT', 'The access sync of the integration has no schedule.');
      },
      () => ({ resource: integrationId, integrationId }),
    );
    return { integrationId, auditEventId: step.eventId };
  });
}
