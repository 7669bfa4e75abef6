/** The directory of an account's people as the last access sync saw them; personal texts are sealed at rest. */
export {
  ACCESS_FINDINGS,
  type AccessFinding,
  countAccessFindings,
  type FindingTimes,
  IS_STAFF,
  isFound,
  listAccessFindings,
  takesSeat,
} from './access-findings.ts';
export {
  type DirectoryKey,
  type DirectoryKeys,
  emailIndexOf,
  externalIdIndexOf,
} from './directory-keys.ts';
export {
  type DirectoryUser,
  type DirectoryUserFacts,
  openDirectoryUser,
  type PersonalTexts,
  type SealedDirectoryUser,
} from './directory-user.ts';
export { type EraseUser, eraseUser, sweepDeleted } from './erase-user.ts';
export {
  countDirectoryRoles,
  countDirectoryUsers,
  type DirectoryCount,
  type DirectoryPage,
  type DirectoryUserFilter,
  listDirectoryUsers,
  MAX_DIRECTORY_PAGE,
  readDirectoryUsers,
} from './find-users.ts';
export { listMemberships, type Membership } from './memberships.ts';
export {
  listNamedEntries,
  type NamedEntry,
  type NamedTable,
  type NamedTexts,
  openNamedEntry,
  type SealedNamedEntry,
} from './named-entries.ts';
export {
  type ReadNamed,
  type ReadUser,
  readMembership,
  readNamed,
  readUser,
  userIdOf,
} from './read-records.ts';
export { listRoleChanges, MAX_ROLE_CHANGES, type RoleChange } from './role-changes.ts';
export {
  removeUnseenEntries,
  removeUnseenMemberships,
  storeMemberships,
  storeNamedEntries,
} from './store-named.ts';
export {
  findUnseenUsers,
  type PageCounts,
  removeUsers,
  type StorePage,
  storeUserRecords,
  storeUsers,
} from './store-users.ts';
export {
  advanceSyncRun,
  cancelSyncRun,
  claimSyncRun,
  findSyncRun,
  findUnattendedRuns,
  finishSyncRun,
  holdOpenSyncRun,
  holdSyncRun,
  insertSyncRun,
  listSyncRuns,
  MAX_KEPT_RUNS,
  type NewSyncRun,
  pauseSyncRun,
  releaseSyncRun,
  renewSyncLease,
  type SyncEnding,
  type SyncLease,
  SyncLeaseLostError,
  type SyncRun,
  type SyncRunKey,
  type SyncStep,
} from './sync-runs.ts';
export {
  findDueSchedules,
  findSyncSchedule,
  holdDueSchedule,
  moveSchedule,
  putSyncSchedule,
  readSyncState,
  removeSyncSchedule,
  type SyncSchedule,
  type SyncState,
  saveSyncState,
} from './sync-schedules.ts';
