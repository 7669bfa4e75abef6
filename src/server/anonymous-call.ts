/** The call of a request before it is known who makes it. */
import type { Call } from '../service/index.ts';
import { acceptsSealed, type Incoming } from './incoming.ts';

/** The call of nobody yet, who asks for what the headers name. */
export function anonymousCall(incoming: Incoming): Call {
  return {
    caller: null,
    requestId: incoming.requestId,
    ip: incoming.ip,
    requestTarget: `${incoming.method} ${incoming.path}`,
    requestSha256: incoming.requestSha256,
    clientNonce: null,
    recipientKeyId: incoming.headers.get('x-sealdesk-key'),
    acceptsSealedErrors: acceptsSealed(incoming.headers),
    parentEventId: null,
    signal: incoming.signal,
  };
}
