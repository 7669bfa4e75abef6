/**
 * Turning the change feed of an integration on and off. On: Zendesk is asked to call the gateway, and the export
 * is read from now on, or from where it was left. Off: Zendesk is asked to call no more. Both can be repeated:
 * what is at Zendesk is found by its address and mended.
 */
import { z } from 'zod';
import type { Role } from '../../access/index.ts';
import { isSealdeskError, SealdeskError } from '../../base/index.ts';
import {
  deleteInvocations,
  disableFeed,
  enableFeed,
  type Feed,
  type FeedKey,
  lockLog,
  readFeed,
  SUBSCRIBED_EVENT_TYPES,
  webhookSecretLocation,
} from '../../feed/index.ts';
import {
  assertAuthenticated,
  type Call,
  type ConnectionTarget,
  credentialOf,
  ensureWebhook,
  holdIntegration,
  type Integration,
  removeWebhooks,
  type SignedWebhook,
} from '../../proxy/index.ts';
import { notify, type Tx } from '../../store/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import { ZendeskError } from '../../zendesk/index.ts';
import { notFound } from '../audited.ts';
import { idField, parseInput } from '../input.ts';
import type { IntegrationView } from '../integrations.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { auditedChange } from './audited-change.ts';
import { FEED_OPERATION } from './feed-operation.ts';
import { type FeedStatusView, readFeedStatus } from './feed-status.ts';
import { isReachableBy, webhookEndpoint } from './webhook-address.ts';

export interface TicketFeedChange {
  readonly integration: IntegrationView;
  readonly feed: FeedStatusView;
  readonly auditEventId: string;
}

const ADMIN: readonly Role[] = ['ADMIN'];
const Input = z.strictObject({ integrationId: idField('integration') });
/**
 * How long before the first enabling the export begins: beyond the newest minute, of which it takes no time
 * (zendesk-api §8), though this process's clock may be ahead. What is told from before does no harm.
 */
const EXPORT_MARGIN_SECONDS = 900;
/** Failures by which Zendesk says that it makes no webhook for this account: the export alone has to do. */
const REFUSALS = ['UPSTREAM_FORBIDDEN', 'UPSTREAM_REJECTED', 'NOT_FOUND', 'CONFLICT'];

interface Admitted {
  readonly integration: Integration;
  readonly feed: Feed | null;
}

/** `null` without a fault: there is nothing to be asked for. */
interface Hooked {
  readonly webhook: SignedWebhook | null;
  readonly fault: string | null;
}

/**
 * Turns the feed on. Rejects with OPERATION_NOT_ALLOWED where the integration does not list `subscribe_tickets`,
 * CONFLICT where it is switched off or has no credential, and with what kept Zendesk from being asked; that
 * Zendesk refuses is told by the feed's state. For ADMIN.
 */
