/** The Zendesk API: one account's client with its limits, retries and errors; knows neither vault nor store. */
export { basicAuthorization, bearerAuthorization } from './authorization.ts';
export {
  type AuthorizationAnswer,
  type AuthorizationWish,
  authorizationUrl,
  type CodeExchange,
  createAuthorizationSecrets,
  exchangeCode,
  type OAuthClientIdentity,
  readAuthorizationAnswer,
  type TokenPair,
} from './authorization-code.ts';
export {
  type AccountLimiters,
  type AccountLimitersOptions,
  openAccountLimiters,
} from './budget/account-limiters.ts';
export type { BudgetAccount, BudgetLedger, BudgetRows, BudgetUpdate } from './budget/budget-ledger.ts';
export {
  createZendeskClient,
  MAX_TRIES,
  type ZendeskClient,
  type ZendeskClientOptions,
  type ZendeskRequest,
  type ZendeskResponse,
} from './client.ts';
export { type Coalescer, type CoalescerOptions, createCoalescer, MAX_BATCH_IDS } from './coalescer.ts';
export { outOfTime, unusableAnswer } from './failed-call.ts';
export { LANES, type Lane } from './lane.ts';
export {
  type ClientCredentialsRequest,
  type ClientCredentialsToken,
  type RefreshedToken,
  type RefreshRequest,
  requestClientCredentialsToken,
  requestRefreshedToken,
  TokenError,
  type TokenFailure,
} from './oauth-token.ts';
export { DEFAULT_ORIGIN_TEMPLATE, parseOriginTemplate, parseSubdomain, zendeskOrigin } from './origin.ts';
export {
  type CursorPage,
  cursorPages,
  MAX_OFFSET_RECORDS,
  MAX_PAGE_SIZE,
  MAX_SEARCH_RECORDS,
  nextCursor,
  type OffsetPage,
  type PageEnd,
  readOffsetPage,
  readPageEnd,
} from './paging.ts';
export type { EndpointLimit, RateLimitReading } from './rate-limit-reading.ts';
export type {
  LimitedRequest,
  PauseScope,
  RequestLimiter,
  RequestOutcome,
  RequestSlot,
} from './request-limiter.ts';
export type { Participant, SharedTerms } from './shared-call.ts';
export { createSharedFlight, type SharedFlight, type SharedFlightOptions } from './shared-flight.ts';
export type { ZendeskQuery } from './target.ts';
export { REFRESH_TOKEN_SECONDS } from './token-endpoint.ts';
export {
  MAX_RESPONSE_BYTES,
  openZendeskTransport,
  type TransportOptions,
  type ZendeskTransport,
} from './transport.ts';
export { createUsageMeter, type UsageMeter, type ZendeskUsage } from './usage-meter.ts';
export { type CredentialCheck, type CredentialFault, verifyCredential } from './verify-credential.ts';
export {
  type UpstreamAnswer,
  upstreamOf,
  ZendeskError,
  type ZendeskFailure,
} from './zendesk-error.ts';
