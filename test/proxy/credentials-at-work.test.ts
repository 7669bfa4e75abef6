/** Credentials in use: what expires, what testIntegration says, and that one account's go to no other. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CUSTOMER_EMAIL, SUSPENDED_EMAIL } from '../../simulator/account.ts';
import type { FaultEffect } from '../../simulator/faults.ts';
import { ADMIN_EMAIL, DEFAULT_API_TOKEN } from '../../simulator/index.ts';
import { dataOf } from '../support/tenant.ts';
import { NEW_TICKET, openRig, type Rig, refusalOf } from './rig.ts';

const basic = (username: string, password = DEFAULT_API_TOKEN) => ({
  type: 'BASIC_AUTH',
  secret: { username, password },
});
const bearer = (secret: object) => ({ type: 'OAUTH2_TOKEN', secret });

describe('credentials at work', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });
  afterEach(() => {
    rig.gateway.simulator.faults.clear();
    rig.clock.advance(60_000);
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const mutate = (document: string, variables: object) =>
    rig.gateway.graphql(document, { apiKey: rig.tenant.keys.admin, variables });
  const SEAL =
    'mutation($input: SealCredentialInput!) { sealCredential(input: $input) { credential { id } } }';
  const CREATE =
    'mutation($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } } }';
  const UPDATE =
    'mutation($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { id } } }';
  const TEST = 'mutation($id: ID!) { testIntegration(id: $id) { ok reason message remedy } }';

  async function seal(input: object): Promise<string> {
    const data: { sealCredential?: { credential: { id: string } } } = dataOf(await mutate(SEAL, { input }));
    return data.sealCredential?.credential.id ?? '';
  }
  const createWith = (credentialId: string, subdomain = 'acme') =>
    mutate(CREATE, {
      input: {
        systemType: 'ZENDESK',
        config: { subdomain },
        credentialId,
        allowedOperations: ['get_ticket', 'create_ticket'],
      },
    });
  async function integrate(credential: object, subdomain?: string): Promise<string> {
    const data: { createIntegration?: { integration: { id: string } } } = dataOf(
      await createWith(await seal(credential), subdomain),
    );
    return data.createIntegration?.integration.id ?? '';
  }
  const create = (integrationId: string) =>
    rig.gateway.send('/api/v2/proxy/outbound', {
      apiKey: rig.tenant.keys.agent,
      json: { integration_id: integrationId, operation: 'create_ticket', payload: NEW_TICKET },
    });
  const test = async (integrationId: string) =>
    dataOf(await mutate(TEST, { id: integrationId }))['testIntegration'] ?? {
      ok: null,
      message: '',
      remedy: '',
    };

  it.each([
    ['whose time of the vault has come', (at: string) => ({ ...basic(ADMIN_EMAIL), expiresAt: at })],
    [
      'that is a token which ends by itself',
      (at: string) => bearer({ access_token: 'demo-access-token-not-secret', expires_at: at }),
    ],
  ])('one %s works before, is CREDENTIAL_EXPIRED after, and is never sent then', async (_, credential) => {
    const integrationId = await integrate(credential(new Date(rig.clock.now() + 600_000).toISOString()));
    expect((await create(integrationId)).status).toBe(200);
    rig.clock.advance(600_001);
    const before = rig.calls();
    const refusal = refusalOf(await create(integrationId));
    expect(refusal).toMatchObject({
      status: 424,
      code: 'CREDENTIAL_EXPIRED',
      details: { mutation: 'NOT_SENT' },
    });
    expect(await rig.statusOf(refusal.details.intentId)).toMatchObject({ state: 'FAILED' });
    expect((await mutate(TEST, { id: integrationId })).json.errors[0].extensions.code).toBe(
      'CREDENTIAL_EXPIRED',
    );
    expect(rig.calls()).toBe(before);
  });

  it.each([
    ['a wrong token', basic(ADMIN_EMAIL, 'no-such-token'), 'REFUSED'],
    ['an end user', basic(CUSTOMER_EMAIL), 'NOT_AN_AGENT'],
    ['a suspended agent', basic(SUSPENDED_EMAIL), 'SUSPENDED'],
    ['an expired bearer token', bearer({ access_token: 'demo-expired-token-not-secret' }), 'REFUSED'],
    [
      'a wrong OAuth client',
      { type: 'OAUTH2_CLIENT', secret: { client_id: 'sealdesk_demo', client_secret: 'no-such-secret' } },
      'REFUSED',
    ],
  ])('testIntegration says of %s what is wrong and what to do', async (_, credential, reason) => {
    const result = await test(await integrate(credential));
    expect(result).toMatchObject({ ok: false, reason });
    for (const text of [result.message, result.remedy]) expect(text).toMatch(/^[A-Z].*\.$/);
  });

  it.each<[FaultEffect, string]>([
    [
      { kind: 'status', status: 404, body: '{"error":{"title":"No help desk at acme.zendesk.com"}}' },
      'NO_HELP_DESK',
    ],
    [
      { kind: 'status', status: 200, body: '{"user":{"id":null,"name":"Anonymous user","role":"end-user"}}' },
      'ANONYMOUS',
    ],
    [{ kind: 'close' }, 'UNREACHABLE'],
    [{ kind: 'hang' }, 'UNREACHABLE'],
    [{ kind: 'html', status: 502 }, 'UNREACHABLE'],
    [
      { kind: 'status', status: 200, body: '<h1>Hotel WLAN</h1>', contentType: 'text/html' },
      'UNUSABLE_ANSWER',
    ],
    [{ kind: 'status', status: 301, body: '' }, 'REDIRECTED'],
    [{ kind: 'rate-limited', retryAfter: 120 }, 'RATE_LIMITED'],
    [{ kind: 'status', status: 403, body: '{"error":"Forbidden"}' }, 'FORBIDDEN'],
  ])('testIntegration says of %o that it is %s', async (effect, reason) => {
    rig.gateway.simulator.faults.add({ effect });
    expect(await test(rig.tenant.integrationId)).toMatchObject({ ok: false, reason });
    rig.clock.advance(120_000);
  });

  it.each([
    ['a basic credential', basic(ADMIN_EMAIL)],
    ['a bearer token', bearer({ access_token: 'demo-access-token-not-secret' })],
    [
      'an OAuth client',
      {
        type: 'OAUTH2_CLIENT',
        secret: { client_id: 'sealdesk_demo', client_secret: 'demo-client-secret-not-secret' },
      },
    ],
  ])('testIntegration accepts %s that works', async (_, credential) => {
    expect(await test(await integrate(credential))).toMatchObject({ ok: true, reason: null });
  });

  it('of one account are refused to an integration of another, made or changed', async () => {
    const { tenant } = rig;
    const codeOf = (answer: Awaited<ReturnType<typeof mutate>>) => answer.json.errors?.[0].extensions.code;
    expect(codeOf(await createWith(tenant.credentialId, 'evil'))).toBe('CONFLICT');
    const other = await integrate(basic(ADMIN_EMAIL), 'other');
    const change = { id: other, credentialId: tenant.credentialId };
    expect(codeOf(await mutate(UPDATE, { input: change }))).toBe('CONFLICT');
    // For the same account it is free to use.
    expect(codeOf(await createWith(tenant.credentialId))).toBeUndefined();
  });

  it('are taken by one of two integrations of different accounts that reach for one at once', async () => {
    const credentialId = await seal(basic(ADMIN_EMAIL));
    const answers = await Promise.all(['one', 'two', 'three'].map((name) => createWith(credentialId, name)));
    const codes = answers.map(({ json }) => json.errors?.[0].extensions.code ?? 'made').sort();
    expect(codes).toEqual(['CONFLICT', 'CONFLICT', 'made']);
  });

  it('that are missing, gone or of no use to Zendesk are named as that', async () => {
    const bare = await integrate({ type: 'API_KEY', secret: { api_key: 'k' } });
    expect(refusalOf(await create(bare))).toMatchObject({ status: 409, details: { mutation: 'NOT_SENT' } });
    const data: { createIntegration?: { integration: { id: string } } } = dataOf(
      await mutate(CREATE, {
        input: { systemType: 'ZENDESK', config: { subdomain: 'acme' }, allowedOperations: ['create_ticket'] },
      }),
    );
    const refusal = refusalOf(await create(data.createIntegration?.integration.id ?? ''));
    expect(refusal).toMatchObject({ status: 409, code: 'CONFLICT' });
    expect(refusal.details).not.toHaveProperty('intentId');
  });
});
