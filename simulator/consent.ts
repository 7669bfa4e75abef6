/**
 * The browser's part of OAuth: `GET /oauth/authorizations/new` shows what a client asks for, and the form on it,
 * sent to `POST /oauth/authorizations`, allows or denies it. There is no login: the form names who consents.
 *
 * What is wrong with client or redirect URI is shown here; everything else goes back to the client (RFC 6749
 * §4.1.2.1). PKCE is S256 only, and has to be there for a public client.
 */
import { ADMIN_EMAIL } from './account.ts';
import type { World } from './call.ts';
import { grantedScopes } from './oauth-scopes.ts';
import type { OAuthClientAccount } from './options.ts';
import { empty, Refusal, type Reply, text } from './reply.ts';

/** RFC 7636 §4.2: 32 bytes as base64url. */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const MEMBERS = [
  'response_type',
  'client_id',
  'redirect_uri',
  'scope',
  'state',
  'code_challenge',
  'code_challenge_method',
] as const;

interface Wish {
  readonly client: OAuthClientAccount;
  readonly redirectUri: string;
  readonly state: string | null;
  readonly scopes: readonly string[];
  readonly challenge: string | null;
}

const escapeHtml = (value: string): string =>
  value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const page = (status: number, title: string, body: string): Reply =>
  text(
    status,
    `<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${title}</title></head>\n<body>\n<h1>${title}</h1>\n${body}\n</body>\n</html>\n`,
    'text/html',
    { 'cache-control': 'no-store' },
  );

const refuse = (reason: string): Refusal =>
  new Refusal(page(400, 'Invalid Authorization Request', `<p>${escapeHtml(reason)}</p>`));

const redirect = (redirectUri: string, members: Readonly<Record<string, string | null>>): Reply => {
  const target = new URL(redirectUri);
  for (const [name, value] of Object.entries(members))
    if (value !== null) target.searchParams.set(name, value);
  return empty(302, { location: target.href, 'cache-control': 'no-store' });
};

/** Throws Refusal: a page where the client can't be told, else a redirect that tells it. */
const parseWish = (world: World, input: URLSearchParams): Wish => {
  const client = world.credentials.client(input.get('client_id') ?? '');
  if (!client) throw refuse('No such client');
  const redirectUri = input.get('redirect_uri') ?? '';
  if (!(client.redirectUris ?? []).includes(redirectUri)) throw refuse('Invalid redirect uri');
  const state = input.get('state');
  const fail = (error: string, description: string): Refusal =>
    new Refusal(redirect(redirectUri, { error, error_description: description, state }));
  if (input.get('response_type') !== 'code') {
    throw fail('unsupported_response_type', 'The authorization server does not support this response type.');
  }
  const challenge = input.get('code_challenge');
  const isPlain = challenge !== null && input.get('code_challenge_method') !== 'S256';
  if (isPlain || (challenge !== null && !CHALLENGE.test(challenge))) {
    throw fail('invalid_request', 'The code_challenge must be made by S256.');
  }
  if (challenge === null && client.kind === 'public') {
    throw fail('invalid_request', 'Code challenge required.');
  }
  try {
    return { client, redirectUri, state, challenge, scopes: grantedScopes(client, input.get('scope')) };
  } catch {
    throw fail('invalid_scope', 'The requested scope is invalid, unknown, or malformed.');
  }
};

/** The page that asks. */
export const showConsent = (world: World, query: URLSearchParams): Reply => {
  const { client, scopes } = parseWish(world, query);
  const hidden = MEMBERS.flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`;
  });
  return page(
    200,
    'Allow access?',
    [
      `<p><strong>${escapeHtml(client.clientId)}</strong> asks for access to this Zendesk account:</p>`,
      `<ul>${scopes.map((scope) => `<li><code>${escapeHtml(scope)}</code></li>`).join('')}</ul>`,
      '<form method="post" action="/oauth/authorizations">',
      ...hidden,
      `<p><label>Signed in as <input name="email" value="${ADMIN_EMAIL}"></label></p>`,
      '<button name="decision" value="allow">Allow</button>',
      '<button name="decision" value="deny">Deny</button>',
      '</form>',
    ].join('\n'),
  );
};

/** What was decided, as a redirect to the client. */
export const decideConsent = (world: World, body: Uint8Array): Reply => {
  const form = new URLSearchParams(Buffer.from(body).toString('utf8'));
  const { client, redirectUri, state, scopes, challenge } = parseWish(world, form);
  const email = form.get('email') ?? ADMIN_EMAIL;
  if (form.get('decision') !== 'allow') {
    const description = 'The end-user or authorization server denied the request.';
    return redirect(redirectUri, { error: 'access_denied', error_description: description, state });
  }
  if (!world.store.userByEmail(email)) throw refuse('No such user');
  const code = world.grants.grant({ clientId: client.clientId, redirectUri, scopes, email, challenge });
  return redirect(redirectUri, { code, state });
};
