import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  type ClientCredentialsRequest,
  openZendeskTransport,
  type RefreshRequest,
  requestClientCredentialsToken,
  requestRefreshedToken,
  TokenError,
} from '../../src/zendesk/index.ts';
import { createManualClock } from './manual-clock.ts';
import { failureOf } from './rig.ts';
import { answer, openScriptedServer, type Script, type ScriptedServer } from './scripted-server.ts';

const CLIENT_SECRET = 'client-secret-of-the-test';
const REFRESH_TOKEN = 'refresh-token-of-the-test';

async function openTokenRig(script: Script) {
  const server = await openScriptedServer(script);
  const transport = openZendeskTransport();
  const clock = createManualClock();
  return {
    server,
    clock,
    ask: (options: Partial<ClientCredentialsRequest> = {}) =>
      requestClientCredentialsToken({
        transport,
        clock,
        origin: server.origin,
        clientId: 'acme_gw',
        clientSecret: CLIENT_SECRET,
        ...options,
      }),
    refresh: (options: Partial<RefreshRequest> = {}) =>
      requestRefreshedToken({
        transport,
        clock,
        origin: server.origin,
        clientId: 'acme_gw',
        clientSecret: CLIENT_SECRET,
        refreshToken: REFRESH_TOKEN,
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const bodyOf = (server: ScriptedServer): unknown => JSON.parse(server.received[0]?.body ?? '');

describe('the client-credentials grant', () => {
  it('asks for a token of a named life and tells when it ends', async () => {
    await using rig = await openTokenRig((_request, response) =>
      answer(response, 201, { access_token: 't0k3n', token_type: 'bearer', scope: 'read', expires_in: 600 }),
    );
    const token = await rig.ask({ scope: 'read write', expiresIn: 600 });
    expect(token).toEqual({ accessToken: 't0k3n', scope: 'read', expiresAt: rig.clock.now() + 600_000 });
    expect(rig.server.received[0]?.url).toBe('/oauth/tokens');
    expect(rig.server.received[0]?.headers.authorization).toBeUndefined();
    expect(bodyOf(rig.server)).toEqual({
      grant_type: 'client_credentials',
      client_id: 'acme_gw',
      client_secret: CLIENT_SECRET,
      scope: 'read write',
      expires_in: 600,
    });
  });

  it.each([
    undefined,
    null,
    0,
    -1,
    '600',
  ])('takes 30 minutes where the answer tells no expiry (%j)', async (told) => {
    await using rig = await openTokenRig((_request, response) =>
      answer(response, 200, { access_token: 't0k3n', expires_in: told }),
    );
    const token = await rig.ask();
    expect(token).toMatchObject({ scope: null, expiresAt: rig.clock.now() + 1_800_000 });
    expect(bodyOf(rig.server)).toMatchObject({ expires_in: 86_400 });
  });

  it.each([
    [401, { error: 'invalid_client', error_description: CLIENT_SECRET }, 'UPSTREAM_UNAUTHENTICATED'],
    [400, { error: 'invalid_grant' }, 'UPSTREAM_UNAUTHENTICATED'],
    [400, { error: 'unauthorized_client' }, 'UPSTREAM_UNAUTHENTICATED'],
    [401, '', 'UPSTREAM_UNAUTHENTICATED'],
    [400, { error: 'invalid_scope' }, 'UPSTREAM_FORBIDDEN'],
    [404, { error: { title: 'No help desk at x.zendesk.com' } }, 'UPSTREAM_UNAVAILABLE'],
    [404, '', 'UPSTREAM_UNAVAILABLE'],
    [302, '', 'UPSTREAM_UNAVAILABLE'],
    [429, 'slow down', 'UPSTREAM_RATE_LIMITED'],
    [500, '<html>', 'UPSTREAM_UNAVAILABLE'],
    [200, '<html>', 'UPSTREAM_UNAVAILABLE'],
    [200, { token: CLIENT_SECRET }, 'UPSTREAM_UNAVAILABLE'],
    [200, { access_token: '' }, 'UPSTREAM_UNAVAILABLE'],
  ])('answered %i %j fails with %s after one try and shows no secret', async (status, body, code) => {
    await using rig = await openTokenRig((_request, response) => answer(response, status, body));
    const error = await failureOf(rig.ask());
    expect(error.code).toBe(code);
    expect(rig.server.received).toHaveLength(1);
    expect(inspect(error, { depth: 20 }) + JSON.stringify(error)).not.toContain(CLIENT_SECRET);
  });

  it('is given up when aborted and when its time is over', async () => {
    await using rig = await openTokenRig(() => undefined);
    const cancel = new AbortController();
    const reason = new Error('gone');
    const aborted = expect(rig.ask({ signal: cancel.signal })).rejects.toBe(reason);
    await rig.server.arrived(1);
    cancel.abort(reason);
    await aborted;
    const late = failureOf(rig.ask());
    await rig.server.arrived(2);
    rig.clock.advance(20_000);
    expect(await late).toMatchObject({ failure: 'TIMEOUT' });
  });

  it.each([0, 299, 172_801, 600.5])('refuses a life of %d seconds as misuse', async (expiresIn) => {
    await using rig = await openTokenRig((_request, response) => answer(response, 200, {}));
    await expect(rig.ask({ expiresIn })).rejects.toThrow(RangeError);
  });
});

describe('the refresh grant', () => {
  it('always names both lives, and tells when both tokens of the new pair end', async () => {
    await using rig = await openTokenRig((_request, response) =>
      answer(response, 201, {
        ...{ access_token: 't0k3n', refresh_token: 'n3xt', token_type: 'bearer', scope: 'read' },
        ...{ expires_in: 600, refresh_token_expires_in: 604_800 },
      }),
    );
    expect(await rig.refresh()).toEqual({
      ...{ accessToken: 't0k3n', refreshToken: 'n3xt', scope: 'read' },
      expiresAt: rig.clock.now() + 600_000,
      refreshExpiresAt: rig.clock.now() + 604_800_000,
    });
    expect(bodyOf(rig.server)).toEqual({
      ...{ grant_type: 'refresh_token', refresh_token: REFRESH_TOKEN },
      ...{ client_id: 'acme_gw', client_secret: CLIENT_SECRET },
      ...{ expires_in: 86_400, refresh_token_expires_in: 7_776_000 },
    });
  });

  it('takes 30 minutes and no known end of the refresh token where nothing is told, and no pair where none is given', async () => {
    await using rig = await openTokenRig((_request, response) =>
      answer(response, 200, { access_token: 't0k3n' }),
    );
    expect(await rig.refresh({ clientSecret: undefined })).toEqual({
      ...{ accessToken: 't0k3n', refreshToken: null, refreshExpiresAt: null, scope: null },
      expiresAt: rig.clock.now() + 1_800_000,
    });
    expect(bodyOf(rig.server)).not.toHaveProperty('client_secret');
  });

  it.each([
    [400, { error: 'invalid_grant' }, 'REFUSED'],
    [401, { error: 'invalid_client' }, 'REFUSED'],
    [400, { error: 'unauthorized_client' }, 'REFUSED'],
    [401, '', 'UNCLEAR'],
    [401, { error: "Couldn't authenticate you" }, 'UNCLEAR'],
    [400, { error: 'invalid_scope' }, 'UNUSED'],
    [400, { error: 'invalid_request' }, 'UNUSED'],
    [404, '', 'UNUSED'],
    [302, '', 'UNUSED'],
    [429, 'slow down', 'UNUSED'],
    [500, '<html>', 'UNCLEAR'],
    [503, '', 'UNCLEAR'],
    [200, '<html>', 'UNCLEAR'],
    [200, { refresh_token: REFRESH_TOKEN }, 'UNCLEAR'],
  ])('answered %i %j tells whether the refresh token is refused, unused, or may be used up', async (status, body, token) => {
    await using rig = await openTokenRig((_request, response) => answer(response, status, body));
    const error = await failureOf(rig.refresh());
    expect(error).toBeInstanceOf(TokenError);
    expect(error).toMatchObject({ token });
    expect(inspect(error, { depth: 20 }) + JSON.stringify(error)).not.toContain(REFRESH_TOKEN);
  });

  it('may have used the refresh token up where no answer came, and has not where nobody was reached', async () => {
    await using rig = await openTokenRig((_request, response) => response.destroy());
    expect(await failureOf(rig.refresh())).toMatchObject({ token: 'UNCLEAR' });
    const nobody = await failureOf(rig.refresh({ origin: 'http://127.0.0.1:1' }));
    expect(nobody).toMatchObject({ token: 'UNUSED' });
  });

  it.each([
    604_799, 7_776_001,
  ])('refuses a life of the refresh token of %d seconds as misuse', async (refreshExpiresIn) => {
    await using rig = await openTokenRig((_request, response) => answer(response, 200, {}));
    await expect(rig.refresh({ refreshExpiresIn })).rejects.toThrow(RangeError);
  });
});
