/**
 * The authorization-code grant with PKCE (RFC 6749 §4.1, RFC 7636): the address that an admin's browser is sent to,
 * and the exchange of the code that comes back (zendesk-api §2.2). Made and read by `oauth4webapi`, over the
 * gateway's own transport, with what Zendesk does in its own way made to fit: it is asked in JSON, answers 201, and
 * tells how long tokens live only where they were asked for by lifetime, so both lifetimes are always sent.
 *
 * A code is good once. The exchange is one try and is never repeated: what it granted is the caller's to keep.
 */
import * as oauth from 'oauth4webapi';
import {
  ACCESS_TOKEN_SECONDS,
  callTokenEndpoint,
  REFRESH_TOKEN_SECONDS,
  TOKEN_PATH,
  type TokenEndpoint,
  UNTOLD_ACCESS_SECONDS,
} from './token-endpoint.ts';
import type { TransportReply } from './transport.ts';
import { judgeUnusable, type Verdict } from './verdict.ts';
import type { ZendeskError } from './zendesk-error.ts';

/** What a refresh token lives where Zendesk does not tell. */
const UNTOLD_REFRESH_SECONDS = 2_592_000;

/** An OAuth client of a Zendesk account; one without a secret is public. */
export interface OAuthClientIdentity {
  readonly clientId: string;
  readonly clientSecret: string | null;
}

export interface AuthorizationWish {
  /** From `zendeskOrigin`. */
  readonly origin: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string;
  readonly verifier: string;
}

/** 256 random bits each, as base64url. */
export function createAuthorizationSecrets(): { readonly state: string; readonly verifier: string } {
  return { state: oauth.generateRandomState(), verifier: oauth.generateRandomCodeVerifier() };
}

/** Where the browser goes to ask for consent. */
export async function authorizationUrl(wish: AuthorizationWish): Promise<string> {
  const url = new URL('/oauth/authorizations/new', wish.origin);
  const members = {
    response_type: 'code',
    client_id: wish.clientId,
    redirect_uri: wish.redirectUri,
    scope: wish.scopes.join(' '),
    state: wish.state,
    code_challenge: await oauth.calculatePKCECodeChallenge(wish.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(members)) url.searchParams.set(name, value);
  return url.href;
}

/** What came back in the browser. */
export type AuthorizationAnswer =
  | { readonly kind: 'CODE'; readonly parameters: URLSearchParams }
  /** `error` is one of RFC 6749 §4.1.2.1, or OTHER. */
  | { readonly kind: 'REFUSED'; readonly error: 'ACCESS_DENIED' | 'INVALID_SCOPE' | 'OTHER' }
  /** Neither code nor error, or a member twice. */
  | { readonly kind: 'UNUSABLE' };

/** Reads the query of the callback, whose `state` has been found to be ours. */
export function readAuthorizationAnswer(
  origin: string,
  clientId: string,
  query: URLSearchParams,
  state: string,
): AuthorizationAnswer {
  try {
    const parameters = oauth.validateAuthResponse(serverOf(origin), { client_id: clientId }, query, state);
    return parameters.get('code') === null ? { kind: 'UNUSABLE' } : { kind: 'CODE', parameters };
  } catch (error) {
    if (!(error instanceof oauth.AuthorizationResponseError)) return { kind: 'UNUSABLE' };
    switch (error.error) {
      case 'access_denied':
        return { kind: 'REFUSED', error: 'ACCESS_DENIED' };
      case 'invalid_scope':
        return { kind: 'REFUSED', error: 'INVALID_SCOPE' };
      default:
        return { kind: 'REFUSED', error: 'OTHER' };
    }
  }
}

export interface CodeExchange extends TokenEndpoint {
  readonly client: OAuthClientIdentity;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly verifier: string;
  /** Of an answer of kind CODE. */
  readonly parameters: URLSearchParams;
}

export interface TokenPair {
  readonly accessToken: string;
  /** `null` where Zendesk gives none. */
  readonly refreshToken: string | null;
  /** Milliseconds since 1970, counted from before the call. */
  readonly expiresAt: number;
  readonly refreshExpiresAt: number | null;
  /** `null` where Zendesk does not tell, which means what was asked for (RFC 6749 §5.1). */
  readonly scopes: readonly string[] | null;
}

/**
 * Exchanges a code. Rejects with `ZendeskError`: UPSTREAM_UNAUTHENTICATED with `invalid_client` or `invalid_grant`
 * as `upstreamError` where Zendesk refuses client or code; as for any call else. Its `mutation` tells whether tokens
 * may have been granted that nobody holds: UNKNOWN, or NOT_SENT where they were not.
 */
export async function exchangeCode(exchange: CodeExchange): Promise<TokenPair> {
  const { client, origin, clock, redirectUri, verifier, parameters } = exchange;
  const started = clock.now();
  const server = serverOf(origin);
  const identity = { client_id: client.clientId };
  const authentication =
    client.clientSecret === null ? oauth.None() : oauth.ClientSecretPost(client.clientSecret);
  const failure: { error: unknown } = { error: null };
  try {
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      identity,
      authentication,
      parameters,
      redirectUri,
      verifier,
      {
        additionalParameters: {
          scope: exchange.scopes.join(' '),
          expires_in: String(ACCESS_TOKEN_SECONDS.most),
          refresh_token_expires_in: String(REFRESH_TOKEN_SECONDS.most),
        },
        // `http` is there for a simulator on this machine; parseOriginTemplate lets no other through.
        [oauth.allowInsecureRequests]: true,
        [oauth.customFetch]: async (_url, { body }) => {
          try {
            return await sendTokenRequest(exchange, body);
          } catch (error) {
            failure.error = error;
            throw error;
          }
        },
      },
    );
    return toPair(await oauth.processAuthorizationCodeResponse(server, identity, response), started);
  } catch (error) {
    if (failure.error !== null) throw failure.error;
    // It says what is wrong with the answer by quoting it, and the answer may hold the tokens.
    if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError) {
      throw unusable();
    }
    throw error;
  }
}

