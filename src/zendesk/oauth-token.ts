/**
 * Grants at `POST /oauth/tokens` (zendesk-api §2.2): client credentials (RFC 6749 §4.4) and refresh (§6).
 * One try: the steps that keep a token safe across crashes belong to the caller, who decides about a second.
 * A refresh token works once: whether it may have been used up is part of every failure.
 */
import type { JsonObject, JsonValue } from '../base/index.ts';
import { parseRawJson } from './json-body.ts';
import {
  ACCESS_TOKEN_SECONDS,
  callTokenEndpoint,
  REFRESH_TOKEN_SECONDS,
  type TokenEndpoint,
  UNTOLD_ACCESS_SECONDS,
} from './token-endpoint.ts';
import type { TransportReply } from './transport.ts';
import { judgeUnusable, type Verdict } from './verdict.ts';
import { upstreamOf, ZendeskError } from './zendesk-error.ts';

interface TokenRequest extends TokenEndpoint {
  readonly clientId: string;
  /** Seconds, 300 to 172 800; default 86 400. Always sent, since Zendesk tells the expiry only then. */
  readonly expiresIn?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ClientCredentialsRequest extends TokenRequest {
  readonly clientSecret: string;
  /** Space-separated; left out, the client's own scopes apply. */
  readonly scope?: string | undefined;
}

export interface RefreshRequest extends TokenRequest {
  /** A public client has none. */
  readonly clientSecret?: string | undefined;
  readonly refreshToken: string;
  /** Seconds, 604 800 to 7 776 000; default 7 776 000. Always sent, for the same reason. */
  readonly refreshExpiresIn?: number | undefined;
}

export interface ClientCredentialsToken {
  readonly accessToken: string;
  /** Milliseconds since 1970, counted from before the call; 30 minutes where Zendesk tells no expiry. */
  readonly expiresAt: number;
  /** What was granted, which may be less than was asked. */
  readonly scope: string | null;
}

export interface RefreshedToken extends ClientCredentialsToken {
  /** `null` where Zendesk gave no other: the one that was sent stays good then (RFC 6749 §6). */
  readonly refreshToken: string | null;
  /** Milliseconds since 1970, counted as `expiresAt`; `null` where Zendesk tells none. */
  readonly refreshExpiresAt: number | null;
}

/**
 * What is known of the grant that was sent. REFUSED: Zendesk does not accept the client or the grant, nor will
 * it. UNUSED: it was not carried out. UNCLEAR: it may have been, and a refresh token be used up.
 */
export type TokenFailure = 'REFUSED' | 'UNUSED' | 'UNCLEAR';

export class TokenError extends ZendeskError {
  readonly token: TokenFailure;

