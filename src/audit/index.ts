/** The audit log of each tenant: events, appending, reading, intents. The caller passes in the secret of the head's MAC. */
export {
  type AuditAppend,
  type AuditLogKey,
  appendAuditEvents,
  createAuditHead,
  MAX_AUDIT_GROUP,
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
export {
  listOpenIntents,
  listStaleIntents,
  type OperationState,
  type OperationStatus,
  readOperationStatus,
  STALE_INTENT_AGE_MS,
  type StaleIntent,
} from './intents.ts';
export { type AuditFilter, type AuditPage, getAuditEvent, listAuditEvents, MAX_AUDIT_PAGE } from './list.ts';
