/** The browser's part of OAuth and the code grant, as a client of Zendesk meets them. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_OAUTH_CLIENT,
  DEFAULT_OAUTH_SECRET,
  DEFAULT_PUBLIC_CLIENT,
  DEFAULT_REDIRECT_URI,
  openSimulator,
} from '../../simulator/index.ts';
import { objectAt, openSession, type Session } from './client.ts';

const VERIFIER = 'a-verifier-of-at-least-forty-three-characters-0';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

const wish = (members: Readonly<Record<string, string | null>> = {}): URLSearchParams => {
  const all: Record<string, string | null> = {
    response_type: 'code',
    client_id: DEFAULT_OAUTH_CLIENT,
    redirect_uri: DEFAULT_REDIRECT_URI,
    scope: 'tickets:read users:read',
    state: 'the state & more',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...members,
  };
  return new URLSearchParams(
    Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
};

/** Sends the form of the page, as a browser does; where that is sent then, or the page it stays at. */
const decide = async ({ simulator }: Session, form: URLSearchParams): Promise<URL | string> => {
  const response = await fetch(`${simulator.url}/oauth/authorizations`, {
    method: 'POST',
    body: form,
    redirect: 'manual',
  });
  const location = response.headers.get('location');
  return location === null ? await response.text() : new URL(location);
};

const codeOf = async (session: Session, members: Readonly<Record<string, string | null>> = {}) => {
  const form = wish({ decision: 'allow', ...members });
  const target = await decide(session, form);
  if (typeof target === 'string') throw new Error(`No redirect: ${target}`);
  return target.searchParams.get('code') ?? '';
};

const exchange = (session: Session, body: Readonly<Record<string, unknown>>) =>
  session.call('/oauth/tokens', {
    authorization: null,
    body: {
      grant_type: 'authorization_code',
      client_id: DEFAULT_OAUTH_CLIENT,
      client_secret: DEFAULT_OAUTH_SECRET,
      redirect_uri: DEFAULT_REDIRECT_URI,
      code_verifier: VERIFIER,
      ...body,
    },
  });

describe('the consent page', () => {
  it('names client and scopes, and carries the request through its form', async () => {
    await using session = await openSession({ tickets: 5 });
    const { status, text, headers } = await session.call(
      `/oauth/authorizations/new?${wish({ state: '"><b>' })}`,
    );
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/html');
    expect(text).toContain(DEFAULT_OAUTH_CLIENT);
    expect(text).toContain('tickets:read');
    expect(text).toContain(`name="code_challenge" value="${CHALLENGE}"`);
    expect(text).not.toContain('"><b>');
  });

  it('sends a code and the state back where access is allowed, an error where it is denied', async () => {
    await using session = await openSession({ tickets: 5 });
    const allowed = await decide(session, wish({ decision: 'allow' }));
    expect(allowed).toBeInstanceOf(URL);
    expect((allowed as URL).href.startsWith(`${DEFAULT_REDIRECT_URI}?code=`)).toBe(true);
    expect((allowed as URL).searchParams.get('state')).toBe('the state & more');
    const denied = await decide(session, wish({ decision: 'deny' }));
    expect((denied as URL).searchParams.get('error')).toBe('access_denied');
    expect((denied as URL).searchParams.get('state')).toBe('the state & more');
    expect((denied as URL).searchParams.has('code')).toBe(false);
  });

  it.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['a redirect URI that is not in the list', { redirect_uri: `${DEFAULT_REDIRECT_URI}/more` }],
    ['no redirect URI', { redirect_uri: null }],
  ])('sends nobody anywhere for %s', async (_what, members) => {
    await using session = await openSession({ tickets: 5 });
    const answer = await session.call(`/oauth/authorizations/new?${wish(members)}`, {
      headers: { accept: 'text/html' },
    });
    expect(answer.status).toBe(400);
    expect(typeof (await decide(session, wish({ ...members, decision: 'allow' })))).toBe('string');
  });

  it.each([
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a challenge of another length', { code_challenge: 'short' }, 'invalid_request'],
    [
      'a public client without PKCE',
      { client_id: DEFAULT_PUBLIC_CLIENT, code_challenge: null },
      'invalid_request',
    ],
    ['a scope that the client may not have', { scope: 'impersonate' }, 'invalid_scope'],
  ])('tells the client of %s', async (_what, members, error) => {
    await using session = await openSession({ tickets: 5 });
    const target = await decide(session, wish({ ...members, decision: 'allow' }));
    expect((target as URL).searchParams.get('error')).toBe(error);
    expect((target as URL).searchParams.get('state')).toBe('the state & more');
  });

  it('is there for redirect URIs by https, or on this machine, alone', async () => {
    const client = { clientId: 'x', clientSecret: 'y', scopes: ['read'] };
    const open = (uri: string) =>
      openSimulator({ tickets: 0, accounts: { oauthClients: [{ ...client, redirectUris: [uri] }] } });
    await expect(open('http://gateway.example/callback')).rejects.toThrow('"redirectUris"');
    await expect(open('/callback')).rejects.toThrow('"redirectUris"');
    await using simulator = await open('https://gateway.example/callback');
    expect(simulator.url).toContain('127.0.0.1');
  });
});