  constructor(error: ZendeskError, token: TokenFailure) {
    const { failure, details, cause } = error;
    const upstream = upstreamOf(error) ?? undefined;
    super(error.code, error.message, { ...details, failure, upstream, cause });
    this.token = token;
  }
}

const EXPIRES_IN = { ...ACCESS_TOKEN_SECONDS, usual: 86_400 };
const REFRESH_EXPIRES_IN = { ...REFRESH_TOKEN_SECONDS, usual: REFRESH_TOKEN_SECONDS.most };

/**
 * Fetches an access token. Rejects with {@link TokenError}: UPSTREAM_UNAUTHENTICATED where Zendesk does
 * not accept the client, UPSTREAM_FORBIDDEN for a scope it may not have, UPSTREAM_UNAVAILABLE and
 * UPSTREAM_RATE_LIMITED as for any call; with the signal's reason when aborted.
 */
export async function requestClientCredentialsToken(
  request: ClientCredentialsRequest,
): Promise<ClientCredentialsToken> {
  const { accessToken, expiresAt, scope } = await requestToken(request, {
    grant_type: 'client_credentials',
    client_id: request.clientId,
    client_secret: request.clientSecret,
    scope: request.scope,
    expires_in: secondsOf('expiresIn', request.expiresIn, EXPIRES_IN),
  });
  return { accessToken, expiresAt, scope };
}

/** Puts a new pair in place of one whose refresh token is sent. Rejects as {@link requestClientCredentialsToken} does. */
export async function requestRefreshedToken(request: RefreshRequest): Promise<RefreshedToken> {
  return requestToken(request, {
    grant_type: 'refresh_token',
    refresh_token: request.refreshToken,
    client_id: request.clientId,
    client_secret: request.clientSecret,
    expires_in: secondsOf('expiresIn', request.expiresIn, EXPIRES_IN),
    refresh_token_expires_in: secondsOf('refreshExpiresIn', request.refreshExpiresIn, REFRESH_EXPIRES_IN),
  });
}

async function requestToken(
  request: TokenRequest,
  grant: Readonly<Record<string, string | number | undefined>>,
): Promise<RefreshedToken> {
  const started = request.clock.now();
  const reply = await callTokenEndpoint(request, {
    members: grant,
    signal: request.signal,
    failed: (error, sent) => new TokenError(error, sent ? 'UNCLEAR' : 'UNUSED'),
    refused: refusalOf,
  });
  return parseToken(reply, started);
}

function secondsOf(
  name: string,
  wanted: number | undefined,
  range: { readonly least: number; readonly most: number; readonly usual: number },
): number {
  const seconds = wanted ?? range.usual;
  if (Number.isSafeInteger(seconds) && seconds >= range.least && seconds <= range.most) return seconds;
  throw new RangeError(`"${name}" must be ${range.least} to ${range.most} seconds, got ${seconds}`);
}

function parseToken(reply: TransportReply, started: number): RefreshedToken {
  const body = parseRawJson(reply.body);
  const token = isObject(body) ? body['access_token'] : undefined;
  if (!isObject(body) || typeof token !== 'string' || token === '') {
    // The body may hold the token in some other shape, so it is not kept.
    throw new TokenError(judgeUnusable({ ...reply, body: Buffer.alloc(0) }).error, 'UNCLEAR');
  }
  const { scope, refresh_token: refreshToken } = body;
  const expiresIn = lifetimeOf(body['expires_in'], EXPIRES_IN.most) ?? UNTOLD_ACCESS_SECONDS * 1000;
  const refreshIn = lifetimeOf(body['refresh_token_expires_in'], REFRESH_EXPIRES_IN.most);
  const isPair = typeof refreshToken === 'string' && refreshToken !== '';
  return {
    accessToken: token,
    expiresAt: started + expiresIn,
    scope: typeof scope === 'string' ? scope : null,
    refreshToken: isPair ? refreshToken : null,
    refreshExpiresAt: isPair && refreshIn !== null ? started + refreshIn : null,
  };
}

/** Milliseconds; `null` where nothing usable is told. */
function lifetimeOf(told: JsonValue | undefined, most: number): number | null {
  return typeof told === 'number' && told > 0 ? Math.floor(Math.min(told, most) * 1000) : null;
}

/** RFC 6749 §5.2 answers 400 or 401 to a client or a grant that is not accepted. */
function refusalOf({ error, unclear }: Verdict, reply: TransportReply): TokenError {
  switch (error.details.upstreamError) {
    case 'invalid_client':
    case 'unauthorized_client':
      return new TokenError(
        error.recoded(
          'UPSTREAM_UNAUTHENTICATED',
          'Zendesk does not accept the client id or secret of the integration. An ADMIN rotates the credential.',
          {},
        ),
        'REFUSED',
      );
    case 'invalid_grant':
      return new TokenError(
        error.recoded(
          'UPSTREAM_UNAUTHENTICATED',
          'Zendesk does not accept the client or the refresh token of the integration. An ADMIN connects it again.',
          {},
        ),
        'REFUSED',
      );
    case 'invalid_scope':
      return new TokenError(
        error.recoded(
          'UPSTREAM_FORBIDDEN',
          'The OAuth client in Zendesk does not have the scope asked for.',
          {},
        ),
        'UNUSED',
      );
    default:
      return new TokenError(
        reply.status === 404 && error.failure === 'REFUSED'
          ? error.recoded('UPSTREAM_UNAVAILABLE', 'Zendesk has no token endpoint at this address.', {})
          : error,
        // A 401 in other words need not come of the grant: something before Zendesk's OAuth may say it for a while.
        reply.status === 401 || unclear ? 'UNCLEAR' : 'UNUSED',
      );
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
