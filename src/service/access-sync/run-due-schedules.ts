/**
 * Schedules that are due lead to runs; of the times that passed while nobody looked, or a run was under way, one is
 * made up for. One that fails, such as for want of its tenant's key, is tried again later and keeps no other waiting.
 */
import { createId } from '../../base/index.ts';
import {
  type DirectoryKey,
  findDueSchedules,
  holdDueSchedule,
  insertSyncRun,
  moveSchedule,
  readSyncState,
} from '../../directory/index.ts';
import { notify } from '../../store/index.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { nextRunAfter } from './schedule.ts';
import { syncEvent } from './sync-event.ts';

type ScheduleDeps = Pick<ServiceDeps, 'store' | 'keyring' | 'clock' | 'log'>;

/** Of one look. */
const MAX_DUE = 20;
/** After which a schedule that failed is due again. */
const RETRY_MS = 5 * 60_000;

/** Asks for the runs that are due now. */
export async function runDueSchedules(deps: ScheduleDeps): Promise<void> {
  const { store, clock, log } = deps;
  const now = new Date(clock.now());
  const due = await store.withSystem('access-syncs', (tx) => findDueSchedules(tx, { now, limit: MAX_DUE }));
  for (const key of due) {
    try {
      await runSchedule(deps, key);
    } catch (error) {
      log.warn('A scheduled access sync could not be asked for', {
        integrationId: key.integrationId,
        error: error instanceof Error ? error : undefined,
      });
      await putOff(deps, key);
    }
  }
}

async function putOff({ store, clock }: ScheduleDeps, key: DirectoryKey): Promise<void> {
  const now = clock.now();
  await store.withTenant(key.tenantId, async (tx) => {
    if ((await holdDueSchedule(tx, key, new Date(now))) === null) return;
    await moveSchedule(tx, key, new Date(now + RETRY_MS));
  });
}

async function runSchedule({ store, keyring, clock }: ScheduleDeps, key: DirectoryKey): Promise<void> {
  const keys = await keyring.keysOf(key.tenantId);
  const now = clock.now();
  await store.withTenant(key.tenantId, async (tx) => {
    const schedule = await holdDueSchedule(tx, key, new Date(now));
    if (schedule === null) return;
    await moveSchedule(tx, key, nextRunAfter(schedule, now));
    const { usersCursor } = await readSyncState(tx, key);
    const run = await insertSyncRun(tx, {
      ...key,
      id: createId('run', now),
      kind: usersCursor === null ? 'FULL' : 'INCREMENTAL',
      trigger: 'SCHEDULE',
      requestedBy: schedule.createdBy,
      now: new Date(now),
    });
    // One is under way, which sees the same.
    if (run === null) return;
    await notify(tx, 'syncs', run.id);
    const event = syncEvent('access-sync.start', run, now, { outcome: 'SUCCEEDED' });
    await appendEvents(tx, key.tenantId, keys.auditHeadKey(), [event]);
  });
}
