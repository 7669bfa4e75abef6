import type { SyncRun, SyncSchedule } from '../../directory/index.ts';

/** A run as it is told: counts, times and states, of nobody in particular. */
export interface AccessSyncRunView extends Omit<SyncRun, 'tenantId' | 'cursor' | 'notBefore'> {
  /** When it goes on by itself; `null` where it is not waiting. */
  readonly resumesAt: Date | null;
  /** The part of the users that was seen, 0 to 1; `null` where that cannot be told. */
  readonly progress: number | null;
  /** About how long it still takes; `null` where that cannot be told. */
  readonly secondsLeft: number | null;
}

export type AccessSyncScheduleView = Omit<SyncSchedule, 'tenantId' | 'integrationId'>;

/** How the access sync of an integration stands. */
export interface AccessSyncView {
  readonly schedule: AccessSyncScheduleView | null;
  readonly lastRun: AccessSyncRunView | null;
  readonly nextRunAt: Date | null;
  /** The directory is as the account was at this time, or newer; `null` before the first run came to its end. */
  readonly syncedAt: Date | null;
}

export function toRunView({ tenantId: _, cursor: _cursor, notBefore, ...run }: SyncRun): AccessSyncRunView {
  const resumesAt = run.state === 'WAITING' ? notBefore : null;
  return Object.freeze({ ...run, resumesAt, progress: progressOf(run), secondsLeft: secondsLeftOf(run) });
}

export function toScheduleView({
  tenantId: _,
  integrationId: _integrationId,
  ...schedule
}: SyncSchedule): AccessSyncScheduleView {
  return Object.freeze(schedule);
}

type Counts = Pick<SyncRun, 'state' | 'phase' | 'usersSeen' | 'usersExpected' | 'startedAt' | 'progressedAt'>;

function progressOf({ state, phase, usersSeen, usersExpected }: Counts): number | null {
  if (state === 'SUCCEEDED') return 1;
  if (usersExpected === null || usersExpected === 0) return null;
  const isPastUsers = phase === 'MISSING_USERS' || phase === 'MEMBERSHIPS';
  // The export also has users that are deleted, so it may hold more than there are.
  return isPastUsers ? 0.99 : Math.min(0.99, usersSeen / usersExpected);
}

function secondsLeftOf(run: Counts): number | null {
  const { state, startedAt, progressedAt } = run;
  const progress = progressOf(run);
  if (state === 'SUCCEEDED') return 0;
  if (state !== 'RUNNING' || startedAt === null || progressedAt === null) return null;
  if (progress === null || progress === 0) return null;
  const taken = (progressedAt.getTime() - startedAt.getTime()) / 1_000;
  return Math.ceil((taken / progress) * (1 - progress));
}
