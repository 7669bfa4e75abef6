/** Who speaks over a WebSocket: the key or token of the upgrade's headers or of `connection_init`, never of the URL. */
import { isId, isSealdeskError, SealdeskError } from '../../base/index.ts';
import type { Call, Services, TicketSession } from '../../service/index.ts';
import { type AdmittingServices, admit } from '../admit.ts';
import { anonymousCall } from '../anonymous-call.ts';
import { type Credential, credentialOf, credentialOfPayload, oneOf } from '../credential.ts';
import type { Incoming } from '../incoming.ts';

/** What was sent before the first message. */
export interface UpgradeLogin {
  /** The call, of nobody yet. */
  readonly call: Call;
  /** Headers `X-API-Key` or `Authorization`, `null` where none was sent. */
  readonly credential: Credential | null;
}

export type SocketServices = AdmittingServices & Pick<Services, 'openTicketSession' | 'recordFailure'>;

/** What a connection is told of its session. */
export interface SessionEnds {
  readonly onEnd: (failure: SealdeskError) => void;
  readonly onExpired: () => void;
}

export function upgradeLogin(incoming: Incoming): UpgradeLogin {
  return {
    credential: credentialOf(incoming.headers),
    // No failure of a socket is sealed: it ends in a close code or an error message.
    call: { ...anonymousCall(incoming), acceptsSealedErrors: false },
  };
}

/**
 * The session of a connection whose `connection_init` had `payload`: members `apiKey` or `token`, and `clientKey`,
 * where the headers say nothing else. It counts as one request of its key, without one against the address.
 * Rejects with the failures of `admit`, VALIDATION_FAILED and the failures of the recipient, recorded.
 */
export async function openSocketSession(
  services: SocketServices,
  login: UpgradeLogin,
  payload: Readonly<Record<string, unknown>>,
  { onEnd, onExpired }: SessionEnds,
): Promise<TicketSession> {
  let { call } = login;
  try {
    const credential = oneOf([login.credential, credentialOfPayload(payload)]);
    call = await admit(services, call, credential, (known) => {
      call = known;
    });
    if (call.caller === null) throw keyMissing();
    const recipientKeyId = recipientOfBoth(call.recipientKeyId, payload['clientKey']);
    return await services.openTicketSession({ ...call, recipientKeyId }, onEnd, onExpired);
  } catch (error) {
    if (isSealdeskError(error)) throw await services.recordFailure(call, error);
    throw error;
  }
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
  return new SealdeskError(
    'UNAUTHENTICATED',
    'Send an API key or a login token: {"apiKey"} or {"token"} in connection_init, or a header.',
  );
}

function notAccepted(message: string): SealdeskError {
  return new SealdeskError('VALIDATION_FAILED', `The client key ${message}.`, {
    fields: [{ path: 'clientKey', message }],
  });
}
