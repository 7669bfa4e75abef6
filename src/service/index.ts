/** Use cases, one file a family. Where the rooms below meet, and where transactions live. */
export { ROLES, type Role } from '../access/index.ts';
export { BLOCK_REASONS, type Difference, PLAN_KINDS, WARNINGS } from '../provisioning/index.ts';
export type {
  AttachmentView,
  Call,
  CommentView,
  CustomFieldView,
  GraphAccount,
  GraphSession,
  KeptConnections,
  OrganizationReferenceView,
  OrganizationView,
  PersonReferenceView,
  SatisfactionView,
  SearchResultView,
  Slice,
  TicketView,
  UserView,
  ViaView,
} from '../proxy/index.ts';
export { MAX_RESULT_BYTES } from '../proxy/index.ts';
export type { ZendeskUsage } from '../zendesk/index.ts';
export type { AccessSyncChange } from './access-sync/start-access-sync.ts';
export { DEFAULT_SYNC_TIMES, type SyncTimes } from './access-sync/sync-times.ts';
export type { AccessSyncRunView, AccessSyncScheduleView, AccessSyncView } from './access-sync/sync-view.ts';
export { openSyncWorker, type SyncWorkerDeps, type SyncWorkerOptions } from './access-sync/sync-worker.ts';
export type { CreatedApiKey } from './api-keys.ts';
export { acceptRestore } from './audit/accept-restore.ts';
export type { AuditExportView } from './audit/audit-export.ts';
export type { AuditKeyDocument } from './audit/audit-keys.ts';
export {
  type AuditCheckpointView,
  auditLeaf,
  type ConsistencyProofView,
  type InclusionProofView,
} from './audit/audit-proofs.ts';
export { type AuditReading, readAudit } from './audit/audit-reading.ts';
export type { AuditReceiptView } from './audit/audit-receipt.ts';
export type { AuditTailEvent } from './audit/audit-tail-event.ts';
export { type AuditWatch, type AuditWatchOptions, openAuditWatch } from './audit/audit-watch.ts';
export { DEFAULT_EXPORT_TIMES, type ExportTimes, openExportWorker } from './audit/export-worker.ts';
export { sealCheckpoint } from './audit/seal-checkpoint.ts';
export type { OperationStatusView } from './audit-log.ts';
export type { ClientKeyHistoryEntry } from './client-key-history.ts';
export { countAllClientKeys } from './client-keys.ts';
export { CALLBACK_PATH } from './connect/begin-connection.ts';
export type { ConnectionPage } from './connect/complete-connection.ts';
export { CONNECT_FAILURES } from './connect/connect-failure.ts';
export type { ConnectionView } from './connect/connection-view.ts';
export { sweepConnections } from './connect/sweep-connections.ts';
export type { IntegrationConnectionView } from './connection/connection-view.ts';
export { keepConnected, openConnectionKeeper } from './connection/keep-connected.ts';
export { type ConnectionReading, readAllConnections } from './connection/read-connections.ts';
export type {
  AccessReviewView,
  CustomRoleCount,
  MemberView,
} from './directory/access-review.ts';
export { ROLE_TYPES } from './directory/directory-inputs.ts';
export type { NamedView, PersonView } from './directory/people.ts';
export type { OperationExplanation } from './explain-operation.ts';
export type { FeedRuntime } from './feed/feed-runtime.ts';
export type { FeedExportState, FeedStatusView, FeedWebhookState } from './feed/feed-status.ts';
export { DEFAULT_FEED_TIMES, type FeedTimes } from './feed/feed-times.ts';
export { type FeedWorker, type FeedWorkerOptions, openFeedWorker } from './feed/feed-worker.ts';
export { type FeedRuntimeOptions, openFeedRuntime } from './feed/open-feed-runtime.ts';
export { MAX_WEBHOOK_BYTES, type WebhookDelivery } from './feed/receive-webhook.ts';
export type { TicketFeedChange } from './feed/switch-ticket-feed.ts';
export type { TicketFeedEvent } from './feed/ticket-feed-event.ts';
export type { TicketSession, TicketSubscription } from './feed/ticket-session.ts';
export type { FoundedTenant } from './found-tenant.ts';
export {
  ANSWERED_ONLY,
  costOf,
  type DocumentCost,
  isAnsweredOnly,
  isProtected,
  type MeasureDocument,
  measuredBy,
  needsOperation,
  operationOf,
  PROTECTED,
} from './graph-marks.ts';
export type { GraphOperation, OperationSummary } from './graph-operation.ts';
export { invalidInput } from './input.ts';
export { createOperatorKey, createTenantByCommand, ensureInstallation, isInstalled } from './installation.ts';
export type { IntegrationView } from './integrations.ts';
export type { Connection, PageInput } from './page.ts';
export { openPlanRuns } from './provisioning/open-plan-runs.ts';
export type { PlanCounts } from './provisioning/plan-queries.ts';
export type { PlanRuns } from './provisioning/plan-runs.ts';
export { DEFAULT_PLAN_TIMES, type PlanTimes } from './provisioning/plan-times.ts';
export type {
  PlanItemView,
  PlanStepView,
  PlanView,
  PlanWarningView,
} from './provisioning/plan-view.ts';
export { openPlanWorker } from './provisioning/plan-worker.ts';
export type { ProvisioningSettingsView } from './provisioning/provisioning-settings.ts';
export type { KeyStatusView } from './server-keys/key-status.ts';
export type { SigningKeyView } from './server-keys/rotate-signing-key.ts';
export type { KeyRotationView } from './server-keys/rotation-view.ts';
export { openKeyRotationWorker, runKeyRotations } from './server-keys/rotation-worker.ts';
export type { ServiceDeps } from './service-deps.ts';
export { createServices, type Services } from './services.ts';
export { sweepIntents } from './sweep-intents.ts';
export { sweepLoginTokens } from './sweep-login-tokens.ts';
export type {
  ApiKeyView,
  AuditEventView,
  ClientKeyView,
  CredentialView,
  TenantView,
  Viewer,
} from './views.ts';
export {
  addComment,
  addedComment,
  type ChangeEntry,
  createTicket,
  currentTicket,
  type TicketCreation,
  type TicketUpdate,
  updateTicket,
} from './zendesk/change-zendesk.ts';
export type { Found, GraphEntry } from './zendesk/entry.ts';
export { DEFAULT_SLICE, MAX_SLICE } from './zendesk/input-fields.ts';
export {
  encodeObjectId,
  type NumberedKind,
  parseObjectId,
  parseZendeskId,
  type ZendeskObjectId,
} from './zendesk/object-id.ts';
export {
  findComment,
  findOrganization,
  findTicket,
  findUser,
  listComments,
  listMyTickets,
  listOrganizations,
  listOrganizationsOf,
  listTickets,
  listTicketsOf,
  listUsers,
  listUsersOf,
  searchZendesk,
  type TicketsOf,
} from './zendesk/read-zendesk.ts';
