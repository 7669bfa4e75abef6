/** The use cases bound to what they stand on: the one object that the schema and the routes call. */
import { createInboundLimiter } from '../access/index.ts';
import type { SealdeskError } from '../base/index.ts';
import { type Call, createSharedReads } from '../proxy/index.ts';
import { eraseDirectoryUser } from './access-sync/erase-directory-user.ts';
import * as accessSync from './access-sync/read-access-sync.ts';
import { removeAccessSyncSchedule, setAccessSyncSchedule } from './access-sync/schedule-access-sync.ts';
import { cancelAccessSync, startAccessSync } from './access-sync/start-access-sync.ts';
import * as apiKeys from './api-keys.ts';
import * as auditExport from './audit/audit-export.ts';
import { getAuditKeyDocument } from './audit/audit-keys.ts';
import * as auditProofs from './audit/audit-proofs.ts';
import { getAuditReceipt } from './audit/audit-receipt.ts';
import { sealCheckpoint } from './audit/seal-checkpoint.ts';
import * as auditLog from './audit-log.ts';
import { listClientKeyHistory } from './client-key-history.ts';
import * as clientKeys from './client-keys.ts';
import { connectZendesk, getZendeskConnection } from './connect/begin-connection.ts';
import { completeConnection } from './connect/complete-connection.ts';
import { disconnectZendesk } from './connect/disconnect-zendesk.ts';
import { getIntegrationConnection } from './connection/read-connections.ts';
import * as credentials from './credentials.ts';
import { reviewAccess } from './directory/access-review.ts';
import { listDirectory } from './directory/list-people.ts';
import { explainOperation } from './explain-operation.ts';
import { getFeedStatus } from './feed/feed-status.ts';
import { createWebhookReceiver, type ReceiveWebhook } from './feed/receive-webhook.ts';
import { disableTicketFeed, enableTicketFeed } from './feed/switch-ticket-feed.ts';
import type { TicketSession } from './feed/ticket-session.ts';
import { openGraphOperation } from './graph-operation.ts';
import * as integrations from './integrations.ts';
import * as login from './login.ts';
import { mapClientKey } from './map-client-key.ts';
import { applyPlan, cancelPlan } from './provisioning/apply-plan.ts';
import * as plans from './provisioning/make-plan.ts';
import * as planQueries from './provisioning/plan-queries.ts';
import * as provisioningSettings from './provisioning/provisioning-settings.ts';
import { proxyOutbound } from './proxy-outbound.ts';
import { createReadinessCheck } from './readiness.ts';
import { createRefusalRecorder } from './refusals.ts';
import * as requests from './requests.ts';
import { rotateClientKey } from './rotate-client-key.ts';
import { getKeyStatus } from './server-keys/key-status.ts';
import { rotateKmsKey } from './server-keys/rotate-kms-key.ts';
import { cancelSigningKeyRotation, rotateSigningKey } from './server-keys/rotate-signing-key.ts';
import { rotateVaultKey } from './server-keys/rotate-vault-key.ts';
import type { ServiceDeps } from './service-deps.ts';
import { getSigningKeyDocument } from './signing-keys.ts';
import { takeForStranger } from './strangers.ts';
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
  mapClientKey,
  rotateClientKey,
  revokeClientKey: clientKeys.revokeClientKey,
  getClientKey: clientKeys.getClientKey,
  listClientKeys: clientKeys.listClientKeys,
  listClientKeyHistory,
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
  connectZendesk,
  getZendeskConnection,
  completeConnection,
  disconnectZendesk,
  getIntegrationConnection,
  enableTicketFeed,
  disableTicketFeed,
  getFeedStatus,
  listDirectory,
  reviewAccess,
  startAccessSync,
  cancelAccessSync,
  setAccessSyncSchedule,
  removeAccessSyncSchedule,
  getAccessSync: accessSync.getAccessSync,
  getAccessSyncRun: accessSync.getAccessSyncRun,
  listAccessSyncRuns: accessSync.listAccessSyncRuns,
  eraseDirectoryUser,
  explainOperation,
  proxyOutbound,
  provisionUser: plans.provisionUser,
  provisionMany: plans.provisionMany,
  changeUserRole: plans.changeUserRole,
  assignGroups: plans.assignGroups,
  suspendUser: plans.suspendUser,
  unsuspendUser: plans.unsuspendUser,
  deprovisionUser: plans.deprovisionUser,
  applyPlan,
  cancelPlan,
  getProvisioningPlan: planQueries.getProvisioningPlan,
  listProvisioningPlans: planQueries.listProvisioningPlans,
  countPlanItems: planQueries.countPlanItems,
  listPlanItems: planQueries.listPlanItems,
  getProvisioningSettings: provisioningSettings.getProvisioningSettings,
  setProvisioningSettings: provisioningSettings.setProvisioningSettings,
  listAuditEvents: auditLog.listAuditEvents,
  getAuditEvent: auditLog.getAuditEvent,
  getOperationStatus: auditLog.getOperationStatus,
  getAuditCheckpoint: auditProofs.getAuditCheckpoint,
  proveInclusion: auditProofs.proveInclusion,
  proveConsistency: auditProofs.proveConsistency,
  getAuditReceipt,
  exportAudit: auditExport.exportAudit,
  getAuditExport: auditExport.getAuditExport,
  downloadAuditExport: auditExport.downloadAuditExport,
  getSigningKeyDocument,
  getAuditKeyDocument,
  sealCheckpoint,
  getKeyStatus,
  rotateSigningKey,
  cancelSigningKeyRotation,
  rotateVaultKey,
  rotateKmsKey,
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
  /** How clients and people reach the gateway, without a slash at the end. */
  readonly publicUrl: string;
  readonly readiness: ReturnType<typeof createReadinessCheck>;
  readonly authenticate: (
    ...rest: WithoutFirst<WithoutFirst<Parameters<typeof requests.authenticate>>>
  ) => ReturnType<typeof requests.authenticate>;
  readonly proveLogin: (
    ...rest: WithoutFirst<WithoutFirst<Parameters<typeof login.proveLogin>>>
  ) => ReturnType<typeof login.proveLogin>;
  readonly redeemLogin: (
    ...rest: WithoutFirst<WithoutFirst<Parameters<typeof login.redeemLogin>>>
  ) => ReturnType<typeof login.redeemLogin>;
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
   * A connection of the caller's that follows change feeds or the audit log. Rejects with UNAUTHENTICATED, the
   * failures of the recipient, and TOO_MANY_REQUESTS. Once, and then the session is over, `onEnd` is called when a
   * key of the caller has ended, or `onExpired` when its signed login is as old as one may become.
   */
  readonly openTicketSession: (
    call: Call,
    onEnd: (failure: SealdeskError) => void,
    onExpired?: () => void,
  ) => Promise<TicketSession>;
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
    holder: 'An address without a valid key',
  });
  // Apart from what strangers send without a token, which must not keep out who shares their address and can sign.
  const failedProofs = createInboundLimiter({
    clock: deps.clock,
    holder: 'An address whose login tokens are not valid',
  });
  return Object.freeze({
    ...bound,
    publicUrl: deps.publicUrl,
    readiness: createReadinessCheck(deps, installationId),
    authenticate: requests.authenticate.bind(null, deps, strangers),
    proveLogin: login.proveLogin.bind(null, deps, failedProofs),
    redeemLogin: login.redeemLogin.bind(null, deps, failedProofs),
    takeFromRate: requests.takeFromRate.bind(null, deps, strangers),
    recordFailure,
    receiveZendeskWebhook: createWebhookReceiver({
      deps,
      takeForStranger: takeForStranger.bind(null, strangers),
    }),
    openTicketSession: (
      call: Call,
      onEnd: (failure: SealdeskError) => void,
      onExpired = (): void => undefined,
    ) => deps.feed.openSession(call, { onEnd, onExpired, recordFailure }),
    openGraphOperation: openGraphOperation.bind(null, {
      ...deps,
      sharedReads: createSharedReads({ clock: deps.clock }),
      recordRefusal,
    }),
  } as Services);
}
