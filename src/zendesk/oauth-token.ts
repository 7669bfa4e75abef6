/**
 * The client-credentials grant at `POST /oauth/tokens` (zendesk-api §2.2, RFC 6749 §4.4). One try: the
 * steps that keep a token safe across crashes belong to the caller, who decides about a second.
 */
import { type Clock, encodeUtf8, type JsonObject, type JsonValue } from '../base/index.ts';
import { openDeadline } from './deadline.ts';
import { parseRawJson } from './json-body.ts';
import { parseRateLimits } from './rate-limit-reading.ts';
import { TransportFailure, type TransportReply, type ZendeskTransport } from './transport.ts';
import { judgeFailure, judgeReply, judgeUnusable } from './verdict.ts';
import type { ZendeskError } from './zendesk-error.ts';

export interface ClientCredentialsRequest {
  readonly transport: ZendeskTransport;
  readonly clock: Clock;
  /** From `zendeskOrigin`. */
  readonly origin: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Space-separated; left out, the client's own scopes apply. */
  readonly scope?: string | undefined;
  /** Seconds, 300 to 172 800; default 86 400. Always sent, since Zendesk tells the expiry only then. */
  readonly expiresIn?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ClientCredentialsToken {
  readonly accessToken: string;
  /** Milliseconds since 1970, counted from before the call; 30 minutes where Zendesk tells no expiry. */
  readonly expiresAt: number;
  /** What was granted, which may be less than was asked. */
  readonly scope: string | null;
}

const MIN_EXPIRES_IN = 300;
const MAX_EXPIRES_IN = 172_800;
const DEFAULT_EXPIRES_IN = 86_400;
const UNTOLD_EXPIRES_IN = 1_800;
const TIMEOUT = 20_000;

/**
 * Fetches an access token. Rejects with `ZendeskError`: UPSTREAM_UNAUTHENTICATED where Zendesk does
 * not accept the client, UPSTREAM_FORBIDDEN for a scope it may not have, UPSTREAM_UNAVAILABLE and
 * UPSTREAM_RATE_LIMITED as for any call; with the signal's reason when aborted.
 */
export async function requestClientCredentialsToken(
  request: ClientCredentialsRequest,
): Promise<ClientCredentialsToken> {
  const { clock, origin, transport } = request;
  const expiresIn = request.expiresIn ?? DEFAULT_EXPIRES_IN;
  if (!Number.isSafeInteger(expiresIn) || expiresIn < MIN_EXPIRES_IN || expiresIn > MAX_EXPIRES_IN) {
    throw new RangeError(
      `"expiresIn" must be ${MIN_EXPIRES_IN} to ${MAX_EXPIRES_IN} seconds, got ${expiresIn}`,
    );
  }
  const started = clock.now();
  using limit = openDeadline(clock, started + TIMEOUT, request.signal);
  let reply: TransportReply;
  try {
    reply = await transport.send({
      origin,
      method: 'POST',
      path: '/oauth/tokens',
      headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'sealdesk' },
      body: encodeUtf8(
        JSON.stringify({
          grant_type: 'client_credentials',
          client_id: request.clientId,
          client_secret: request.clientSecret,
          scope: request.scope,
          expires_in: expiresIn,
        }),
      ),
      signal: limit.signal,
    });
  } catch (error) {
    request.signal?.throwIfAborted();
    if (!(error instanceof TransportFailure)) throw error;
    throw judgeFailure(error, limit.expired()).error;
  }
  if (reply.status >= 200 && reply.status < 300) return parseToken(reply, started);
  throw refusalOf(
    reply,
    judgeReply(reply, parseRateLimits(reply.headers, '/oauth/tokens', started), started).error,
  );
}

function parseToken(reply: TransportReply, started: number): ClientCredentialsToken {
  const body = parseRawJson(reply.body);
  const token = isObject(body) ? body['access_token'] : undefined;
  if (!isObject(body) || typeof token !== 'string' || token === '') {
    // The body may hold the token in some other shape, so it is not kept.
    throw judgeUnusable({ ...reply, body: Buffer.alloc(0) }).error;
  }
  const told = body['expires_in'];
  const seconds = typeof told === 'number' && told > 0 ? Math.min(told, MAX_EXPIRES_IN) : UNTOLD_EXPIRES_IN;
  const scope = body['scope'];
  return {
    accessToken: token,
    expiresAt: started + Math.floor(seconds * 1000),
    scope: typeof scope === 'string' ? scope : null,
  };
}

/** RFC 6749 §5.2 answers 400 or 401 to a client that is not accepted. */
function refusalOf(reply: TransportReply, error: ZendeskError): ZendeskError {
  switch (error.details.upstreamError) {
    case 'invalid_client':
    case 'invalid_grant':
    case 'unauthorized_client':
      return error.recoded(
        'UPSTREAM_UNAUTHENTICATED',
        'Zendesk does not accept the client id or secret of the integration. An ADMIN rotates the credential.',
        {},
      );
    case 'invalid_scope':
      return error.recoded(
        'UPSTREAM_FORBIDDEN',
        'The OAuth client in Zendesk does not have the scope asked for.',
        {},
      );
    default:
      return reply.status === 404 && error.failure === 'REFUSED'
        ? error.recoded('UPSTREAM_UNAVAILABLE', 'Zendesk has no token endpoint at this address.', {})
        : error;
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