export async function enableTicketFeed(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<TicketFeedChange> {
  const { integrationId } = parseInput(Input, input);
  const { clock } = deps;
  const startedAt = clock.now();
  const { result, auditEventId } = await auditedChange(deps, call, {
    action: 'feed.enable',
    roles: ADMIN,
    integrationId,
    async admit(tx, tenantId): Promise<Admitted> {
      const { integration, feed } = await readBoth(tx, { tenantId, integrationId });
      if (!integration.allowedOperations.includes(FEED_OPERATION)) {
        throw new SealdeskError(
          'OPERATION_NOT_ALLOWED',
          `The integration does not allow ${FEED_OPERATION}. Add it to its allowedOperations with updateIntegration.`,
          { subject: FEED_OPERATION },
        );
      }
      credentialOf(integration);
      return { integration, feed };
    },
    send: ({ integration }) => hook(deps, integration),
    async commit(tx, keys, admitted, { webhook, fault }) {
      const { tenantId } = keys;
      const feed = await readUnswitched(tx, { tenantId, integrationId }, admitted);
      const webhookVersion = (feed?.webhookVersion ?? 0) + 1;
      await enableFeed(tx, {
        tenantId,
        integrationId,
        at: new Date(startedAt),
        webhook: webhook === null ? null : sealWebhook(keys, integrationId, webhook, webhookVersion),
        webhookVersion,
        webhookFault: fault,
        exportStart: Math.floor(startedAt / 1_000) - EXPORT_MARGIN_SECONDS,
      });
      return viewOf(tx, { tenantId, integrationId }, clock.now());
    },
  });
  return { ...result, auditEventId };
}

/** Turns the feed off, whether or not its webhook can be removed at Zendesk; the feed's state tells. For ADMIN. */
export async function disableTicketFeed(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<TicketFeedChange> {
  const { integrationId } = parseInput(Input, input);
  const { result, auditEventId } = await auditedChange(deps, call, {
    action: 'feed.disable',
    roles: ADMIN,
    integrationId,
    async admit(tx, tenantId): Promise<Admitted> {
      const both = await readBoth(tx, { tenantId, integrationId });
      if (both.feed === null) {
        throw new SealdeskError('CONFLICT', 'The change feed of this integration was never enabled.');
      }
      return both;
    },
    send: ({ integration }) => unhook(deps, integration),
    async commit(tx, { tenantId }, admitted, fault) {
      await readUnswitched(tx, { tenantId, integrationId }, admitted);
      await disableFeed(tx, { tenantId, integrationId }, fault);
      await notify(tx, 'rights', tenantId);
      return viewOf(tx, { tenantId, integrationId }, deps.clock.now());
    },
  });
  await forgetInvocations(deps, call, integrationId);
  return { ...result, auditEventId };
}

/** In portions: there may be many. What stays where the database is away is cleared away once the feed is on again. */
async function forgetInvocations(
  { store, log }: ServiceDeps,
  call: Call,
  integrationId: string,
): Promise<void> {
  assertAuthenticated(call);
  const { tenantId } = call.caller;
  try {
    for (let isMore = true; isMore; ) {
      isMore = await store.withTenant(tenantId, (tx) => deleteInvocations(tx, integrationId));
    }
  } catch (error) {
    if (!isSealdeskError(error, 'AUDIT_UNAVAILABLE')) throw error;
    log.warn('What webhooks told could not be cleared away', { integrationId, error });
  }
}

async function readBoth(tx: Tx, key: FeedKey): Promise<Admitted> {
  const integration = await holdIntegration(tx, key.tenantId, key.integrationId);
  if (integration === null) throw notFound('integration');
  return { integration, feed: await readFeed(tx, key) };
}

/** The feed under the lock of its log, where nobody has switched it since it was admitted; throws CONFLICT otherwise. */
async function readUnswitched(tx: Tx, key: FeedKey, admitted: Admitted): Promise<Feed | null> {
  // The lock of the log first, as everywhere.
  await lockLog(tx, key.tenantId, key.integrationId);
  const { feed } = await readBoth(tx, key);
  if ((feed?.webhookVersion ?? 0) === (admitted.feed?.webhookVersion ?? 0)) return feed;
  throw new SealdeskError('CONFLICT', 'The feed was switched by another call meanwhile. Do it again.');
}

async function hook(deps: ServiceDeps, integration: Integration): Promise<Hooked> {
  const client = deps.connections.clientFor(targetOf(integration));
  if (!isReachableBy(client.origin, deps.publicUrl)) return { webhook: null, fault: 'NO_PUBLIC_ADDRESS' };
  try {
    const webhook = await ensureWebhook(client, {
      endpoint: webhookEndpoint(deps.publicUrl, integration.id),
      name: `Sealdesk change feed ${integration.id}`,
      eventTypes: SUBSCRIBED_EVENT_TYPES,
    });
    return { webhook, fault: null };
  } catch (error) {
    if (!(error instanceof ZendeskError) || !REFUSALS.includes(error.code)) throw error;
    deps.log.warn('Zendesk refused a webhook for a change feed', { integrationId: integration.id, error });
    return { webhook: null, fault: error.code };
  }
}

/** Why the webhook may still be there, `null` where it is not. */
async function unhook(deps: ServiceDeps, integration: Integration): Promise<string | null> {
  try {
    const client = deps.connections.clientFor(targetOf(integration));
    if (!isReachableBy(client.origin, deps.publicUrl)) return null;
    await removeWebhooks(client, webhookEndpoint(deps.publicUrl, integration.id));
    return null;
  } catch (error) {
    if (!(error instanceof SealdeskError)) throw error;
    const { code } = error;
    deps.log.warn('The webhook of a change feed could not be removed', {
      integrationId: integration.id,
      error,
    });
    return code;
  }
}

function targetOf(integration: Integration): ConnectionTarget {
  const { tenantId, subdomain } = integration;
  return { tenantId, subdomain, credentialId: credentialOf(integration) };
}

function sealWebhook(
  keys: TenantKeys,
  integrationId: string,
  { id, secret }: SignedWebhook,
  version: number,
): { readonly id: string; readonly secret: Uint8Array } {
  return { id, secret: keys.sealText(webhookSecretLocation(integrationId, version), secret) };
}

async function viewOf(
  tx: Tx,
  key: FeedKey,
  now: number,
): Promise<{ readonly integration: IntegrationView; readonly feed: FeedStatusView }> {
  const { integration } = await readBoth(tx, key);
  const feed = await readFeedStatus(tx, key, { lineageId: null, now });
  if (feed === null) throw new TypeError('"key" must name an integration with a feed');
  return { integration, feed };
}
