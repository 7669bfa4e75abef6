/**
 * Runs of the access sync.
 *
 * - *QUEUED*: asked for by a caller or a schedule; nobody works on it yet.
 * - *RUNNING*: a process has the lease of its row and writes down, with each page that it stores, how far it came.
 *   Where the process dies the lease ends, and another goes on from the last page.
 * - *WAITING*: something kept it from going on that passes; it goes on by itself at `notBefore`.
 * - *SUCCEEDED*, *FAILED*, *CANCELLED*: over, for good. `reason` and `advice` tell why it failed.
 *
 * An integration has one run at most that is not over: an index of the table sees to it. Only the database's clock
 * counts for leases.
 */
import { type RawBuilder, sql } from 'kysely';
import {
  type AccessSyncKind,
  type AccessSyncPhase,
  type AccessSyncState,
  type AccessSyncTrigger,
  clausesOf,
  type KeysetPage,
  type Tx,
} from '../store/index.ts';
import type { DirectoryKey } from './directory-keys.ts';

export interface SyncRun {
  readonly id: string;
  readonly tenantId: string;
  readonly integrationId: string;
  readonly kind: AccessSyncKind;
  readonly trigger: AccessSyncTrigger;
  /** The API key or client key that asked for it, or that set the schedule. */
  readonly requestedBy: string;
  readonly state: AccessSyncState;
  readonly phase: AccessSyncPhase;
  /** Where the next page of the phase begins; `null`: at its start. */
  readonly cursor: string | null;
  /** Records of the phase so far. */
  readonly seen: number;
  readonly usersSeen: number;
  /** About how many there are to be seen; `null` where that is not known. */
  readonly usersExpected: number | null;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly pages: number;
  /** In a row. */
  readonly failures: number;
  /** An error code. */
  readonly reason: string | null;
  readonly advice: string | null;
  readonly isCancelRequested: boolean;
  readonly requestedAt: Date;
  readonly notBefore: Date;
  readonly startedAt: Date | null;
  readonly progressedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface NewSyncRun extends DirectoryKey {
  readonly id: string;
  readonly kind: AccessSyncKind;
  readonly trigger: AccessSyncTrigger;
  readonly requestedBy: string;
  readonly now: Date;
}

/** The right to work on a run, as long as nobody claimed it since. */
export interface SyncLease {
  readonly runId: string;
  readonly tenantId: string;
  /** An opaque name of the process. */
  readonly holder: string;
  readonly epoch: number;
}

export type SyncRunKey = Pick<SyncLease, 'runId' | 'tenantId'>;

/** What changes of a run with a page; what is left out stays. */
export interface SyncStep {
  readonly kind?: AccessSyncKind;
  readonly phase?: AccessSyncPhase;
  readonly cursor?: string | null;
  readonly usersExpected?: number | null;
  /** Records more of the phase; a new phase begins at 0. */
  readonly seen?: number;
  readonly usersSeen?: number;
  readonly added?: number;
  readonly changed?: number;
  readonly removed?: number;
  readonly now: Date;
}

export type SyncEnding =
  | { readonly state: 'SUCCEEDED' | 'CANCELLED'; readonly now: Date }
  | { readonly state: 'FAILED'; readonly reason: string; readonly advice: string; readonly now: Date };

/** The lease is another's now, or the run is over or gone: what was about to be written must not be. */
export class SyncLeaseLostError extends Error {
  override readonly name = 'SyncLeaseLostError';

