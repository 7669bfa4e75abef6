/** Use cases, one file a family. Where the rooms below meet, and where transactions live. */
export { ROLES, type Role } from '../access/index.ts';
export type {
  AttachmentView,
  Call,
  CommentView,
  CustomFieldView,
  GraphAccount,
  GraphSession,
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
export type { CreatedApiKey } from './api-keys.ts';
export type { OperationStatusView } from './audit-log.ts';
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
export type { ServiceDeps } from './service-deps.ts';
export { createServices, type Services } from './services.ts';
export { sweepIntents } from './sweep-intents.ts';
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
  listOrganizations,
  listOrganizationsOf,
  listTickets,
  listTicketsOf,
  listUsers,
  listUsersOf,
  searchZendesk,
  type TicketsOf,
} from './zendesk/read-zendesk.ts';
