import type { Caller } from '../access/index.ts';
import { SealdeskError } from '../base/index.ts';

/** One request as the use cases see it: who asks, how, and what its answer must be bound to. */
export interface Call {
  /** `null` where nobody has logged in with the request. */
  readonly caller: Caller | null;
  readonly requestId: string;
  /** The address of the client, `null` where the transport tells none. */
  readonly ip: string | null;
  /** Method and path, such as `POST /graphql`. */
  readonly requestTarget: string;
  /** SHA-256 of the exact body bytes, base64url. */
  readonly requestSha256: string;
  /** Header `X-Sealdesk-Nonce`: 16 to 64 bytes, base64url. */
  readonly clientNonce: string | null;
  /** Header `X-Sealdesk-Key`: the recipient that the caller names. */
  readonly recipientKeyId: string | null;
  /** Whether the caller accepts the sealed media type: for errors of Zendesk by REST, for whole answers by GraphQL. */
  readonly acceptsSealedErrors: boolean;
  /** The audit event of the GraphQL operation that this call is part of. */
  readonly parentEventId: string | null;
  readonly signal: AbortSignal;
}

/** A call whose caller is known. */
export type AuthenticatedCall = Call & { readonly caller: Caller };

/** Throws UNAUTHENTICATED where the call has no caller. */
export function assertAuthenticated(call: Call): asserts call is AuthenticatedCall {
  if (call.caller === null) {
    throw new SealdeskError(
      'UNAUTHENTICATED',
      'This needs an API key. Send it as X-API-Key or as Authorization: Bearer.',
    );
  }
}
