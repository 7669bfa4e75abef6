/** The use cases bound to what they stand on: the one object that the schema and the routes call. */
import { createInboundLimiter } from '../access/index.ts';
import type { SealdeskError } from '../base/index.ts';
import { type Call, createSharedReads } from '../proxy/index.ts';
import * as apiKeys from './api-keys.ts';
import * as auditLog from './audit-log.ts';
import * as clientKeys from './client-keys.ts';
import * as credentials from './credentials.ts';
import { explainOperation } from './explain-operation.ts';
import { getFeedStatus } from './feed/feed-status.ts';
import { createWebhookReceiver, type ReceiveWebhook } from './feed/receive-webhook.ts';
import { disableTicketFeed, enableTicketFeed } from './feed/switch-ticket-feed.ts';
import type { TicketSession } from './feed/ticket-session.ts';
import { openGraphOperation } from './graph-operation.ts';
import * as integrations from './integrations.ts';
import { proxyOutbound } from './proxy-outbound.ts';
import { createReadinessCheck } from './readiness.ts';
import { createRefusalRecorder } from './refusals.ts';
import * as requests from './requests.ts';
import type { ServiceDeps } from './service-deps.ts';
import { getSigningKeyDocument } from './signing-keys.ts';
import * as tenants from './tenants.ts';

const USE_CASES = {
  createTenant: tenants.createTenant,
  getViewer: tenants.getViewer,
  getTenant: tenants.getTenant,
  listTenants: tenants.listTenants,
  createApiKey: apiKeys.createApiKey,
  revokeApiKey: apiKeys.revokeApiKey,
  getApiKey: apiKeys.getApiKey,
  listApiKeys: apiKeys.listApiKeys,
  registerClientKey: clientKeys.registerClientKey,
  confirmClientKey: clientKeys.confirmClientKey,
  mapClientKey: clientKeys.mapClientKey,
  revokeClientKey: clientKeys.revokeClientKey,
  getClientKey: clientKeys.getClientKey,
  listClientKeys: clientKeys.listClientKeys,
  sealCredential: credentials.sealCredential,
  rotateCredential: credentials.rotateCredential,
  deleteCredential: credentials.deleteCredential,
  unsealCredential: credentials.unsealCredential,
  getCredential: credentials.getCredential,
  listCredentials: credentials.listCredentials,
  createIntegration: integrations.createIntegration,
  updateIntegration: integrations.updateIntegration,
  deleteIntegration: integrations.deleteIntegration,
  testIntegration: integrations.testIntegration,
  getIntegration: integrations.getIntegration,
  openIntegration: integrations.openIntegration,
  listIntegrations: integrations.listIntegrations,
  enableTicketFeed,
  disableTicketFeed,
  getFeedStatus,
  explainOperation,
  proxyOutbound,
  listAuditEvents: auditLog.listAuditEvents,
  getAuditEvent: auditLog.getAuditEvent,
  getOperationStatus: auditLog.getOperationStatus,
  getSigningKeyDocument,
} as const;

type Bound<UseCase> = UseCase extends (deps: ServiceDeps, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

/** Parameters without the first, which is bound here. */
type WithoutFirst<Parameters extends readonly unknown[]> = Parameters extends readonly [
  unknown,
  ...infer Rest,
]
  ? Rest
  : never;

export type Services = { readonly [Name in keyof typeof USE_CASES]: Bound<(typeof USE_CASES)[Name]> } & {
  readonly readiness: ReturnType<typeof createReadinessCheck>;
  readonly authenticate: (
    ...rest: WithoutFirst<WithoutFirst<Parameters<typeof requests.authenticate>>>
  ) => ReturnType<typeof requests.authenticate>;
  readonly takeFromRate: (
    ...rest: WithoutFirst<WithoutFirst<Parameters<typeof requests.takeFromRate>>>
  ) => ReturnType<typeof requests.takeFromRate>;
  readonly recordFailure: (
    ...rest: WithoutFirst<Parameters<typeof requests.recordFailure>>
  ) => ReturnType<typeof requests.recordFailure>;
  readonly openGraphOperation: (
    ...rest: WithoutFirst<Parameters<typeof openGraphOperation>>
  ) => ReturnType<typeof openGraphOperation>;
  readonly receiveZendeskWebhook: ReceiveWebhook;
  /**
   * A connection of the caller's that follows change feeds. Rejects with UNAUTHENTICATED, the failures of the
   * recipient, and TOO_MANY_REQUESTS. `onEnd` is called once, when a key of the caller has ended.
   */
  readonly openTicketSession: (call: Call, onEnd: (failure: SealdeskError) => void) => Promise<TicketSession>;
};

/** Binds the use cases; `installationId` is the tenant whose log takes what belongs to no other. */
export function createServices(deps: ServiceDeps, installationId: string): Services {
  const bound = Object.fromEntries(
    Object.entries(USE_CASES).map(([name, useCase]) => [
      name,
      Function.prototype.bind.call(useCase, null, deps),
    ]),
  );
  const recordRefusal = createRefusalRecorder(deps, installationId);
  const recordFailure = requests.recordFailure.bind(null, recordRefusal);
  // Apart from the keys' limiter, so that a crowd of addresses pushes no key's bucket out.
  const strangers = createInboundLimiter({
    clock: deps.clock,
    holder: 'An address without a valid API key',
  });
  return Object.freeze({
    ...bound,
    readiness: createReadinessCheck(deps, installationId),
    authenticate: requests.authenticate.bind(null, deps, strangers),
    takeFromRate: requests.takeFromRate.bind(null, deps, strangers),
    recordFailure,
    receiveZendeskWebhook: createWebhookReceiver({
      deps,
      takeForStranger: requests.takeForStranger.bind(null, strangers),
    }),
    openTicketSession: (call: Call, onEnd: (failure: SealdeskError) => void) =>
      deps.feed.openSession(call, { onEnd, recordFailure }),
    openGraphOperation: openGraphOperation.bind(null, {
      ...deps,
      sharedReads: createSharedReads({ clock: deps.clock }),
      recordRefusal,
    }),
  } as Services);
}
