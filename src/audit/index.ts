/** The audit log of each tenant: events, appending, reading, intents. The caller passes in the secret of the head's MAC. */
export {
  AUDIT_ALARMS,
  type AuditAlarm,
  type AuditAlarmKind,
  AuditFault,
  isMarkedStopped,
  listAlarms,
  raiseAlarm,
  stopAgain,
} from './alarms.ts';
export {
  AnchorError,
  type AnchoredCheckpoint,
  type AuditAnchor,
  type CheckpointPlace,
} from './anchor/anchor.ts';
export { type AnchorLocation, parseAnchorLocation } from './anchor/anchor-location.ts';
export { openAnchor } from './anchor/open-anchor.ts';
export {
  type AuditAppend,
  type AuditLogKey,
  appendAuditEvents,
  createAuditHead,
  readAuditHead,
} from './append.ts';
export {
  AUDIT_ACTOR_TYPES,
  AUDIT_OUTCOMES,
  AUDIT_PHASES,
  type AuditActorType,
  type AuditEvent,
  type AuditOutcome,
  encodeLeaf,
  MAX_AUDIT_ENVELOPES,
  type NewAuditEvent,
} from './audit-event.ts';
export { type AuditTotals, readAuditTotals } from './audit-totals.ts';
export { type CheckedRun, checkRun } from './check-run.ts';
export {
  type CheckpointWish,
  insertCheckpoint,
  listCheckpointsAfter,
  listNewestCheckpoints,
  readCheckpoint,
  type StoredCheckpoint,
} from './checkpoints.ts';
export { FIRST_EPOCH, listEpochs, readEpoch } from './epochs.ts';
export {
  type AuditExport,
  claimExport,
  countExports,
  deleteExpiredExports,
  type ExportLease,
  findExport,
  findUnattendedExports,
  finishExport,
  insertExport,
  type NewAuditExport,
  releaseExport,
  saveExportProgress,
} from './exports.ts';
export { FOLLOWED_MS, noteFollowed } from './followers.ts';
export {
  listOpenIntents,
  listStaleIntents,
  type OperationState,
  type OperationStatus,
  readOperationStatus,
  STALE_INTENT_AGE_MS,
  type StaleIntent,
} from './intents.ts';
export {
  findBrokenLeaf,
  type LeafRange,
  MAX_LEAF_BATCH,
  readLeaves,
  readLogSize,
  type StoredLeaf,
  type TreeOfRange,
} from './leaves.ts';
export {
  type AuditFilter,
  type AuditPage,
  getAuditEvent,
  getAuditEvents,
  listAuditEvents,
  listClientKeyEvents,
  MAX_AUDIT_PAGE,
} from './list.ts';
export { assertExtends, type LogState, readLogState, type TreeHead } from './log-state.ts';
export { MAX_AUDIT_GROUP } from './ready-event.ts';
export { type AuditRecord, forgetAuditHead, recordAuditEvents } from './record.ts';
export { rememberRefusal } from './remember-refusal.ts';
export { type LogRestore, type RestoredLog, restoreLog } from './restore.ts';
export type { Condition } from './tenant-writer.ts';
export {
  LOWEST_STORED_LEVEL,
  readConsistencyProof,
  readInclusionProof,
  readRoot,
  readTreeNodes,
  storedNodes,
} from './tree.ts';
export {
  claimWatch,
  DEFAULT_WATCH_TIMES,
  listDueLogs,
  listLogs,
  releaseWatch,
  type WatchLease,
  type WatchProgress,
  type WatchTimes,
} from './watches.ts';
