/**
 * The phases of a run, each a page at a time: one call of Zendesk's, outside any transaction, and then what it
 * changes in the directory, in the transaction in which the run's place moves on. Whoever takes a run over goes on
 * from that place, so no page is lost and none counted twice.
 *
 * CUSTOM_ROLES, GROUPS, ORGANIZATIONS → USERS → (of a full run) MISSING_USERS → MEMBERSHIPS → DONE. Lists are read
 * whole each time, and what is no longer in them is removed; of users an incremental run reads what changed. A full
 * run has missed who was changed within the last minute, which the export keeps back: those it has not seen are
 * looked for by id before they are removed.
 */
import {
  findUnseenUsers,
  type NamedTable,
  type ReadNamed,
  readMembership,
  readNamed,
  readSyncState,
  removeUnseenEntries,
  removeUnseenMemberships,
  removeUsers,
  type StorePage,
  type SyncRun,
  type SyncStep,
  saveSyncState,
  storeMemberships,
  storeNamedEntries,
  storeUserRecords,
  userIdOf,
} from '../../directory/index.ts';
import { type DirectorySource, isPlaceRefused, type ListPage, type UsersPage } from '../../proxy/index.ts';
import type { AccessSyncPhase, Tx } from '../../store/index.ts';

/** Users of a page of the export, the most that Zendesk gives. */
const USERS_AT_ONCE = 1_000;
/** Users that are asked for by id at once. */
const MISSING_AT_ONCE = 100;
/** The export begins with everything. */
const FROM_THE_START = 0;

export interface PageContext {
  readonly source: DirectorySource;
  readonly signal: AbortSignal;
  /** Reads in a transaction of its own. */
  readonly read: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
}

/** What a page does to the directory, under the lock of the run. */
export type PageWork = (tx: Tx, page: StorePage) => Promise<Omit<SyncStep, 'now'>>;

/** Reads the next page of the run's phase, and tells what to do with it; `null` where the run has come to its end. */
export async function nextPage(context: PageContext, run: SyncRun): Promise<PageWork | null> {
  const { source, signal } = context;
  switch (run.phase) {
    case 'CUSTOM_ROLES': {
      const roles = await source.customRoles(signal);
      // Where the plan has none, what is known of them from before stays as it was.
      if (roles === null) return async () => ({ phase: 'GROUPS', cursor: null });
      const list = { records: roles, cursor: null };
      return namedPage('directory_custom_roles', list, 'GROUPS');
    }
    case 'GROUPS':
      return namedPage('directory_groups', await source.groupsPage(run.cursor, signal), 'ORGANIZATIONS');
    case 'ORGANIZATIONS':
      return namedPage(
        'directory_organizations',
        await source.organizationsPage(run.cursor, signal),
        'USERS',
      );
    case 'USERS':
      return usersPage(context, run);
    case 'MISSING_USERS':
      return missingPage(context, run);
    case 'MEMBERSHIPS':
      return membershipsPage(await source.membershipsPage(run.cursor, signal));
    case 'DONE':
      return null;
    default:
      return run.phase satisfies never;
  }
}

function namedPage(table: NamedTable, { records, cursor }: ListPage, next: AccessSyncPhase): PageWork {
  const entries = records.map(readNamed).filter((entry): entry is ReadNamed => entry !== null);
  return async (tx, page) => {
    await storeNamedEntries(tx, table, page, entries);
    const seen = entries.length;
    if (cursor !== null) return { cursor, seen };
    await removeUnseenEntries(tx, table, page);
    return { phase: next, cursor: null };
  };
}

async function usersPage({ source, signal, read }: PageContext, run: SyncRun): Promise<PageWork> {
  const state = await read((tx) => readSyncState(tx, run));
  const isFirst = run.cursor === null;
  const from = run.cursor ?? (run.kind === 'FULL' ? null : state.usersCursor);
  const usersExpected = isFirst && run.kind === 'FULL' ? await source.countUsers(signal) : undefined;
  let fetched: UsersPage;
  try {
    const place = from === null ? { startTime: FROM_THE_START } : { cursor: from };
    fetched = await source.usersPage(place, USERS_AT_ONCE, signal);
  } catch (error) {
    if (from === null || !isPlaceRefused(error)) throw error;
    // The place is too old, or another account's: everything is read anew.
    return async (tx) => {
      await saveSyncState(tx, run, { usersCursor: null });
      return { kind: 'FULL', cursor: null };
    };
  }
  const { users, cursor, isLast } = fetched;
  return async (tx, page) => {
    const counts = await storeUserRecords(tx, page, users);
    const step = {
      ...counts,
      ...(usersExpected === undefined ? {} : { usersExpected }),
      usersSeen: users.length,
      seen: users.length,
    };
    if (!isLast && cursor !== run.cursor) return { ...step, cursor };
    await saveSyncState(tx, run, { usersCursor: cursor });
    return { ...step, phase: run.kind === 'FULL' ? 'MISSING_USERS' : 'MEMBERSHIPS', cursor: null };
  };
}

async function missingPage({ source, signal, read }: PageContext, run: SyncRun): Promise<PageWork> {
  const after = run.cursor === null ? 0 : Number(run.cursor);
  const ids = await read((tx) => findUnseenUsers(tx, run, { runId: run.id, after, limit: MISSING_AT_ONCE }));
  const last = ids.at(-1);
  if (last === undefined) return async () => ({ phase: 'MEMBERSHIPS', cursor: null });
  const shown = await source.showUsers(ids, signal);
  const there = new Set(shown.map(userIdOf));
  return async (tx, page) => {
    const counts = await storeUserRecords(tx, page, shown);
    const gone = await removeUsers(
      tx,
      page,
      ids.filter((id) => !there.has(id)),
    );
    return { ...counts, removed: counts.removed + gone, seen: ids.length, cursor: String(last) };
  };
}

function membershipsPage({ records, cursor }: ListPage): PageWork {
  const memberships = records.map(readMembership).filter((one) => one !== null);
  return async (tx, page) => {
    await storeMemberships(tx, page, memberships);
    if (cursor !== null) return { cursor, seen: memberships.length };
    await removeUnseenMemberships(tx, page);
    return { phase: 'DONE', cursor: null };
  };
}
