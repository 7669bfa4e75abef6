/** Who speaks over a WebSocket: the key of the upgrade's headers or of `connection_init`, never of the URL. */
import { SealdeskError } from '../../base/index.ts';
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
 * headers say nothing else. It counts as one request of its key. Rejects with UNAUTHENTICATED, VALIDATION_FAILED,
 * TOO_MANY_REQUESTS and the failures of the recipient, recorded.
 */
export async function openSocketSession(
  services: SocketServices,
  login: UpgradeLogin,
  payload: Readonly<Record<string, unknown>>,
  onEnd: (failure: SealdeskError) => void,
): Promise<TicketSession> {
  let { call } = login;
  try {
    const apiKey = agreed('apiKey', login.apiKey, payload['apiKey'], '');
    if (apiKey === null) {
      throw new SealdeskError(
        'UNAUTHENTICATED',
        'Send an API key: {"apiKey"} in connection_init, or a header.',
      );
    }
    call = { ...call, caller: await services.authenticate(apiKey, call.ip) };
    const recipientKeyId = agreed('clientKey', call.recipientKeyId, payload['clientKey'], null);
    services.takeFromRate(call);
    return await services.openTicketSession({ ...call, recipientKeyId }, onEnd);
  } catch (error) {
    if (error instanceof SealdeskError) throw await services.recordFailure(call, error);
    throw error;
  }
}

/** The one value of two places; `conflict` where they differ, refused where that is `null`. */
function agreed(
  name: string,
  fromHeader: string | null,
  fromPayload: unknown,
  conflict: string | null,
): string | null {
  if (fromPayload !== undefined && typeof fromPayload !== 'string')
    throw notAccepted(name, 'must be a string');
  if (fromHeader === null || fromPayload === undefined || fromHeader === fromPayload) {
    return fromHeader ?? fromPayload ?? null;
  }
  // A key that is none is refused as any wrong one.
  if (conflict !== null) return conflict;
  throw notAccepted(name, 'is another in the header');
}

function notAccepted(name: string, message: string): SealdeskError {
  return new SealdeskError('VALIDATION_FAILED', `\`${name}\` in connection_init ${message}.`, {
    fields: [{ path: name, message }],
  });
}
