/**
 * `POST /oauth/tokens` (authorization_code, refresh_token and client_credentials) and
 * `/api/v2/oauth/tokens/current`. Codes come from the consent page.
 * Refreshing replaces both tokens at once; a refresh token works once. `expires_in` is echoed only when the
 * request named it, also for clients whose tokens expire all the same (NangoHQ/nango#6775).
 */
import { type Call, userOf, type World } from './call.ts';
import type { AccessToken } from './credentials.ts';
import { matchesChallenge } from './oauth-grants.ts';
import { grantedScopes } from './oauth-scopes.ts';
import type { OAuthClientAccount } from './options.ts';
import { isoTime } from './people-view.ts';
import { empty, json, oauthError, type Reply, recordNotFound } from './reply.ts';
import { isRecord } from './validation.ts';

const EXPIRES_IN = { least: 300, most: 172_800 } as const;
const REFRESH_EXPIRES_IN = { least: 604_800, most: 7_776_000, usual: 2_592_000 } as const;
const ENFORCED_EXPIRY = 1800;

/** Reads JSON or form-encoded parameters into strings and numbers by name. */
export const parseTokenRequest = (contentType: string, body: Uint8Array): Record<string, unknown> => {
  const text = Buffer.from(body).toString('utf8');
  if (contentType.includes('application/x-www-form-urlencoded'))
    return Object.fromEntries(new URLSearchParams(text));
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Answered below like any other unreadable request.
  }
  throw oauthError(
    400,
    'invalid_request',
    'The request is missing a required parameter or is otherwise malformed.',
  );
};

const parseLifetime = (
  input: Record<string, unknown>,
  name: string,
  range: { readonly least: number; readonly most: number },
): number | null => {
  const value = input[name];
  if (value === undefined || value === null || value === '') return null;
  const seconds = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (
    typeof seconds === 'number' &&
    Number.isSafeInteger(seconds) &&
    seconds >= range.least &&
    seconds <= range.most
  ) {
    return seconds;
  }
  throw oauthError(400, 'invalid_request', `${name} must be between ${range.least} and ${range.most}`);
};

const invalidClient = () =>
  oauthError(
    401,
    'invalid_client',
    'Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.',
  );

const invalidGrant = () => oauthError(400, 'invalid_grant', 'Refresh token is invalid or expired');

const invalidCode = () =>
  oauthError(
    400,
    'invalid_grant',
    'The provided access grant is invalid, expired, or revoked (e.g. invalid end-user credentials, expired authorization code, or a code verifier that does not match).',
  );

const GRANTS = ['authorization_code', 'refresh_token', 'client_credentials'] as const;
type Grant = (typeof GRANTS)[number];

const parseGrant = (grant: unknown): Grant => {
  const known = GRANTS.find((name) => name === grant);
  if (known) return known;
  throw oauthError(
    400,
    'unsupported_grant_type',
    'The authorization grant type is not supported by the authorization server.',
  );
};

/** Every client has a secret; a public one may leave it out, but not send another. */
const authenticateClient = (
  world: World,
  grant: Grant,
  { client_id: id, client_secret: secret }: Record<string, unknown>,
): OAuthClientAccount => {
  const client = typeof id === 'string' ? world.credentials.client(id) : null;
  if (!client) throw invalidClient();
  const isPublic = client.kind === 'public';
  const mayOmit = isPublic && grant !== 'client_credentials';
  if (secret !== client.clientSecret && !(mayOmit && secret === undefined)) throw invalidClient();
  if (isPublic && grant === 'client_credentials') {
    throw oauthError(
      400,
      'unauthorized_client',
      'The client is not authorized to perform this request using this method.',
    );
  }
  return client;
};

/** What is issued, before lifetimes. Uses up the code or the refresh token. */
const redeem = (
  world: World,
  client: OAuthClientAccount,
  grant: Grant,
  input: Record<string, unknown>,
): { readonly scopes: readonly string[]; readonly email: string | null } => {
  switch (grant) {
    case 'client_credentials':
      return { scopes: grantedScopes(client, input['scope']), email: client.email ?? null };
    case 'authorization_code': {
      const granted = typeof input['code'] === 'string' ? world.grants.consume(input['code']) : null;
      if (!granted || granted.clientId !== client.clientId || granted.redirectUri !== input['redirect_uri']) {
        throw invalidCode();
      }
      if (granted.challenge !== null && !matchesChallenge(input['code_verifier'], granted.challenge)) {
        throw invalidCode();
      }
      return granted;
    }
    case 'refresh_token': {
      const token = input['refresh_token'];
      if (typeof token !== 'string') throw invalidGrant();
      if (world.credentials.findRefresh(token)?.clientId !== client.clientId) throw invalidGrant();
      const previous = world.credentials.consumeRefresh(token);
      if (!previous) throw invalidGrant();
      return { scopes: previous.scopes, email: world.credentials.userOf(previous).email };
    }
    default:
      throw grant satisfies never;
  }
};

/** Answers a token request; throws Refusal with an RFC 6749 §5.2 body. */
export const exchangeToken = (world: World, input: Record<string, unknown>): Reply => {
  const grant = parseGrant(input['grant_type']);
  const client = authenticateClient(world, grant, input);
  const told = parseLifetime(input, 'expires_in', EXPIRES_IN);
  const toldRefresh = parseLifetime(input, 'refresh_token_expires_in', REFRESH_EXPIRES_IN);
  const { scopes, email } = redeem(world, client, grant, input);
  const hasRefresh = grant !== 'client_credentials';
  const { omitExpiresIn } = world.grants.behaviour;
  const issued = world.credentials.issue({
    clientId: client.clientId,
    scopes: world.grants.without(scopes),
    expiresIn: told ?? (client.enforceExpiry ? ENFORCED_EXPIRY : null),
    ...(hasRefresh ? { refreshExpiresIn: toldRefresh ?? REFRESH_EXPIRES_IN.usual } : {}),
    ...(email === null ? {} : { email }),
  });
  return json(201, {
    access_token: issued.token,
    ...(issued.refreshToken === null ? {} : { refresh_token: issued.refreshToken }),
    token_type: 'bearer',
    scope: issued.scopes.join(' '),
    ...(told === null || omitExpiresIn ? {} : { expires_in: told }),
    ...(!hasRefresh || toldRefresh === null || omitExpiresIn
      ? {}
      : { refresh_token_expires_in: toldRefresh }),
  });
};

const currentToken = (call: Call): AccessToken => {
  userOf(call);
  const token = call.caller.kind === 'user' ? call.caller.token : null;
  if (!token) throw recordNotFound();
  return token;
};

const optionalTime = (time: number | null): string | null => (time === null ? null : isoTime(time));

export const showCurrentToken = (call: Call): Reply => {
  const token = currentToken(call);
  return json(200, {
    token: {
      url: `${call.origin}/api/v2/oauth/tokens/${token.id}.json`,
      id: token.id,
      client_id: token.clientId === null ? null : 6_130_908_500_000,
      user_id: token.userId,
      scopes: token.scopes,
      created_at: isoTime(token.createdAt),
      used_at: optionalTime(token.usedAt),
      expires_at: optionalTime(token.expiresAt),
      refresh_token_expires_at: optionalTime(token.refreshExpiresAt),
      token: token.token.slice(0, 10),
    },
  });
};

export const revokeCurrentToken = (call: Call): Reply => {
  call.world.credentials.revoke(currentToken(call).token);
  return empty(204);
};
