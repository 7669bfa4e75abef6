/** Who speaks over a WebSocket: the key of the upgrade's headers or of `connection_init`, never of the URL. */
import { isId, isSealdeskError, SealdeskError } from '../../base/index.ts';
import type { Call, Services, TicketSession } from '../../service/index.ts';
import { apiKeyOf, type Incoming } from '../incoming.ts';

/** What was sent before the first message. */
export interface UpgradeLogin {
  /** The call, of nobody yet. */
  readonly call: Call;
  /** Headers `X-API-Key` or `Authorization`, `null` where none was sent. */
  readonly apiKey: string | null;
}

export type SocketServices = Pick<
  Services,
  'authenticate' | 'takeFromRate' | 'openTicketSession' | 'recordFailure'
>;

export function upgradeLogin(incoming: Incoming): UpgradeLogin {
  return {
    apiKey: apiKeyOf(incoming.headers),
    call: {
      caller: null,
      requestId: incoming.requestId,
      ip: incoming.ip,
      requestTarget: `${incoming.method} ${incoming.path}`,
      requestSha256: incoming.requestSha256,
      clientNonce: null,
      recipientKeyId: incoming.headers.get('x-sealdesk-key'),
      acceptsSealedErrors: false,
      parentEventId: null,
      signal: incoming.signal,
    },
  };
}

/**
 * The session of a connection whose `connection_init` had `payload`: members `apiKey` and `clientKey`, where the
 * headers say nothing else. It counts as one request of its key, without one against the address. Rejects with
 * UNAUTHENTICATED, VALIDATION_FAILED, TOO_MANY_REQUESTS and the failures of the recipient, recorded.
 */
export async function openSocketSession(
  services: SocketServices,
  login: UpgradeLogin,
  payload: Readonly<Record<string, unknown>>,
  onEnd: (failure: SealdeskError) => void,
): Promise<TicketSession> {
  let { call } = login;
  try {
    const apiKey = apiKeyOfBoth(login.apiKey, payload['apiKey']);
    call = apiKey === null ? call : { ...call, caller: await services.authenticate(apiKey, call.ip) };
    services.takeFromRate(call);
    if (call.caller === null) throw keyMissing();
    const recipientKeyId = recipientOfBoth(call.recipientKeyId, payload['clientKey']);
    return await services.openTicketSession({ ...call, recipientKeyId }, onEnd);
  } catch (error) {
    if (isSealdeskError(error)) throw await services.recordFailure(call, error);
    throw error;
  }
}

/** The key of either place; one that is none, and so refused as any wrong one, where they differ or it is no text. */
function apiKeyOfBoth(fromHeader: string | null, fromPayload: unknown): string | null {
  if (fromPayload === undefined) return fromHeader;
  if (typeof fromPayload !== 'string') return '';
  return fromHeader === null || fromHeader === fromPayload ? fromPayload : '';
}

/** Throws VALIDATION_FAILED where the two places differ, or what is sent is no id of a client key. */
function recipientOfBoth(fromHeader: string | null, fromPayload: unknown): string | null {
  const named = fromPayload === undefined ? fromHeader : fromPayload;
  if (named === null && fromPayload === undefined) return null;
  if (!isId('clientKey', named)) throw notAccepted('must be the id of a client key');
  if (fromHeader === null || fromHeader === named) return named;
  throw notAccepted('is another in the header');
}

function keyMissing(): SealdeskError {
  return new SealdeskError('UNAUTHENTICATED', 'Send an API key: {"apiKey"} in connection_init, or a header.');
}

function notAccepted(message: string): SealdeskError {
  return new SealdeskError('VALIDATION_FAILED', `The client key ${message}.`, {
    fields: [{ path: 'clientKey', message }],
  });
}
