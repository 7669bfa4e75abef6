import { isId, isSealdeskError, SealdeskError } from '../base/index.ts';
import type { Call, Services } from '../service/index.ts';
import { type Answer, emptyAnswer } from './answer.ts';
import type { Incoming } from './incoming.ts';

export const WEBHOOK_PATH = '/webhooks/zendesk/';
/** Most bytes of a webhook's body. */
const MAX_WEBHOOK_BYTES = 262_144;
/** Webhooks that are taken in at once; Zendesk sends those beyond again. */
const MAX_IN_FLIGHT = 256;
const RETRY_AFTER_SECONDS = 5;

export type WebhookRoute = (call: Call, incoming: Incoming) => Promise<Answer>;

/**
 * `POST /webhooks/zendesk/{integrationId}`: 204 once what it tells is kept, also where it was told before. Who
 * sends is known by the signature over the exact bytes alone, so the call has no caller, and counts against its
 * address only where it is refused.
 */
export function createWebhookRoute(services: Pick<Services, 'receiveZendeskWebhook'>): WebhookRoute {
  let inFlight = 0;
  return async (call, { path, headers, body }) => {
    const integrationId = path.slice(WEBHOOK_PATH.length);
    if (!isId('integration', integrationId)) {
      throw new SealdeskError('NOT_FOUND', 'There is no such webhook.');
    }
    if (body.length > MAX_WEBHOOK_BYTES) throw tooLarge();
    if (inFlight >= MAX_IN_FLIGHT) throw tooManyAtOnce();
    inFlight += 1;
    try {
      await services.receiveZendeskWebhook(call, integrationId, {
        body,
        signature: headers.get('x-zendesk-webhook-signature'),
        timestamp: headers.get('x-zendesk-webhook-signature-timestamp'),
        invocationId: headers.get('x-zendesk-webhook-invocation-id'),
        webhookId: headers.get('x-zendesk-webhook-id'),
      });
      return emptyAnswer();
    } catch (error) {
      throw isSealdeskError(error) && error.status === 503 ? sentAgain(error) : error;
    } finally {
      inFlight -= 1;
    }
  };
}

/** Zendesk sends again what was answered 503 only where it is told when. */
function sentAgain(failure: SealdeskError): SealdeskError {
  return failure.details.retryAfter === undefined
    ? failure.with({ retryAfter: RETRY_AFTER_SECONDS })
    : failure;
}

function tooLarge(): SealdeskError {
  return new SealdeskError('PAYLOAD_TOO_LARGE', `A webhook may have ${MAX_WEBHOOK_BYTES} bytes.`, {
    subject: String(MAX_WEBHOOK_BYTES),
  });
}

function tooManyAtOnce(): SealdeskError {
  return new SealdeskError(
    'TOO_MANY_REQUESTS',
    `The gateway takes in as many webhooks as it can. Send this one again in ${RETRY_AFTER_SECONDS} s.`,
    { retryAfter: RETRY_AFTER_SECONDS },
  );
}
