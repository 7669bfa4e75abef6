/**
 * `POST /oauth/tokens` (client_credentials and refresh_token) and `/api/v2/oauth/tokens/current`.
 * Refreshing replaces both tokens at once; a refresh token works once. `expires_in` is echoed only when the
 * request named it, also for clients whose tokens expire all the same (NangoHQ/nango#6775).
 */
import { type Call, userOf } from './call.ts';
import type { AccessToken, Credentials } from './credentials.ts';
import type { OAuthClientAccount } from './options.ts';
import { isoTime } from './people-view.ts';
import { empty, json, oauthError, type Reply, recordNotFound } from './reply.ts';
import { isRecord } from './validation.ts';

const EXPIRES_IN = { least: 300, most: 172_800 } as const;
const REFRESH_EXPIRES_IN = { least: 604_800, most: 7_776_000, usual: 2_592_000 } as const;
const ENFORCED_EXPIRY = 1800;

const RESOURCES = [
  'tickets',
  'users',
  'auditlogs',
  'organizations',
  'hc',
  'apps',
  'triggers',
  'automations',
  'targets',
  'webhooks',
  'macros',
  'requests',
  'satisfaction_ratings',
  'dynamic_content',
  'any_channel',
  'web_widget',
  'security',
  'unrestricted',
] as const;
const KNOWN_SCOPES: ReadonlySet<string> = new Set([
  'read',
  'write',
  'impersonate',
  ...RESOURCES.flatMap((resource) => [`${resource}:read`, `${resource}:write`]),
]);

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

const grantedScopes = (client: OAuthClientAccount, scope: unknown): string[] => {
  if (scope === undefined || scope === null || scope === '') return [...client.scopes];
  if (typeof scope !== 'string')
    throw oauthError(400, 'invalid_scope', 'The requested scope is invalid, unknown, or malformed.');
  // Unknown names are dropped silently, known ones outside the client's list are refused (as probed).
  const known = scope.split(/\s+/).filter((name) => KNOWN_SCOPES.has(name));
  for (const name of known) {
    const general = name.includes(':') ? (name.split(':')[1] ?? '') : name;
    if (!client.scopes.includes(name) && !client.scopes.includes(general)) {
      throw oauthError(400, 'invalid_scope', 'The requested scope is invalid, unknown, or malformed.');
    }
  }
  return known;
};

const invalidClient = () =>
  oauthError(
    401,
    'invalid_client',
    'Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.',
  );

const invalidGrant = () => oauthError(400, 'invalid_grant', 'Refresh token is invalid or expired');

const tokenReply = (issued: AccessToken, expiresIn: number | null, refreshExpiresIn: number | null): Reply =>
  json(201, {
    access_token: issued.token,
    ...(issued.refreshToken === null ? {} : { refresh_token: issued.refreshToken }),
    token_type: 'bearer',
    scope: issued.scopes.join(' '),
    ...(expiresIn === null ? {} : { expires_in: expiresIn }),
    ...(issued.refreshToken === null || refreshExpiresIn === null
      ? {}
      : { refresh_token_expires_in: refreshExpiresIn }),
  });

/** Answers a token request; throws Refusal with an RFC 6749 §5.2 body. */
export const exchangeToken = (credentials: Credentials, input: Record<string, unknown>): Reply => {
  const grant = input['grant_type'];
  if (grant !== 'client_credentials' && grant !== 'refresh_token') {
    throw oauthError(
      400,
      'unsupported_grant_type',
      'The authorization grant type is not supported by the authorization server.',
    );
  }
  const clientId = input['client_id'];
  const client = typeof clientId === 'string' ? credentials.client(clientId) : null;
  if (!client) throw invalidClient();
  const secret = input['client_secret'];
  const isPublic = client.kind === 'public';
  if (secret !== client.clientSecret && !(isPublic && secret === undefined && grant === 'refresh_token')) {
    throw invalidClient();
  }
  const expiresIn = parseLifetime(input, 'expires_in', EXPIRES_IN);
  const lifetime = expiresIn ?? (client.enforceExpiry ? ENFORCED_EXPIRY : null);
  if (grant === 'client_credentials') {
    if (isPublic) {
      throw oauthError(
        400,
        'unauthorized_client',
        'The client is not authorized to perform this request using this method.',
      );
    }
    const issued = credentials.issue({
      clientId: client.clientId,
      scopes: grantedScopes(client, input['scope']),
      expiresIn: lifetime,
      ...(client.email === undefined ? {} : { email: client.email }),
    });
    return tokenReply(issued, expiresIn, null);
  }
  const refreshToken = input['refresh_token'];
  if (typeof refreshToken !== 'string') throw invalidGrant();
  if (credentials.findRefresh(refreshToken)?.clientId !== client.clientId) throw invalidGrant();
  const refreshLifetime = parseLifetime(input, 'refresh_token_expires_in', REFRESH_EXPIRES_IN);
  const previous = credentials.consumeRefresh(refreshToken);
  if (!previous) throw invalidGrant();
  const user = credentials.userOf(previous);
  const issued = credentials.issue({
    clientId: client.clientId,
    scopes: previous.scopes,
    expiresIn: lifetime,
    refreshExpiresIn: refreshLifetime ?? REFRESH_EXPIRES_IN.usual,
    ...(user.email === null ? {} : { email: user.email }),
  });
  return tokenReply(issued, expiresIn, refreshLifetime);
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
