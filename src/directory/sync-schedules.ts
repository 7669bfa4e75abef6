/** When an integration is synced by itself, and where its next incremental run begins. */
import type { Selectable } from 'kysely';
import type { AccessSyncSchedulesTable, Tx } from '../store/index.ts';
import type { DirectoryKey } from './directory-keys.ts';

export interface SyncSchedule extends DirectoryKey {
  readonly cron: string;
  /** An IANA name. */
  readonly timeZone: string;
  /** The API key or client key that set it. */
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly nextRunAt: Date;
}

export interface SyncState {
  /** Where the next incremental run begins; `null`: the next run sees everything. */
  readonly usersCursor: string | null;
  /** When the last run began that came to its end. */
  readonly syncedAt: Date | null;
}

/** Sets the schedule of an integration in place of the one it has. */
export async function putSyncSchedule(tx: Tx, schedule: SyncSchedule): Promise<void> {
  const row = {
    cron: schedule.cron,
    time_zone: schedule.timeZone,
    created_by: schedule.createdBy,
    created_at: schedule.createdAt,
    next_run_at: schedule.nextRunAt,
  };
  await tx
    .insertInto('access_sync_schedules')
    .values({ tenant_id: schedule.tenantId, integration_id: schedule.integrationId, ...row })
    .onConflict((conflict) => conflict.column('integration_id').doUpdateSet(row))
    .execute();
}

/** Removes the schedule. `false` where there is none. */
export async function removeSyncSchedule(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
): Promise<boolean> {
  const row = await tx
    .deleteFrom('access_sync_schedules')
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .returning('integration_id')
    .executeTakeFirst();
  return row !== undefined;
}

export async function findSyncSchedule(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
): Promise<SyncSchedule | null> {
  const row = await tx
    .selectFrom('access_sync_schedules')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .executeTakeFirst();
  return row === undefined ? null : scheduleOf(row);
}

/** Integrations of any tenant whose schedule is due at `now`, those that waited longest first. */
export async function findDueSchedules(
  tx: Tx,
  { now, limit }: { readonly now: Date; readonly limit: number },
): Promise<readonly DirectoryKey[]> {
  const rows = await tx
    .selectFrom('access_sync_schedules')
    .select(['tenant_id', 'integration_id'])
    .where('next_run_at', '<=', now)
    .orderBy('next_run_at')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ tenantId: row.tenant_id, integrationId: row.integration_id }));
}

/** The schedule, locked until the transaction ends, where it is due at `now`; `null` where it is not. */
export async function holdDueSchedule(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
  now: Date,
): Promise<SyncSchedule | null> {
  const row = await tx
    .selectFrom('access_sync_schedules')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('next_run_at', '<=', now)
    .forUpdate()
    .executeTakeFirst();
  return row === undefined ? null : scheduleOf(row);
}

export async function moveSchedule(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
  nextRunAt: Date,
): Promise<void> {
  await tx
    .updateTable('access_sync_schedules')
    .set({ next_run_at: nextRunAt })
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .execute();
}

export async function readSyncState(tx: Tx, { tenantId, integrationId }: DirectoryKey): Promise<SyncState> {
  const row = await tx
    .selectFrom('access_sync_states')
    .select(['users_cursor', 'synced_at'])
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .executeTakeFirst();
  return { usersCursor: row?.users_cursor ?? null, syncedAt: row?.synced_at ?? null };
}

/** Writes down the members that are given. */
export async function saveSyncState(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
  { usersCursor, syncedAt }: Partial<SyncState>,
): Promise<void> {
  const row = {
    ...(usersCursor === undefined ? {} : { users_cursor: usersCursor }),
    ...(syncedAt === undefined ? {} : { synced_at: syncedAt }),
  };
  await tx
    .insertInto('access_sync_states')
    .values({ tenant_id: tenantId, integration_id: integrationId, ...row })
    .onConflict((conflict) => conflict.column('integration_id').doUpdateSet(row))
    .execute();
}

function scheduleOf(row: Selectable<AccessSyncSchedulesTable>): SyncSchedule {
  return Object.freeze({
    tenantId: row.tenant_id,
    integrationId: row.integration_id,
    cron: row.cron,
    timeZone: row.time_zone,
    createdBy: row.created_by,
    createdAt: row.created_at,
    nextRunAt: row.next_run_at,
  });
}
