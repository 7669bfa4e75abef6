import { describe, expect, it } from 'vitest';
import { ADMIN, basic, objectAt, openSession } from './client.ts';

describe('a caller proves who it is', () => {
  it.each([
    { who: 'nobody', authorization: null, me: 200, id: null, tickets: 401 },
    {
      who: 'a password',
      authorization: `Basic ${btoa('admin@example.test:secret')}`,
      me: 200,
      id: null,
      tickets: 401,
    },
    {
      who: 'a wrong API token',
      authorization: basic('admin@example.test', 'wrong'),
      me: 401,
      id: null,
      tickets: 401,
    },
    { who: 'a wrong bearer', authorization: 'Bearer wrong', me: 401, id: null, tickets: 401 },
    {
      who: 'an expired bearer',
      authorization: 'Bearer demo-expired-token-not-secret',
      me: 401,
      id: null,
      tickets: 401,
    },
    { who: 'an unknown scheme', authorization: 'Digest x', me: 401, id: null, tickets: 401 },
    { who: 'the admin', authorization: ADMIN, me: 200, id: 'number', tickets: 200 },
    { who: 'an agent', authorization: basic('agent@example.test'), me: 200, id: 'number', tickets: 200 },
    {
      who: 'a bearer',
      authorization: 'Bearer demo-access-token-not-secret',
      me: 200,
      id: 'number',
      tickets: 200,
    },
    {
      who: 'an end user',
      authorization: basic('customer@example.test'),
      me: 200,
      id: 'number',
      tickets: 403,
    },
    {
      who: 'a suspended agent',
      authorization: basic('suspended@example.test'),
      me: 200,
      id: 'number',
      tickets: 403,
    },
  ])('$who gets $me from users/me and $tickets from tickets', async ({ authorization, me, id, tickets }) => {
    await using session = await openSession({ tickets: 20 });
    const mine = await session.call('/api/v2/users/me.json', { authorization });
    expect(mine.status).toBe(me);
    if (me === 200) {
      const user = objectAt(mine.body, 'user');
      expect(id === null ? user['id'] : typeof user['id']).toBe(id);
      expect(user['name'] === 'Anonymous user').toBe(id === null);
    }
    expect((await session.call('/api/v2/tickets', { authorization })).status).toBe(tickets);
  });

  it('words the refusals of Basic and Bearer as Zendesk does', async () => {
    await using session = await openSession({ tickets: 20 });
    const basicRefusal = await session.call('/api/v2/tickets', {
      authorization: basic('admin@example.test', 'no'),
    });
    expect(basicRefusal.body).toEqual({ error: "Couldn't authenticate you" });
    const bearerRefusal = await session.call('/api/v2/tickets', { authorization: 'Bearer no' });
    expect(bearerRefusal.body).toEqual({
      error: 'invalid_token',
      error_description:
        'The access token provided is expired, revoked, malformed or invalid for other reasons.',
    });
  });

  it('refuses a write with a read-only token and names the scope', async () => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/api/v2/tickets', {
      authorization: 'Bearer demo-read-token-not-secret',
      body: { ticket: { comment: { body: 'x' } } },
    });
    expect(answer.status).toBe(403);
    expect(answer.body['description']).toBe('Missing the following required scopes: write');
    expect(session.simulator.tickets.count).toBe(20);
  });

  it('lets a resource scope in to its resource only', async () => {
    await using session = await openSession({ tickets: 20 });
    const { token } = session.simulator.issueAccessToken({ scopes: ['tickets:read'] });
    expect((await session.call('/api/v2/tickets', { authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await session.call('/api/v2/users', { authorization: `Bearer ${token}` })).status).toBe(403);
  });

  it('takes accounts of the test instead of the demo ones', async () => {
    await using session = await openSession({
      tickets: 20,
      accounts: { apiTokens: [{ email: 'low@x.test', token: 't1', role: 'end-user' }] },
    });
    const me = await session.call('/api/v2/users/me', { authorization: basic('low@x.test', 't1') });
    expect(objectAt(me.body, 'user')['role']).toBe('end-user');
    expect((await session.call('/api/v2/tickets', { authorization: basic('low@x.test', 't1') })).status).toBe(
      403,
    );
    expect((await session.call('/api/v2/tickets')).status).toBe(401);
  });

  it('answers for known subdomains only when it has a list of them', async () => {
    await using session = await openSession({ tickets: 20, knownSubdomains: ['acme'] });
    const answer = await session.call('/api/v2/users/me.json');
    expect(answer.status).toBe(404);
    expect(objectAt(answer.body, 'error')['title']).toContain('No help desk at');
  });
});

