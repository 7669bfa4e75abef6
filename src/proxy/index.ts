/** The crypto proxy core: what a call is, the catalogue of operations and its policy, and the pipeline that runs them. */
export { assertIntegrationOn, assertPermitted, credentialOf, type ProxyRequest } from './admission.ts';
export { createBudgetLedger } from './budget-ledger.ts';
export { type AuthenticatedCall, assertAuthenticated, type Call } from './call.ts';
export { describeCall } from './call-event.ts';
export {
  findOperation,
  isOperationName,
  OPERATION_NAMES,
  type OperationName,
  printCatalogue,
} from './catalogue/catalogue.ts';
export { decidePolicy, type PolicyDecision } from './catalogue/policy.ts';
export { MAX_RESULT_BYTES } from './catalogue/result-size.ts';
export {
  type ConnectionsOptions,
  type ConnectionTarget,
  createZendeskConnections,
  type ZendeskConnections,
} from './connections.ts';
export { isDenial } from './denial.ts';
export {
  createTicketSource,
  type ExportPage,
  type ExportPlace,
  isPlaceRefused,
  isTooLarge,
  MAX_LOADED_TICKETS,
  type TicketSource,
  type TicketSourceOptions,
} from './feed/ticket-source.ts';
export {
  ensureWebhook,
  removeWebhooks,
  type SignedWebhook,
  type WebhookWish,
} from './feed/zendesk-webhook.ts';
export { createGraphSession, type GraphSessionOptions } from './graph/create-graph-session.ts';
export type { Delivery, GraphAccount, GraphChange, GraphSession } from './graph/graph-session.ts';
export type {
  CommentListRequest,
  OrganizationListRequest,
  SearchRequest,
  Slice,
  SliceRequest,
  TicketFilter,
  TicketListRequest,
  TicketSort,
  UserFilter,
  UserListRequest,
} from './graph/list-request.ts';
export type { GraphSessionDeps } from './graph/session-context.ts';
export { createSharedReads, type SharedReads } from './graph/shared-reads.ts';
export { assertStillDeliverable } from './graph/still-deliverable.ts';
export type {
  AttachmentView,
  CommentView,
  CustomFieldView,
  OrganizationReferenceView,
  OrganizationView,
  PersonReferenceView,
  SatisfactionView,
  SearchResultView,
  TicketView,
  UserView,
  ViaView,
} from './graph/views.ts';
export { findIntegration, holdIntegration, type Integration, toIntegration } from './integrations.ts';
export { type ProxyAnswer, type ProxyDeps, runProxied } from './pipeline.ts';
export { sealAnswer } from './seal-answer.ts';
