/**
 * Calls of Zendesk's webhooks. One that is genuine, timely and new marks its ticket as changed, in one short
 * transaction, and is answered when that is committed; all else about the ticket is found out later. Whoever
 * calls is a stranger until the signature has proven otherwise.
 */
import { createHash } from 'node:crypto';
import { SealdeskError } from '../../base/index.ts';
import {
  encodeHint,
  hintLocation,
  insertInvocation,
  isSignedBy,
  isTimely,
  markTickets,
  parseWebhookEvent,
  type SignedDelivery,
  type WebhookEvent,
} from '../../feed/index.ts';
import type { Call } from '../../proxy/index.ts';
import { notify } from '../../store/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { DEFAULT_WEBHOOK_RATE, type WebhookRate, WebhookRates } from './webhook-rates.ts';
import { type HeldWebhook, WebhookSecrets } from './webhook-secrets.ts';
import { WebhookStrangers } from './webhook-strangers.ts';

/** Largest body of a webhook, in bytes: a comment of 64 kB in JSON, several times over. */
export const MAX_WEBHOOK_BYTES = 512 * 1024;
/** Calls that are being answered at once in this process. */
export const DEFAULT_MAX_WEBHOOKS_UNDER_WAY = 256;
/** Of these, calls of one address. */
const MAX_UNDER_WAY_OF_ADDRESS = 64;
/** Zendesk repeats a call only where it is to wait less than a minute. */
const RETRY_AFTER_SECONDS = 5;

export interface WebhookDelivery extends SignedDelivery {
  /** The same for every attempt of one call, by a header that nobody signed: nothing depends on it. */
  readonly invocationId: string | null;
  readonly webhookId: string | null;
}

export interface WebhookReceiverOptions {
  readonly deps: Pick<ServiceDeps, 'store' | 'keyring' | 'clock'>;
  /** Counts a call that proved nothing against the address it came from. Throws TOO_MANY_REQUESTS. */
  readonly takeForStranger: (ip: string | null) => void;
  /** Default {@link DEFAULT_MAX_WEBHOOKS_UNDER_WAY}. */
  readonly maxUnderWay?: number;
  /** Of each integration's genuine calls. Default {@link DEFAULT_WEBHOOK_RATE}. */
  readonly rate?: WebhookRate;
}

/**
 * Takes one call in. Rejects with NOT_FOUND where the integration has no webhook, UNAUTHENTICATED for a forged
 * or stale signature, VALIDATION_FAILED, PAYLOAD_TOO_LARGE, TOO_MANY_REQUESTS, KMS_UNAVAILABLE, AUDIT_UNAVAILABLE.
 */
export type ReceiveWebhook = (
  call: Call,
  integrationId: string,
  delivery: WebhookDelivery,
) => Promise<'ACCEPTED' | 'DUPLICATE'>;

/** What a call to an integration without a webhook is checked against, so that it costs the same. */
const NOBODYS_SECRET = 'no webhook has this secret';

export function createWebhookReceiver(options: WebhookReceiverOptions): ReceiveWebhook {
  const { deps, takeForStranger, maxUnderWay = DEFAULT_MAX_WEBHOOKS_UNDER_WAY } = options;
  const secrets = new WebhookSecrets(deps);
  const rates = new WebhookRates(deps.clock, options.rate ?? DEFAULT_WEBHOOK_RATE);
  const strangers = new WebhookStrangers({
    ...{ clock: deps.clock, take: takeForStranger, maxUnderWay: MAX_UNDER_WAY_OF_ADDRESS },
  });
  let underWay = 0;

  async function authenticate(
    { ip }: Call,
    integrationId: string,
    delivery: WebhookDelivery,
  ): Promise<HeldWebhook> {
    // Ids can be made up faster than they can be looked for.
    if (!secrets.isKnown(integrationId)) strangers.assertNotSpent(ip);
    const held = await secrets.of(integrationId);
    const isTrue = isSignedBy(held?.secret ?? NOBODYS_SECRET, delivery) && held !== null;
    if (isTrue && isTimely(delivery.timestamp, deps.clock)) return held;
    // The webhook may have been made anew since the secret was read.
    const anew = isTrue ? null : await secrets.refreshed(integrationId);
    if (anew !== null && isSignedBy(anew.secret, delivery) && isTimely(delivery.timestamp, deps.clock)) {
      return anew;
    }
    if (held === null && anew === null) {
      throw new SealdeskError('NOT_FOUND', 'There is no webhook at this address.');
    }
    throw new SealdeskError(
      'UNAUTHENTICATED',
      'The signature of the webhook is missing, wrong or too old. Zendesk signs its calls; enableTicketFeed mends the secret.',
    );
  }

  async function receive(
    call: Call,
    integrationId: string,
    delivery: WebhookDelivery,
  ): Promise<'ACCEPTED' | 'DUPLICATE'> {
    if (delivery.body.length > MAX_WEBHOOK_BYTES) {
      strangers.take(call.ip);
      throw new SealdeskError('PAYLOAD_TOO_LARGE', `A webhook may have ${MAX_WEBHOOK_BYTES} bytes.`, {
        subject: String(MAX_WEBHOOK_BYTES),
      });
    }
    let webhook: HeldWebhook;
    try {
      webhook = await authenticate(call, integrationId, delivery);
    } catch (error) {
      if (error instanceof SealdeskError && !error.retryable) strangers.take(call.ip);
      throw error;
    }
    if (webhook.isOverloaded || !rates.take(integrationId)) throw overloaded();
    return note(deps, webhook, parseWebhookEvent(delivery.body, deps.clock.now()));
  }

  return async (call, integrationId, delivery) => {
    const leave = underWay < maxUnderWay ? strangers.enter(call.ip) : null;
    if (leave === null) throw overloaded();
    underWay += 1;
    try {
      return await receive(call, integrationId, delivery);
    } finally {
      underWay -= 1;
      leave();
    }
  };
}

/** The name by which a repeated call is known, made of the event's id: of the call, only its body is signed. */
function nameOf({ id }: WebhookEvent): string {
  return `event_${createHash('sha256').update(id).digest('base64url')}`;
}

async function note(
  { store, keyring }: Pick<ServiceDeps, 'store' | 'keyring'>,
  key: HeldWebhook,
  event: WebhookEvent,
): Promise<'ACCEPTED' | 'DUPLICATE'> {
  const { tenantId, integrationId } = key;
  const { type, mark, hint } = event;
  const invocationId = nameOf(event);
  const keys = await keyring.keysOf(tenantId);
  const sealed = keys.sealText(hintLocation(integrationId, invocationId), encodeHint(hint));
  const invocation = { invocationId, ticketId: mark.ticketId, eventType: type, hint: sealed };
  const noted = await store.withTenant(tenantId, async (tx) => {
    const inserted = await insertInvocation(tx, key, invocation);
    if (inserted !== 'ACCEPTED') return inserted;
    await markTickets(tx, key, 'WEBHOOK', [mark]);
    await notify(tx, 'marked', integrationId);
    return inserted;
  });
  if (noted === 'OFF') throw new SealdeskError('NOT_FOUND', 'There is no webhook at this address.');
  return noted;
}

function overloaded(): SealdeskError {
  return new SealdeskError(
    'TOO_MANY_REQUESTS',
    `The gateway takes no more webhooks just now. Try again after ${RETRY_AFTER_SECONDS} s.`,
    { retryAfter: RETRY_AFTER_SECONDS },
  );
}
