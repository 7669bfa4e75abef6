/** Front door of the Zendesk simulator. */
export * from './account.ts';
export type { ActivityEvent } from './activity.ts';
export type { AccessToken, IssueOptions } from './credentials.ts';
export {
  BILLING_ROLE_ID,
  CONTRIBUTOR_ROLE_ID,
  LIGHT_AGENT_ROLE_ID,
  READ_ONLY_ROLE_ID,
  TEAM_LEAD_ROLE_ID,
} from './custom-roles.ts';
export { DATASET_EPOCH, datasetAnchor } from './dataset.ts';
export type { Attempt, Delivery, DeliveryState } from './delivery-log.ts';
export type { ActiveFault, FaultEffect, FaultRule } from './faults.ts';
export { LANGUAGES, type Language } from './messages.ts';
export type { OAuthBehaviour } from './oauth-grants.ts';
export { openSimulator } from './open-simulator.ts';
export {
  type AccessTokenAccount,
  type ApiTokenAccount,
  DEFAULT_ACCESS_TOKEN,
  DEFAULT_API_TOKEN,
  DEFAULT_OAUTH_CLIENT,
  DEFAULT_OAUTH_SECRET,
  DEFAULT_PUBLIC_CLIENT,
  DEFAULT_REDIRECT_URI,
  defaultOAuthClients,
  type OAuthClientAccount,
  type PeopleOptions,
  PLAN_LIMITS,
  type Plan,
  type SimulatorClock,
  type SimulatorOptions,
  type WebhookDeliveryOptions,
} from './options.ts';
export type { CommentRow, TicketRow, UserRow } from './records.ts';
export type { LoggedRequest, RequestOutcome, WaitOptions } from './request-log.ts';
export type {
  ActivityControl,
  ConsentOptions,
  OAuthControl,
  Simulator,
  TicketsControl,
  UsersControl,
  WebhooksControl,
} from './simulator.ts';
export type { TicketVersion } from './ticket-history.ts';
export type { DisturbanceOptions } from './webhook-disturbance.ts';
export { TICKET_EVENT_TYPES } from './webhook-event-types.ts';
export type { Webhook } from './webhook-registry.ts';
export { signWebhook, TEST_WEBHOOK_SECRET } from './webhook-signature.ts';