/** Sends in JSON what was put together as a form, and hands a success back as the 200 that is looked for. */
async function sendTokenRequest(exchange: CodeExchange, form: URLSearchParams): Promise<Response> {
  const members = Object.fromEntries(
    [...form].map(([name, value]) => [name, name.endsWith('expires_in') ? Number(value) : value]),
  );
  const failed = (error: ZendeskError, sent: boolean): ZendeskError =>
    error.with({ mutation: sent ? 'UNKNOWN' : 'NOT_SENT' });
  return Response.json(
    withoutNulls(await callTokenEndpoint(exchange, { members, failed, refused: refusalOf })),
  );
}

/** `expires_in: null` is how Zendesk says that there is none. Throws ZendeskError for what is no object. */
function withoutNulls(reply: TransportReply): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(reply.body.toString('utf8'));
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw unusable();
    return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  } catch {
    throw unusable();
  }
}

/** RFC 6749 §5.2 answers 400 or 401; the texts of other calls would not fit. */
function refusalOf(verdict: Verdict): ZendeskError {
  const error = verdict.error.with({ mutation: verdict.unclear ? 'UNKNOWN' : 'NOT_SENT' });
  switch (error.details.upstreamError) {
    case 'invalid_client':
    case 'unauthorized_client':
      return error.recoded(
        'UPSTREAM_UNAUTHENTICATED',
        'Zendesk does not accept the id or secret of the OAuth client.',
        { upstreamError: 'invalid_client' },
      );
    case 'invalid_grant':
      return error.recoded('UPSTREAM_UNAUTHENTICATED', 'Zendesk does not accept the authorization code.', {});
    default:
      return error;
  }
}

function unusable(): ZendeskError {
  const reply = { status: 201, headers: {}, body: Buffer.alloc(0), truncated: false };
  return judgeUnusable(reply).error.with({ mutation: 'UNKNOWN' });
}

function toPair(answer: oauth.TokenEndpointResponse, started: number): TokenPair {
  const { access_token: accessToken, refresh_token: refreshToken = null, scope } = answer;
  const lives = answer.expires_in ?? UNTOLD_ACCESS_SECONDS;
  const told = answer['refresh_token_expires_in'];
  const refreshLives = typeof told === 'number' && told > 0 ? told : UNTOLD_REFRESH_SECONDS;
  return {
    accessToken,
    refreshToken,
    expiresAt: started + Math.min(lives, ACCESS_TOKEN_SECONDS.most) * 1000,
    refreshExpiresAt:
      refreshToken === null ? null : started + Math.min(refreshLives, REFRESH_TOKEN_SECONDS.most) * 1000,
    scopes: scope === undefined ? null : scope.split(/\s+/).filter((name) => name !== ''),
  };
}

function serverOf(origin: string): oauth.AuthorizationServer {
  return { issuer: origin, token_endpoint: `${origin}${TOKEN_PATH}` };
}
