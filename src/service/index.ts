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
export type { CreatedApiKey } from './api-keys.ts';
export type { OperationStatusView } from './audit-log.ts';
export type { OperationExplanation } from './explain-operation.ts';
export type { FoundedTenant } from './found-tenant.ts';
export { isProtected, needsOperation, operationOf, PROTECTED } from './graph-marks.ts';
export { createOperatorKey, createTenantByCommand, ensureInstallation, isInstalled } from './installation.ts';
export type { IntegrationView } from './integrations.ts';
export type { Connection, PageInput } from './page.ts';
export type { OperationSummary } from './requests.ts';
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
