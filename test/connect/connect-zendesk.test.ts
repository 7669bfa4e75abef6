/** An account is connected by OAuth: from the mutation through Zendesk and back to a working integration. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_PUBLIC_CLIENT } from '../../simulator/index.ts';
import { CONNECT_FAILURES } from '../../src/service/index.ts';
import { codeOf, newestEvents, readEvent, useHouse } from '../service/house.ts';
import { openTestGateway } from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { createTestTenant } from '../support/tenant.ts';
import {
  addIntegration,
  begin,
  CLIENT,
  callTicket,
  comeBack,
  connect,
  connectInBrowser,
  readConnection,
  readIntegration,
  sealToken,
  unseal,
} from './connecting.ts';

const PUBLIC = { clientId: DEFAULT_PUBLIC_CLIENT };

describeOnBothDatabases('connectZendesk', (database) => {
  const house = useHouse(database, { corsOrigins: ['https://app.example.com'] });

  it('moves an integration from an API token to OAuth and keeps its id and policy', async () => {
    const before = await addIntegration(house());
    const { begun, page, connection } = await connectInBrowser(house(), before.id, {
      given: { ...CLIENT, returnTo: 'https://app.example.com/settings?tab=zendesk' },
    });
    expect(begun.connection).toMatchObject({ status: 'PENDING', credentialId: null, failure: null });
    const asked = new URL(begun.authorizationUrl).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: 'http://localhost:4000/oauth/zendesk/callback',
      scope: 'organizations:read tickets:read tickets:write users:read',
    });
    expect(asked.get('state')).toMatch(/^[\w-]{43}$/);
    const after = await readIntegration(house(), before.id);
    expect(after).toEqual({ ...before, credentialId: after.credentialId });
    expect(after.credentialId).not.toBe(before.credentialId);
    expect(connection).toMatchObject({
      status: 'CONNECTED',
      credentialId: after.credentialId,
      replacedCredentialId: before.credentialId,
      leftAtZendeskUntil: null,
    });
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'content-type': 'text/html; charset=utf-8',
    });
    expect(page.html).toContain('<h1>Connected</h1>');
    expect(page.html).toContain(house().tenant.id);
    expect(page.html).toContain(before.credentialId);
    expect(page.html).toContain(
      `href="https://app.example.com/settings?tab=zendesk&amp;connected=${before.id}"`,
    );
    expect(await callTicket(house(), before.id)).toBe(200);
    const secret = await unseal(house(), after.credentialId ?? '');
    expect(secret).toMatchObject({
      type: 'oauth2_token',
      client_id: CLIENT.clientId,
      client_secret: CLIENT.clientSecret,
      scope: 'organizations:read tickets:read tickets:write users:read',
    });
    const { clock } = house();
    const leftOf = (time: unknown): number => (Date.parse(String(time)) - clock.now()) / 1_000;
    expect(leftOf(secret['expires_at'])).toBeGreaterThan(172_800 - 120);
    expect(leftOf(secret['refresh_expires_at'])).toBeGreaterThan(7_776_000 - 120);
  });

  it('records who began and how it ended', async () => {
    const { gateway, tenant } = house();
    const { id } = await addIntegration(house());
    const { begun } = await connectInBrowser(house(), id);
    const [began, ended] = [
      await readEvent(gateway, tenant.keys.auditor, begun.auditEventId),
      (await newestEvents(gateway, tenant.keys.auditor)).findLast(
        ({ action }) => action === 'connection.complete',
      ),
    ];
    expect(began).toMatchObject({
      action: 'connection.begin',
      outcome: 'SUCCEEDED',
      integrationId: id,
      resource: begun.connection.id,
    });
    expect(ended).toMatchObject({
      action: 'connection.complete',
      outcome: 'SUCCEEDED',
      integrationId: id,
      resource: begun.connection.id,
      actor: began.actor,
      ip: '127.0.0.1',
    });
    expect(began.actor.type).toBe('API_KEY');
  });

  it('connects with a public client, and again with the client that is known then, in the same credential', async () => {
    const { id } = await addIntegration(house());
    const first = await connectInBrowser(house(), id, { given: PUBLIC });
    expect(first.connection.status).toBe('CONNECTED');
    const secret = await unseal(house(), first.connection.credentialId ?? '');
    expect(secret['client_id']).toBe(PUBLIC.clientId);
    expect(secret).not.toHaveProperty('client_secret');
    const again = await connectInBrowser(house(), id, { given: {} });
    expect(new URL(again.begun.authorizationUrl).searchParams.get('client_id')).toBe(PUBLIC.clientId);
    expect(again.connection).toMatchObject({
      status: 'CONNECTED',
      credentialId: first.connection.credentialId,
      replacedCredentialId: null,
    });
    expect((await unseal(house(), again.connection.credentialId ?? ''))['version']).toBe(2);
    expect(await callTicket(house(), id)).toBe(200);
    // The pair before it is revoked at Zendesk.
    expect(again.connection.leftAtZendeskUntil).toBeNull();
    expect(house().gateway.simulator.revokeAccessToken(String(secret['access_token']))).toBe(false);
  });

  it('says until when the pair may live that was replaced, where it could not be revoked', async () => {
    const { gateway } = house();
    const { id } = await addIntegration(house());
    const first = await connectInBrowser(house(), id);
    const { refresh_expires_at: until } = await unseal(house(), first.connection.credentialId ?? '');
    gateway.simulator.faults.add({ method: 'DELETE', effect: { kind: 'status', status: 500 } });
    const { connection, page } = await connectInBrowser(house(), id);
    gateway.simulator.faults.clear();
    expect(connection).toMatchObject({ status: 'CONNECTED', leftAtZendeskUntil: until });
    expect(page.html).toContain('had before could not be revoked');
    expect(await callTicket(house(), id)).toBe(200);
  });

  it('shows what was granted, which may be more than was asked for', async () => {
    const { gateway } = house();
    const { id } = await addIntegration(house());
    const url = new URL((await begin(house(), id)).authorizationUrl);
    url.searchParams.set('scope', 'read write');
    const page = await comeBack(gateway, gateway.simulator.oauth.consent(url.href));
    expect(page.html).toContain('Granted: read write.');
  });

  it('asks with a sealed OAuth client that is named, and needs one somewhere', async () => {
    const { gateway, tenant } = house();
    const { id } = await addIntegration(house(), { credentialId: null });
    const none = await connect(gateway, tenant.keys.admin, { integrationId: id });
    expect(codeOf(none)).toBe('CONFLICT');
    expect(none.json.errors[0].message).toContain('OAuth client');
    const wrongType = await connect(gateway, tenant.keys.admin, {
      integrationId: id,
      credentialId: await sealToken(gateway, tenant),
    });
    expect(codeOf(wrongType)).toBe('VALIDATION_FAILED');
    const sealed = await gateway.graphql(
      `mutation($secret: JSONObject!) {
        sealCredential(input: { type: OAUTH2_CLIENT, secret: $secret }) { credential { id } } }`,
      {
        apiKey: tenant.keys.admin,
        variables: { secret: { client_id: CLIENT.clientId, client_secret: CLIENT.clientSecret } },
      },
    );
    const credentialId = sealed.json.data.sealCredential.credential.id;
    const { connection } = await connectInBrowser(house(), id, { given: { credentialId } });
    expect(connection).toMatchObject({ status: 'CONNECTED', replacedCredentialId: null });
    const elsewhere = await addIntegration(house(), { config: { subdomain: 'globex' } });
    const foreign = await connect(gateway, tenant.keys.admin, { integrationId: elsewhere.id, credentialId });
    expect(codeOf(foreign)).toBe('CONFLICT');
  });

  it('asks for what all integrations need that share the tokens', async () => {
    const { id } = await addIntegration(house(), { allowedOperations: ['list_users'] });
    const { connection } = await connectInBrowser(house(), id);
    expect(connection.scopes).toEqual(['users:read']);
    await addIntegration(house(), {
      allowedOperations: ['get_ticket'],
      credentialId: connection.credentialId,
    });
    const again = await begin(house(), id, {});
    expect(again.connection.scopes).toEqual(['organizations:read', 'tickets:read', 'users:read']);
  });

  it('is for admins, and takes one client or none', async () => {
    const { gateway, tenant } = house();
    const { id: integrationId } = await addIntegration(house());
    for (const apiKey of [tenant.keys.agent, tenant.keys.dashboard, tenant.keys.auditor]) {
      expect(codeOf(await connect(gateway, apiKey, { integrationId, ...CLIENT }))).toBe('FORBIDDEN');
    }
    for (const given of [
      { clientSecret: 'alone' },
      { ...CLIENT, credentialId: tenant.credentialId },
      { clientId: 'two words' },
      { clientId: 'x'.repeat(256) },
      { ...CLIENT, returnTo: 'https://evil.example/' },
      { ...CLIENT, returnTo: `/${'x'.repeat(2_048)}` },
    ]) {
      const answer = await connect(gateway, tenant.keys.admin, { integrationId, ...given });
      expect(codeOf(answer)).toBe('VALIDATION_FAILED');
      expect(JSON.stringify(answer.json)).not.toContain('evil');
    }
  });
});

describeOnBothDatabases('a connection that does not come about', (database) => {
  const house = useHouse(database);

  async function expectUntouched(integrationId: string, credentialId: string | null): Promise<void> {
    expect((await readIntegration(house(), integrationId)).credentialId).toBe(credentialId);
    expect(await callTicket(house(), integrationId)).toBe(200);
  }

  /** Deliveries of `DELETE tokens/current` that Zendesk has answered. */
  const revocations = (): number =>
    house().gateway.simulator.requests.entries.filter(
      ({ method, path, status }) => method === 'DELETE' && path.endsWith('/tokens/current') && status === 204,
    ).length;

  it('because access is denied is told, recorded, and leaves the credential as it was', async () => {
    const { gateway, tenant } = house();
    const { id, credentialId } = await addIntegration(house());
    const { page, connection } = await connectInBrowser(house(), id, {
      decision: 'deny',
      given: { ...CLIENT, returnTo: '/done#top' },
    });
    expect(connection).toMatchObject({
      status: 'DENIED',
      failure: { code: 'ACCESS_DENIED', ...CONNECT_FAILURES.ACCESS_DENIED },
    });
    expect(page.html).toContain('<h1>Not connected</h1>');
    expect(page.html).toContain('href="http://localhost:4000/done?connect_error=ACCESS_DENIED#top"');
    const [event] = (await newestEvents(gateway, tenant.keys.auditor))
      .filter(({ resource }) => resource === connection.id)
      .slice(-1);
    expect(event).toMatchObject({
      action: 'connection.complete',
      outcome: 'DENIED',
      denialReason: 'ACCESS_DENIED',
      actor: { type: 'API_KEY' },
    });
    await expectUntouched(id, credentialId);
  });

  it('because the state is forged, missing, twice there or malformed says so and changes nothing', async () => {
    const { gateway } = house();
    const calls = gateway.simulator.requests.total;
    const forged = 'A'.repeat(43);
    for (const query of [
      `state=${forged}&code=x`,
      `state=${forged}&state=${forged}&code=x`,
      'code=x',
      'state=<script>alert(1)</script>&code=x',
      `state=${'A'.repeat(44)}&code=x`,
      `state=${forged}&code=${'x'.repeat(9_000)}`,
      '',
    ]) {
      const page = await gateway.send(`/oauth/zendesk/callback?${query}`, { method: 'GET', ip: '192.0.2.1' });
      expect(page.status).toBe(401);
      expect(page.html).toContain('<h1>Nothing was connected</h1>');
      expect(page.html).not.toContain('script');
      expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    }
    expect(gateway.simulator.requests.total).toBe(calls);
  });

  it('because the state comes back again: it is good once, whoever comes first', async () => {
    const { gateway } = house();
    const { id } = await addIntegration(house());
    const begun = await begin(house(), id);
    const location = gateway.simulator.oauth.consent(begun.authorizationUrl);
    const pages = await Promise.all([1, 2, 3].map(() => comeBack(gateway, location)));
    expect(pages.map(({ status }) => status).toSorted()).toEqual([200, 401, 401]);
    const replayed = await comeBack(gateway, location);
    expect(replayed.status).toBe(401);
    expect(replayed.html).toContain('used before');
    expect((await readConnection(house(), begun.connection.id)).status).toBe('CONNECTED');
  });

  it('because ten minutes have gone by', async () => {
    const { gateway, clock } = house();
    const { id, credentialId } = await addIntegration(house());
    const begun = await begin(house(), id);
    const location = gateway.simulator.oauth.consent(begun.authorizationUrl);
    clock.advance(600_001);
    const page = await comeBack(gateway, location);
    expect(page.status).toBe(401);
    expect(page.html).toContain('ten minutes');
    expect((await readConnection(house(), begun.connection.id)).status).toBe('EXPIRED');
    await expectUntouched(id, credentialId);
  });

  it('because the API key that began it was revoked meanwhile', async () => {
    const { gateway, tenant } = house();
    const { id, credentialId } = await addIntegration(house());
    const made = await gateway.graphql(
      'mutation { createApiKey(input: { name: "brief", roles: [ADMIN] }) { secret apiKey { id } } }',
      { apiKey: tenant.keys.admin },
    );
    const { secret, apiKey } = made.json.data.createApiKey;
    const answer = await connect(gateway, secret, { integrationId: id, ...CLIENT });
    const { authorizationUrl, connection } = answer.json.data.connectZendesk;
    await gateway.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', {
      apiKey: tenant.keys.admin,
      variables: { id: apiKey.id },
    });
    const page = await comeBack(gateway, gateway.simulator.oauth.consent(authorizationUrl));
    expect(page.html).toContain('KEY_ENDED');
    expect(await readConnection(house(), connection.id)).toMatchObject({
      status: 'DENIED',
      failure: { code: 'KEY_ENDED' },
    });
    await expectUntouched(id, credentialId);
  });

  it('because another tenant asks: for it an integration, and a connection, is not there', async () => {
    const { gateway, tenant, other } = house();
    const { id } = await addIntegration(house());
    const begun = await begin(house(), id);
    expect(codeOf(await connect(gateway, other.keys.admin, { integrationId: id, ...CLIENT }))).toBe(
      'NOT_FOUND',
    );
    const asked = await gateway.graphql('query($id: ID!) { zendeskConnection(id: $id) { status } }', {
      apiKey: other.keys.admin,
      variables: { id: begun.connection.id },
    });
    expect(codeOf(asked)).toBe('NOT_FOUND');
    // Who can write the database moves the row to another tenant: what is sealed in it opens for its own alone.
    await gateway.store.withSystem('tenant-administration', (tx) =>
      tx
        .updateTable('zendesk_authorizations')
        .set({ tenant_id: other.id, integration_id: other.integrationId })
        .where('id', '=', begun.connection.id)
        .execute(),
    );
    const page = await comeBack(gateway, gateway.simulator.oauth.consent(begun.authorizationUrl));
    expect(page.status).toBe(500);
    expect(tenant.id).not.toBe(other.id);
    expect((await readIntegration({ gateway, tenant: other }, other.integrationId)).credentialId).toBe(
      other.credentialId,
    );
  });

  it('because the code was used before', async () => {
    const { gateway } = house();
    const { id, credentialId } = await addIntegration(house());
    const begun = await begin(house(), id);
    const location = gateway.simulator.oauth.consent(begun.authorizationUrl);
    await fetch(`${gateway.simulator.url}/oauth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ grant_type: 'authorization_code', code: new URL(location).searchParams.get('code') },
        ...{ client_id: CLIENT.clientId, client_secret: CLIENT.clientSecret },
      }),
    });
    await comeBack(gateway, location);
    expect(await readConnection(house(), begun.connection.id)).toMatchObject({
      status: 'FAILED',
      failure: { code: 'CODE_REFUSED' },
      leftAtZendeskUntil: null,
    });
    await expectUntouched(id, credentialId);
  });

  it.each([
    { who: 'an end user', email: 'customer@example.test', code: 'NOT_AN_AGENT' },
    { who: 'a suspended agent', email: 'suspended@example.test', code: 'SUSPENDED' },
  ])('because $who allowed it: what was granted is taken back', async ({ email, code }) => {
    const { id, credentialId } = await addIntegration(house());
    const before = revocations();
    const { connection, page } = await connectInBrowser(house(), id, { email });
    expect(connection).toMatchObject({ status: 'FAILED', failure: { code }, leftAtZendeskUntil: null });
    expect(page.html).toContain(code);
    expect(revocations()).toBe(before + 1);
    await expectUntouched(id, credentialId);
  });

  it.each([
    { who: 'a light agent', user: { id: 7, role: 'agent', role_type: 1 }, code: 'LIGHT_AGENT' },
    { who: 'a contributor', user: { id: 7, role: 'agent', role_type: 3 }, code: 'LIGHT_AGENT' },
    { who: 'nobody that is known', user: { id: null, name: 'Anonymous user' }, code: 'ANONYMOUS' },
    { who: 'a deleted user', user: { id: 7, role: 'agent', active: false }, code: 'SUSPENDED' },
  ])('because $who allowed it', async ({ user, code }) => {
    const { gateway } = house();
    const { id, credentialId } = await addIntegration(house());
    const before = revocations();
    gateway.simulator.faults.add({
      path: '/api/v2/users/me',
      count: 1,
      effect: { kind: 'status', status: 200, body: JSON.stringify({ user }) },
    });
    const { connection } = await connectInBrowser(house(), id);
    expect(connection).toMatchObject({ status: 'FAILED', failure: { code } });
    expect(revocations()).toBe(before + 1);
    await expectUntouched(id, credentialId);
  });

  it('because Zendesk drops a scope, which is named', async () => {
    const { gateway } = house();
    const { id, credentialId } = await addIntegration(house());
    const before = revocations();
    gateway.simulator.oauth.behave({ dropScopes: ['tickets:write'] });
    const { connection, page } = await connectInBrowser(house(), id);
    gateway.simulator.oauth.behave({});
    expect(connection.failure).toMatchObject({ code: 'SCOPE_MISSING', missingScopes: ['tickets:write'] });
    expect(page.html).toContain('Missing: tickets:write.');
    expect(revocations()).toBe(before + 1);
    await expectUntouched(id, credentialId);
  });

  it('because the OAuth client may not have the scopes', async () => {
    const { gateway } = house();
    const { id, credentialId } = await addIntegration(house());
    const begun = await begin(house(), id);
    const url = new URL(begun.authorizationUrl);
    url.searchParams.set('scope', 'impersonate');
    await comeBack(gateway, gateway.simulator.oauth.consent(url.href));
    expect((await readConnection(house(), begun.connection.id)).failure?.code).toBe('SCOPE_REFUSED');
    await expectUntouched(id, credentialId);
  });

  const NO_HELP_DESK = JSON.stringify({ error: { title: 'No help desk at acme.zendesk.com', message: '…' } });
  it.each([
    {
      what: 'there is no account at the subdomain',
      effect: { kind: 'status', status: 404, body: NO_HELP_DESK },
      code: 'WRONG_SUBDOMAIN',
      isLeft: false,
    },
    {
      what: 'the subdomain redirects',
      effect: { kind: 'status', status: 302, body: '' },
      code: 'WRONG_SUBDOMAIN',
      isLeft: false,
    },
    {
      what: 'the client is not accepted',
      effect: { kind: 'status', status: 401, body: '{"error":"invalid_client"}' },
      code: 'CLIENT_REFUSED',
      isLeft: false,
    },
    {
      what: 'the token endpoint is down',
      effect: { kind: 'status', status: 503 },
      code: 'UNREACHABLE',
      isLeft: true,
    },
    {
      what: 'Zendesk asks to pause',
      effect: { kind: 'rate-limited', retryAfter: 30 },
      code: 'UNREACHABLE',
      isLeft: false,
    },
    {
      what: 'the connection breaks after the exchange',
      effect: { kind: 'close', applied: true },
      code: 'UNREACHABLE',
      isLeft: true,
    },
    {
      what: 'the answer is a page',
      effect: { kind: 'html', status: 200 },
      code: 'UNUSABLE_ANSWER',
      isLeft: true,
    },
    {
      what: 'the answer holds no token',
      effect: { kind: 'status', status: 201, body: '{"token_type":"bearer"}' },
      code: 'UNUSABLE_ANSWER',
      isLeft: true,
    },
  ] as const)('because $what', async ({ effect, code, isLeft }) => {
    const { gateway } = house();
    const { id, credentialId } = await addIntegration(house());
    gateway.simulator.faults.add({ method: 'POST', path: '/oauth/tokens', count: 1, effect });
    const { connection, page } = await connectInBrowser(house(), id);
    expect(connection.failure?.code).toBe(code);
    expect(connection.leftAtZendeskUntil !== null).toBe(isLeft);
    expect(page.html?.includes('could not be taken back')).toBe(isLeft);
    await expectUntouched(id, credentialId);
  });

  it('because Zendesk cannot be asked whose account it is; where it cannot be told either, that is said', async () => {
    const { gateway } = house();
    const { id, credentialId } = await addIntegration(house());
    gateway.simulator.faults.add({ path: '/api/v2/users/me', effect: { kind: 'status', status: 500 } });
    gateway.simulator.faults.add({ method: 'DELETE', effect: { kind: 'status', status: 500 } });
    const { connection, page } = await connectInBrowser(house(), id);
    gateway.simulator.faults.clear();
    expect(connection).toMatchObject({ status: 'FAILED', failure: { code: 'UNREACHABLE' } });
    expect(connection.leftAtZendeskUntil).not.toBeNull();
    expect(page.html).toContain('could not be taken back');
    await expectUntouched(id, credentialId);
  });

  it('because the integration was deleted meanwhile', async () => {
    const { gateway, tenant } = house();
    const { id } = await addIntegration(house());
    const begun = await begin(house(), id);
    await gateway.graphql('mutation($id: ID!) { deleteIntegration(id: $id) { deletedId } }', {
      apiKey: tenant.keys.admin,
      variables: { id },
    });
    const page = await comeBack(gateway, gateway.simulator.oauth.consent(begun.authorizationUrl));
    expect(page.html).toContain('INTEGRATION_GONE');
    expect((await readConnection(house(), begun.connection.id)).failure?.code).toBe('INTEGRATION_GONE');
  });

  it('because too many wait already', async () => {
    const { gateway, other } = house();
    const given = { integrationId: other.integrationId, ...CLIENT };
    for (let count = 0; count < 20; count += 1) {
      expect(codeOf(await connect(gateway, other.keys.admin, given))).toBeNull();
    }
    expect(codeOf(await connect(gateway, other.keys.admin, given))).toBe('TOO_MANY_REQUESTS');
  });
});

describe('a gateway with an OAuth client of its own', () => {
  it('connects with that where no other is named', async () => {
    await using gateway = await openTestGateway({ zendeskClient: CLIENT });
    const tenant = await createTestTenant(gateway);
    const begun = await begin({ gateway, tenant }, tenant.integrationId, {});
    expect(new URL(begun.authorizationUrl).searchParams.get('client_id')).toBe(CLIENT.clientId);
    const page = await comeBack(gateway, gateway.simulator.oauth.consent(begun.authorizationUrl));
    expect(page.html).toContain('<h1>Connected</h1>');
  });

  it('answers strangers no faster than it answers strangers elsewhere', async () => {
    await using gateway = await openTestGateway();
    const ask = () => gateway.send('/oauth/zendesk/callback?state=x', { method: 'GET' });
    for (let count = 0; count < 60; count += 1) expect((await ask()).status).toBe(401);
    const limited = await ask();
    expect(limited.status).toBe(429);
    expect(limited.headers['retry-after']).toBeDefined();
    expect((await gateway.send('/oauth/zendesk/callback', { ip: '192.0.2.9' })).headers['allow']).toBe('GET');
  });
});