  constructor(runId: string) {
    super(`The access sync ${runId} is held by another process, or by none.`);
  }
}

/** Finished runs that an integration keeps. */
export const MAX_KEPT_RUNS = 100;

/** Runs of one tenant that are worked on at once, by all processes together. */
const MAX_AT_ONCE = 2;

const COLUMNS = [
  ...(['id', 'tenant_id', 'integration_id', 'kind', 'trigger', 'requested_by', 'state', 'phase'] as const),
  ...(['cursor', 'seen', 'users_seen', 'users_expected', 'added', 'changed', 'removed', 'pages'] as const),
  ...(['failures', 'reason', 'advice', 'is_cancel_requested', 'requested_at', 'not_before'] as const),
  ...(['started_at', 'progressed_at', 'finished_at'] as const),
] as const;

/** The run, or `null` where the integration has one that is not over. */
export async function insertSyncRun(tx: Tx, run: NewSyncRun): Promise<SyncRun | null> {
  const row = await tx
    .insertInto('access_sync_runs')
    .values({
      id: run.id,
      tenant_id: run.tenantId,
      integration_id: run.integrationId,
      kind: run.kind,
      trigger: run.trigger,
      requested_by: run.requestedBy,
      state: 'QUEUED',
      phase: 'CUSTOM_ROLES',
      requested_at: run.now,
      not_before: run.now,
    })
    .onConflict((conflict) =>
      conflict
        .column('integration_id')
        .where(sql<boolean>`state IN ('QUEUED', 'RUNNING', 'WAITING')`)
        .doNothing(),
    )
    .returning(COLUMNS)
    .executeTakeFirst();
  return row === undefined ? null : runOf(row);
}

export async function findSyncRun(tx: Tx, { tenantId, runId }: SyncRunKey): Promise<SyncRun | null> {
  const row = await tx
    .selectFrom('access_sync_runs')
    .select(COLUMNS)
    .where('tenant_id', '=', tenantId)
    .where('id', '=', runId)
    .executeTakeFirst();
  return row === undefined ? null : runOf(row);
}

/** A page of the runs of an integration, oldest first unless backwards. */
export async function listSyncRuns(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
  page: KeysetPage,
): Promise<readonly SyncRun[]> {
  const { within, order, limit } = clausesOf(page);
  const rows = await tx
    .selectFrom('access_sync_runs')
    .select(COLUMNS)
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where(within)
    .orderBy('id', order)
    .limit(limit)
    .execute();
  return rows.map(runOf);
}

/** The run of the integration that is not over, or `null`; locked against change until the transaction ends. */
export async function holdOpenSyncRun(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
): Promise<SyncRun | null> {
  const row = await tx
    .selectFrom('access_sync_runs')
    .select(COLUMNS)
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('state', 'in', ['QUEUED', 'RUNNING', 'WAITING'])
    .forUpdate()
    .executeTakeFirst();
  return row === undefined ? null : runOf(row);
}

/**
 * Asks for the end of a run: at once where nobody works on it, with its next page otherwise. `null` where there is
 * none that is not over.
 */
export async function cancelSyncRun(
  tx: Tx,
  { tenantId, runId }: SyncRunKey,
  now: Date,
): Promise<SyncRun | null> {
  const { rows } = await sql<RunRow>`
    UPDATE access_sync_runs SET is_cancel_requested = true,
      state = CASE WHEN ${isFree} THEN 'CANCELLED' ELSE state END,
      finished_at = CASE WHEN ${isFree} THEN ${now}::timestamptz END
    WHERE tenant_id = ${tenantId} AND id = ${runId} AND state IN ('QUEUED', 'RUNNING', 'WAITING')
    RETURNING *`.execute(tx);
  const [row] = rows;
  return row === undefined ? null : runOf(row);
}

/**
 * Runs of any tenant that are to go on and that nobody holds: those first that waited longest since they were asked
 * for or came further, and of a tenant no more than the places that those which are held leave.
 */
export async function findUnattendedRuns(tx: Tx, limit: number): Promise<readonly SyncRunKey[]> {
  const { rows } = await sql<{ id: string; tenant_id: string }>`
    SELECT id, tenant_id FROM (
      SELECT id, tenant_id, ${isFree} AS is_free, coalesce(progressed_at, requested_at) AS since,
        row_number() OVER (PARTITION BY tenant_id
          ORDER BY ${isFree}, coalesce(progressed_at, requested_at), id) AS place
      FROM access_sync_runs
      WHERE state IN ('QUEUED', 'RUNNING', 'WAITING') AND not_before <= clock_timestamp()) AS ready
    WHERE is_free AND place <= ${MAX_AT_ONCE} ORDER BY since, id LIMIT ${limit}`.execute(tx);
  return rows.map((row) => ({ runId: row.id, tenantId: row.tenant_id }));
}

/** The lease under a new epoch; `null` while another's lives, or where there is nothing to work on. */
export async function claimSyncRun(
  tx: Tx,
  {
    runId,
    tenantId,
    holder,
    lifetimeMs,
    now,
  }: SyncRunKey & { readonly holder: string; readonly lifetimeMs: number; readonly now: Date },
): Promise<SyncLease | null> {
  const { rows } = await sql<{ epoch: number }>`
    UPDATE access_sync_runs SET state = 'RUNNING', lease_epoch = lease_epoch + 1, lease_holder = ${holder},
      lease_until = ${endOf(lifetimeMs)}, started_at = coalesce(started_at, ${now}::timestamptz),
      reason = NULL, advice = NULL
    WHERE tenant_id = ${tenantId} AND id = ${runId} AND state IN ('QUEUED', 'RUNNING', 'WAITING')
      AND not_before <= clock_timestamp() AND ${isFree}
    RETURNING lease_epoch AS epoch`.execute(tx);
  const [row] = rows;
  return row === undefined ? null : Object.freeze({ runId, tenantId, holder, epoch: row.epoch });
}

/** Moves the end of the lease on. `false` where it is lost. */
export async function renewSyncLease(tx: Tx, lease: SyncLease, lifetimeMs: number): Promise<boolean> {
  const { rows } = await sql`
    UPDATE access_sync_runs SET lease_until = ${endOf(lifetimeMs)} WHERE ${heldBy(lease)} RETURNING 1`.execute(
    tx,
  );
  return rows.length === 1;
}

/**
 * The run under the lock of its row, for what is written in the same transaction. Throws {@link SyncLeaseLostError}
 * unless `lease` holds.
 */
export async function holdSyncRun(tx: Tx, lease: SyncLease): Promise<SyncRun> {
  const { rows } = await sql<RunRow>`
    SELECT * FROM access_sync_runs WHERE ${heldBy(lease)} FOR UPDATE`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new SyncLeaseLostError(lease.runId);
  return runOf(row);
}

/** Writes down that a page was stored. Throws {@link SyncLeaseLostError}. */
export async function advanceSyncRun(tx: Tx, lease: SyncLease, step: SyncStep): Promise<void> {
  const { kind, phase, cursor, usersExpected, now } = step;
  const sets = [
    sql`pages = pages + 1, failures = 0, progressed_at = ${now}::timestamptz`,
    kind === undefined ? null : sql`kind = ${kind}`,
    phase === undefined ? null : sql`phase = ${phase}`,
    cursor === undefined ? null : sql`cursor = ${cursor}::text`,
    usersExpected === undefined ? null : sql`users_expected = ${usersExpected}::integer`,
    phase === undefined ? sql`seen = seen + ${step.seen ?? 0}::integer` : sql`seen = 0`,
    sql`users_seen = users_seen + ${step.usersSeen ?? 0}::integer`,
    sql`added = added + ${step.added ?? 0}::integer, changed = changed + ${step.changed ?? 0}::integer`,
    sql`removed = removed + ${step.removed ?? 0}::integer`,
  ].filter((one) => one !== null);
  const { rows } = await sql`
    UPDATE access_sync_runs SET ${sql.join(sets)} WHERE ${heldBy(lease)} RETURNING 1`.execute(tx);
  if (rows.length !== 1) throw new SyncLeaseLostError(lease.runId);
}

/** Lets a run wait for what passes. Nothing happens where the lease is lost. */
export async function pauseSyncRun(
  tx: Tx,
  lease: SyncLease,
  { reason, advice, waitMs }: { readonly reason: string; readonly advice: string; readonly waitMs: number },
): Promise<void> {
  await sql`
    UPDATE access_sync_runs SET state = 'WAITING', reason = ${reason}, advice = ${advice}, failures = failures + 1,
      not_before = ${endOf(waitMs)}, lease_holder = NULL, lease_until = NULL
    WHERE ${heldBy(lease)}`.execute(tx);
}

/** Gives the lease back, so that the next to ask has it; nothing happens where it is lost. */
export async function releaseSyncRun(tx: Tx, lease: SyncLease): Promise<void> {
  await sql`
    UPDATE access_sync_runs SET lease_holder = NULL, lease_until = NULL WHERE ${heldBy(lease)}`.execute(tx);
}

/** Ends a run and forgets the oldest of its integration. Throws {@link SyncLeaseLostError}. */
export async function finishSyncRun(tx: Tx, lease: SyncLease, ending: SyncEnding): Promise<SyncRun> {
  const isFailed = ending.state === 'FAILED';
  const { rows } = await sql<RunRow>`
    UPDATE access_sync_runs SET state = ${ending.state}, finished_at = ${ending.now}::timestamptz,
      phase = CASE WHEN ${ending.state === 'SUCCEEDED'}::boolean THEN 'DONE' ELSE phase END,
      reason = ${isFailed ? ending.reason : null}::text, advice = ${isFailed ? ending.advice : null}::text,
      lease_holder = NULL, lease_until = NULL
    WHERE ${heldBy(lease)} RETURNING *`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new SyncLeaseLostError(lease.runId);
  await sql`
    DELETE FROM access_sync_runs WHERE tenant_id = ${lease.tenantId} AND finished_at IS NOT NULL AND id IN (
      SELECT id FROM access_sync_runs WHERE integration_id = ${row.integration_id} AND finished_at IS NOT NULL
      ORDER BY id DESC OFFSET ${MAX_KEPT_RUNS})`.execute(tx);
  return runOf(row);
}

const isFree: RawBuilder<boolean> = sql`(lease_holder IS NULL OR lease_until <= clock_timestamp())`;

function heldBy({ runId, tenantId, holder, epoch }: SyncLease) {
  return sql`tenant_id = ${tenantId} AND id = ${runId} AND state = 'RUNNING'
    AND lease_holder = ${holder} AND lease_epoch = ${epoch}`;
}

function endOf(lifetimeMs: number) {
  return sql`clock_timestamp() + ${lifetimeMs} * interval '1 millisecond'`;
}

interface RunRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly integration_id: string;
  readonly kind: AccessSyncKind;
  readonly trigger: AccessSyncTrigger;
  readonly requested_by: string;
  readonly state: AccessSyncState;
  readonly phase: AccessSyncPhase;
  readonly cursor: string | null;
  readonly seen: number;
  readonly users_seen: number;
  readonly users_expected: number | null;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly pages: number;
  readonly failures: number;
  readonly reason: string | null;
  readonly advice: string | null;
  readonly is_cancel_requested: boolean;
  readonly requested_at: Date;
  readonly not_before: Date;
  readonly started_at: Date | null;
  readonly progressed_at: Date | null;
  readonly finished_at: Date | null;
}

function runOf(row: RunRow): SyncRun {
  return Object.freeze({
    id: row.id,
    tenantId: row.tenant_id,
    integrationId: row.integration_id,
    kind: row.kind,
    trigger: row.trigger,
    requestedBy: row.requested_by,
    state: row.state,
    phase: row.phase,
    cursor: row.cursor,
    seen: row.seen,
    usersSeen: row.users_seen,
    usersExpected: row.users_expected,
    added: row.added,
    changed: row.changed,
    removed: row.removed,
    pages: row.pages,
    failures: row.failures,
    reason: row.reason,
    advice: row.advice,
    isCancelRequested: row.is_cancel_requested,
    requestedAt: row.requested_at,
    notBefore: row.not_before,
    startedAt: row.started_at,
    progressedAt: row.progressed_at,
    finishedAt: row.finished_at,
  });
}