describe('the token endpoint', () => {
  const client = { client_id: 'sealdesk_demo', client_secret: 'demo-client-secret-not-secret' };

  it('gives a client_credentials token that works until it expires', async () => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/oauth/tokens', {
      authorization: null,
      body: { grant_type: 'client_credentials', ...client, scope: 'read', expires_in: 300 },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ token_type: 'bearer', scope: 'read', expires_in: 300 });
    expect(answer.body).not.toHaveProperty('refresh_token');
    const authorization = `Bearer ${answer.body['access_token']}`;
    expect((await session.call('/api/v2/tickets', { authorization })).status).toBe(200);
    session.clock.advance(300_000);
    expect((await session.call('/api/v2/tickets', { authorization })).status).toBe(401);
  });

  it('keeps quiet about an enforced expiry that nobody asked for', async () => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/oauth/tokens', {
      authorization: null,
      body: { grant_type: 'client_credentials', ...client, client_id: 'sealdesk_demo_enforced' },
    });
    expect(answer.body).not.toHaveProperty('expires_in');
    const authorization = `Bearer ${answer.body['access_token']}`;
    session.clock.advance(29 * 60_000);
    expect((await session.call('/api/v2/tickets', { authorization })).status).toBe(200);
    session.clock.advance(60_000);
    expect((await session.call('/api/v2/tickets', { authorization })).status).toBe(401);
  });

  it('rotates both tokens on refresh and takes a refresh token once', async () => {
    await using session = await openSession({ tickets: 20 });
    const issued = session.simulator.issueAccessToken({
      clientId: 'sealdesk_demo',
      refreshExpiresIn: 604_800,
    });
    const refresh = (refreshToken: unknown) =>
      session.call('/oauth/tokens', {
        authorization: null,
        body: { grant_type: 'refresh_token', ...client, refresh_token: refreshToken, expires_in: 1800 },
      });
    const first = await refresh(issued.refreshToken);
    expect(first.status).toBe(201);
    expect(first.body['refresh_token']).not.toBe(issued.refreshToken);
    expect((await session.call('/api/v2/tickets', { authorization: `Bearer ${issued.token}` })).status).toBe(
      401,
    );
    const replay = await refresh(issued.refreshToken);
    expect(replay.status).toBe(400);
    expect(replay.body['error']).toBe('invalid_grant');
    const authorization = `Bearer ${first.body['access_token']}`;
    expect((await session.call('/api/v2/tickets', { authorization })).status).toBe(200);
    expect((await refresh(first.body['refresh_token'])).status).toBe(201);
  });

  it('refuses a refresh token that is too old', async () => {
    await using session = await openSession({ tickets: 20 });
    const issued = session.simulator.issueAccessToken({
      clientId: 'sealdesk_demo',
      refreshExpiresIn: 604_800,
    });
    session.clock.advance(604_800_000);
    const answer = await session.call('/oauth/tokens', {
      authorization: null,
      body: { grant_type: 'refresh_token', ...client, refresh_token: issued.refreshToken },
    });
    expect(answer.body['error']).toBe('invalid_grant');
  });

  it('reads form-encoded requests', async () => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/oauth/tokens', {
      authorization: null,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        ...client,
        expires_in: '600',
      }).toString(),
    });
    expect(answer.status).toBe(201);
    expect(answer.body['expires_in']).toBe(600);
  });

  it.each([
    [
      'a wrong secret',
      { grant_type: 'client_credentials', ...client, client_secret: 'x' },
      401,
      'invalid_client',
    ],
    [
      'an unknown client',
      { grant_type: 'client_credentials', client_id: 'x', client_secret: 'x' },
      401,
      'invalid_client',
    ],
    [
      'a scope of nobody',
      { grant_type: 'client_credentials', ...client, scope: 'impersonate' },
      400,
      'invalid_scope',
    ],
    [
      'a short expiry',
      { grant_type: 'client_credentials', ...client, expires_in: 299 },
      400,
      'invalid_request',
    ],
    [
      'a long expiry',
      { grant_type: 'client_credentials', ...client, expires_in: 172_801 },
      400,
      'invalid_request',
    ],
    ['the password grant', { grant_type: 'password', ...client }, 400, 'unsupported_grant_type'],
    [
      'an unknown refresh token',
      { grant_type: 'refresh_token', ...client, refresh_token: 'x' },
      400,
      'invalid_grant',
    ],
    ['no JSON', 'not json', 400, 'invalid_request'],
  ])('refuses %s', async (_what, body, status, error) => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/oauth/tokens', { authorization: null, body });
    expect(answer.status).toBe(status);
    expect(answer.body['error']).toBe(error);
    expect(typeof answer.body['error_description']).toBe('string');
  });

  it('drops unknown scopes silently, and the token is then good for nothing', async () => {
    await using session = await openSession({ tickets: 20 });
    const answer = await session.call('/oauth/tokens', {
      authorization: null,
      body: { grant_type: 'client_credentials', ...client, scope: 'raed' },
    });
    expect(answer.body['scope']).toBe('');
    const authorization = `Bearer ${answer.body['access_token']}`;
    expect((await session.call('/api/v2/tickets', { authorization })).status).toBe(403);
  });

  it('shows and revokes the current token', async () => {
    await using session = await openSession({ tickets: 20 });
    const { token } = session.simulator.issueAccessToken({ scopes: ['read'], expiresIn: 600 });
    const authorization = `Bearer ${token}`;
    const shown = await session.call('/api/v2/oauth/tokens/current.json', { authorization });
    expect(objectAt(shown.body, 'token')).toMatchObject({
      scopes: ['read'],
      expires_at: '2026-11-21T06:10:00Z',
      token: token.slice(0, 10),
    });
    expect(
      (await session.call('/api/v2/oauth/tokens/current', { method: 'DELETE', authorization })).status,
    ).toBe(204);
    expect((await session.call('/api/v2/tickets', { authorization })).status).toBe(401);
  });
});
