import { isId, isSealdeskError, SealdeskError } from '../base/index.ts';
import type { Call, Services } from '../service/index.ts';
import { type Answer, emptyAnswer } from './answer.ts';
import type { Incoming } from './incoming.ts';

export const WEBHOOK_PATH = '/webhooks/zendesk/';
const RETRY_AFTER_SECONDS = 5;

export type WebhookRoute = (call: Call, incoming: Incoming) => Promise<Answer>;

/**
 * `POST /webhooks/zendesk/{integrationId}`: 204 once what it tells is kept, also where it was told before. Who
 * sends is known by the signature over the exact bytes alone, so the call has no caller, and counts against its
 * address only where it is refused. How large a call may be, and how many are taken in at once, is the use case's.
 */
export function createWebhookRoute(services: Pick<Services, 'receiveZendeskWebhook'>): WebhookRoute {
  return async (call, { path, headers, body }) => {
    const integrationId = path.slice(WEBHOOK_PATH.length);
    if (!isId('integration', integrationId)) {
      throw new SealdeskError('NOT_FOUND', 'There is no such webhook.');
    }
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
    }
  };
}

/** Zendesk sends again what was answered 503 only where it is told when. */
function sentAgain(failure: SealdeskError): SealdeskError {
  return failure.details.retryAfter === undefined
    ? failure.with({ retryAfter: RETRY_AFTER_SECONDS })
    : failure;
}
