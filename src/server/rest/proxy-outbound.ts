import { jsonAnswer } from '../answer.ts';
import { SEALED_MEDIA_TYPE } from '../incoming.ts';
import { parseJsonBody } from './json-body.ts';
import { renameMembers } from './member-names.ts';
import type { RestRoute } from './rest-route.ts';

const NAMES = Object.freeze({ integration_id: 'integrationId', idempotency_key: 'idempotencyKey' });

/**
 * `POST /api/v2/proxy/outbound` with `integration_id`, `operation`, `payload`: 200 and the envelope.
 * A failure at Zendesk is an envelope of purpose `proxy.error`, with the status of its code, where the
 * caller accepts the sealed media type.
 */
export const proxyOutboundRoute: RestRoute = async (services, call, incoming) => {
  const { envelope, failure } = await services.proxyOutbound(
    call,
    renameMembers(parseJsonBody(incoming), NAMES),
  );
  return failure === null
    ? jsonAnswer(200, envelope)
    : jsonAnswer(failure.status, envelope, { 'content-type': SEALED_MEDIA_TYPE });
};