describe('the code grant', () => {
  it('gives both tokens for what was consented to, and tells lifetimes only where they were asked for', async () => {
    await using session = await openSession({ tickets: 5 });
    const told = await exchange(session, {
      code: await codeOf(session, { email: 'agent@example.test' }),
      expires_in: 172_800,
      refresh_token_expires_in: 7_776_000,
    });
    expect(told.status).toBe(201);
    expect(told.body).toMatchObject({
      token_type: 'bearer',
      scope: 'tickets:read users:read',
      expires_in: 172_800,
      refresh_token_expires_in: 7_776_000,
    });
    const authorization = `Bearer ${told.body['access_token']}`;
    const me = await session.call('/api/v2/users/me.json', { authorization });
    expect(objectAt(me.body, 'user')).toMatchObject({ role: 'agent', email: 'agent@example.test' });
    const untold = await exchange(session, { code: await codeOf(session) });
    expect(untold.body).not.toHaveProperty('expires_in');
    expect(untold.body['refresh_token']).toEqual(expect.any(String));
  });

  it('lets a public client go without its secret, and refuses a wrong one', async () => {
    await using session = await openSession({ tickets: 5 });
    const client = { client_id: DEFAULT_PUBLIC_CLIENT };
    const done = await exchange(session, {
      ...client,
      code: await codeOf(session, client),
      client_secret: undefined,
    });
    expect(done.status).toBe(201);
    const wrong = await exchange(session, {
      ...client,
      code: await codeOf(session, client),
      client_secret: 'no',
    });
    expect(wrong.body['error']).toBe('invalid_client');
    const without = await exchange(session, { code: await codeOf(session), client_secret: undefined });
    expect(without.body['error']).toBe('invalid_client');
  });

  it('takes a code once, for 120 seconds, from its client, with its redirect URI and verifier', async () => {
    await using session = await openSession({ tickets: 5 });
    const code = await codeOf(session);
    expect((await exchange(session, { code })).status).toBe(201);
    expect((await exchange(session, { code })).body['error']).toBe('invalid_grant');
    const late = await codeOf(session);
    session.clock.advance(120_000);
    expect((await exchange(session, { code: late })).body['error']).toBe('invalid_grant');
    for (const wrong of [
      { code_verifier: `${VERIFIER}x` },
      { code_verifier: undefined },
      { redirect_uri: 'http://localhost:4000/other' },
      { client_id: DEFAULT_PUBLIC_CLIENT },
    ]) {
      const spoilt = await codeOf(session);
      expect((await exchange(session, { code: spoilt, ...wrong })).body['error']).toBe('invalid_grant');
      expect((await exchange(session, { code: spoilt })).body['error']).toBe('invalid_grant');
    }
  });

  it.each([
    ['expires_in', 299],
    ['expires_in', 172_801],
    ['refresh_token_expires_in', 604_799],
    ['refresh_token_expires_in', 7_776_001],
  ])('refuses %s of %d and leaves the code good', async (name, seconds) => {
    await using session = await openSession({ tickets: 5 });
    const code = await codeOf(session);
    expect((await exchange(session, { code, [name]: seconds })).body['error']).toBe('invalid_request');
    expect((await exchange(session, { code })).status).toBe(201);
  });

  it('drops unknown scopes silently, and known ones on demand', async () => {
    await using session = await openSession({ tickets: 5 });
    const unknown = await exchange(session, {
      code: await codeOf(session, { scope: 'users:read tickets:fly' }),
    });
    expect(unknown.body['scope']).toBe('users:read');
    const changed = await session.call('/__simulator/oauth', {
      body: { dropScopes: ['tickets:read'], omitExpiresIn: true },
    });
    expect(changed.body).toEqual({ dropScopes: ['tickets:read'], omitExpiresIn: true });
    const dropped = await exchange(session, { code: await codeOf(session), expires_in: 3600 });
    expect(dropped.body['scope']).toBe('users:read');
    expect(dropped.body).not.toHaveProperty('expires_in');
    session.simulator.reset();
    const usual = await exchange(session, { code: await codeOf(session), expires_in: 3600 });
    expect(usual.body).toMatchObject({ scope: 'tickets:read users:read', expires_in: 3600 });
  });

  it('rotates both tokens, and the revoked pair is good for nothing', async () => {
    await using session = await openSession({ tickets: 5 });
    const first = await exchange(session, { code: await codeOf(session) });
    const refresh = (token: unknown) =>
      exchange(session, { grant_type: 'refresh_token', refresh_token: token });
    const second = await refresh(first.body['refresh_token']);
    expect(second.status).toBe(201);
    expect(second.body['scope']).toBe('tickets:read users:read');
    expect((await refresh(first.body['refresh_token'])).body['error']).toBe('invalid_grant');
    const old = { authorization: `Bearer ${first.body['access_token']}` };
    expect((await session.call('/api/v2/users/me', old)).status).toBe(401);
    const present = { authorization: `Bearer ${second.body['access_token']}` };
    const shown = await session.call('/api/v2/oauth/tokens/current.json', present);
    expect(objectAt(shown.body, 'token')['scopes']).toEqual(['tickets:read', 'users:read']);
    const gone = await session.call('/api/v2/oauth/tokens/current', { ...present, method: 'DELETE' });
    expect(gone.status).toBe(204);
    expect((await session.call('/api/v2/users/me', present)).status).toBe(401);
    expect((await refresh(second.body['refresh_token'])).body['error']).toBe('invalid_grant');
  });
});
