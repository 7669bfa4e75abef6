/** The crypto proxy core: what a call is, the catalogue of operations and its policy, and the pipeline that runs them. */

export type { OnTokens } from './access-token.ts';
export {
  type Asker,
  assertIntegrationOn,
  assertPermitted,
  credentialOf,
  type ProxyRequest,
} from './admission.ts';
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
export type { Operation } from './catalogue/operation.ts';
export { decidePolicy, type PolicyDecision } from './catalogue/policy.ts';
export { MAX_RESULT_BYTES } from './catalogue/result-size.ts';
export {
  type Authorization,
  type AuthorizationEnd,
  type AuthorizationKey,
  authorizationLocation,
  type Claiming,
  claimAuthorization,
  countPending,
  endAuthorization,
  findAuthorizationByState,
  findUnattended,
  insertAuthorization,
  keepPair,
  type NewAuthorization,
  noteTakenBack,
  type OpenAuthorization,
  readAuthorization,
  sweepAuthorizations,
  takeOver,
} from './connect/authorizations.ts';
export { createZendeskAuthorizer, type ZendeskAuthorizer } from './connect/authorizer.ts';
export { missingScopes, scopesFor } from './connect/scopes.ts';
export {
  type ConnectionsOptions,
  type ConnectionTarget,
  createZendeskConnections,
  type KeptConnections,
  type ZendeskConnections,
} from './connections.ts';
export { isDenial } from './denial.ts';
export {
  createDirectorySource,
  type DirectorySource,
  type DirectorySourceOptions,
  type ListPage,
  type UsersPage,
} from './directory/directory-source.ts';
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
export type {
  Delivery,
  GraphAccount,
  GraphChange,
  GraphDirectory,
  GraphSession,
} from './graph/graph-session.ts';
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
export type { UsedResource } from './graph/operation-use.ts';
export type { GraphSessionDeps } from './graph/session-context.ts';
export { createSharedReads, type SharedReads } from './graph/shared-reads.ts';
export { assertStillDeliverable } from './graph/still-deliverable.ts';
export { Turns } from './graph/turns.ts';
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
export { RECONNECT_REASONS, withMendLink } from './needs-reconnect.ts';
export { type ProxyAnswer, type ProxyDeps, runProxied } from './pipeline.ts';
export {
  createPeopleSource,
  type PeopleSource,
  type PersonNeeds,
} from './provisioning/people-source.ts';
export { type RunOperation, runForPlan } from './provisioning/run-for-plan.ts';
export { clearReconnect, type ReconnectKey } from './reconnect.ts';
export { isWithin, SCOPED_TICKET_MEMBERS } from './scope/ticket-scope.ts';
export { sealAnswer } from './seal-answer.ts';
export type { RenewalTally } from './token-tally.ts';
