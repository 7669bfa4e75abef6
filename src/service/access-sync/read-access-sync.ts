/** How access syncs stand. */
import type { Role } from '../../access/index.ts';
import { isId } from '../../base/index.ts';
import { findSyncRun, findSyncSchedule, listSyncRuns, readSyncState } from '../../directory/index.ts';
import type { AuthenticatedCall, Call } from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { notFound } from '../audited.ts';
import { type Connection, type PageInput, parsePage, toConnection } from '../page.ts';
import { readOwn } from '../read.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { reachSync } from './admit-sync.ts';
import { type AccessSyncRunView, type AccessSyncView, toRunView, toScheduleView } from './sync-view.ts';

const READERS: readonly Role[] = ['ADMIN'];

/** A run. For ADMIN. Rejects with NOT_FOUND. */
export function getAccessSyncRun(deps: ServiceDeps, call: Call, id: string): Promise<AccessSyncRunView> {
  return readOwn(deps, call, READERS, (tx, _tenantId, reading) => readRun(tx, reading, id));
}

/** The runs of an integration that are kept. For ADMIN. Rejects with NOT_FOUND. */
export function listAccessSyncRuns(
  deps: ServiceDeps,
  call: Call,
  integrationId: string,
  input: PageInput,
): Promise<Connection<AccessSyncRunView>> {
  return readOwn(deps, call, READERS, async (tx, tenantId, reading) => {
    await reachSync(tx, reading, integrationId);
    const page = parsePage(input);
    const rows = await listSyncRuns(tx, { tenantId, integrationId }, page);
    return toConnection(rows, page, (run) => run.id, toRunView);
  });
}

/** How the access sync of an integration stands. For ADMIN. Rejects with NOT_FOUND. */
export function getAccessSync(deps: ServiceDeps, call: Call, integrationId: string): Promise<AccessSyncView> {
  return readOwn(deps, call, READERS, async (tx, tenantId, reading) => {
    await reachSync(tx, reading, integrationId);
    const key = { tenantId, integrationId };
    const schedule = await findSyncSchedule(tx, key);
    const [last] = await listSyncRuns(tx, key, { backwards: true, limit: 1 });
    const { syncedAt } = await readSyncState(tx, key);
    return {
      schedule: schedule === null ? null : toScheduleView(schedule),
      lastRun: last === undefined ? null : toRunView(last),
      nextRunAt: schedule?.nextRunAt ?? null,
      syncedAt,
    };
  });
}

/** The run, where the caller may see it. Throws NOT_FOUND and OPERATION_NOT_ALLOWED. */
export async function readRun(tx: Tx, call: AuthenticatedCall, id: string): Promise<AccessSyncRunView> {
  const { tenantId } = call.caller;
  const run = isId('run', id) ? await findSyncRun(tx, { tenantId, runId: id }) : null;
  if (run === null) throw notFound('run');
  await reachSync(tx, call, run.integrationId);
  return toRunView(run);
}
