/** A connection that Zendesk does not accept any more: said to everybody, asked no more, and mended by an admin. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ADMIN_EMAIL, DEFAULT_API_TOKEN } from '../../simulator/index.ts';
import { NEW_TICKET, openRig, type Rig, refusalOf } from '../proxy/rig.ts';
import { sealedGraphql } from '../support/sealed-graphql.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { dataOf } from '../support/tenant.ts';
import { connectionOf, issuePair, rotateCredential, sealSecret, updateIntegration } from './pair.ts';

const BASIC = { username: ADMIN_EMAIL, password: DEFAULT_API_TOKEN };
const NOBODY = { status: 401, kind: 'status', body: '{"error":"Couldn\'t authenticate you"}' } as const;

describeOnBothDatabases('a connection that Zendesk refuses', (kind) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({ database: kind });
  });
  afterEach(() => rig.gateway.simulator.faults.clear());
  afterAll(() => rig[Symbol.asyncDispose]());

  const read = () => rig.tenant.proxy('get_ticket', { ticket_id: 7 });
  const connection = () => connectionOf(rig.gateway, rig.tenant);
  const update = (change: object) => updateIntegration(rig.gateway, rig.tenant, change);
  const assign = async (secret: object, type?: string): Promise<string> => {
    const credentialId = await sealSecret(rig.gateway, rig.tenant, secret, type);
    expect(await update({ credentialId })).toBe('ACTIVE');
    return credentialId;
  };
  const assignPair = (expiresIn?: number) => {
    const { secret } = issuePair(rig.gateway.simulator, {
      now: rig.clock.now(),
      ...(expiresIn === undefined ? {} : { expiresIn }),
    });
    return assign(secret);
  };
  /** A pair that Zendesk has forgotten. */
  const assignRevoked = async (): Promise<string> => {
    const { secret, accessToken } = issuePair(rig.gateway.simulator, { now: rig.clock.now() });
    const credentialId = await assign(secret);
    rig.gateway.simulator.revokeAccessToken(accessToken);
    return credentialId;
  };
  const told = async () =>
    (await rig.events()).filter(({ action }) => action === 'integration.lose-connection');

  it('turns at invalid_grant, once for a crowd, and nothing more is sent', async () => {
    const credentialId = await assignRevoked();
    const before = (await told()).length;
    const answers = await Promise.all(Array.from({ length: 20 }, read));
    for (const answer of answers) {
      expect(refusalOf(answer)).toMatchObject({
        status: 424,
        code: 'NEEDS_RECONNECT',
        details: { retryable: false, subject: rig.tenant.integrationId },
      });
    }
    const events = (await told()).slice(before);
    expect(events).toMatchObject([
      {
        actor: { type: 'SYSTEM', id: 'zendesk-connection' },
        outcome: 'FAILED',
        denialReason: 'REFUSED',
        integrationId: rig.tenant.integrationId,
        resource: credentialId,
      },
    ]);
    const calls = rig.calls();
    for (let round = 0; round < 3; round += 1) {
      rig.clock.advance(600_000);
      expect(refusalOf(await read()).code).toBe('NEEDS_RECONNECT');
      expect(refusalOf(await rig.tenant.proxy('create_ticket', NEW_TICKET))).toMatchObject({
        code: 'NEEDS_RECONNECT',
      });
    }
    expect(rig.calls()).toBe(calls);
    expect((await told()).length).toBe(before + 1);
  });

  it('says why and what to do: to the caller with a link, and in the graph', async () => {
    await assignRevoked();
    const refusal = refusalOf(await read());
    const { integrationId } = rig.tenant;
    const mend = `http://localhost:4000/oauth/zendesk/reconnect/${integrationId}`;
    expect(refusal.message).toContain(`sealdesk connect ${integrationId}`);
    expect(refusal.details.mend).toBe(mend);
    const { result } = await sealedGraphql(
      rig.gateway,
      rig.tenant,
      'query($id: ID!) { integration(id: $id) { ticket(id: "7") { id } } }',
      { variables: { id: integrationId } },
    );
    expect(result).toMatchObject({ errors: [{ extensions: { code: 'NEEDS_RECONNECT', mend } }] });
    const state = await connection();
    expect(state).toMatchObject({
      status: 'NEEDS_RECONNECT',
      connection: { status: 'NEEDS_RECONNECT', credentialType: 'OAUTH2_TOKEN', reconnectReason: 'REFUSED' },
    });
    expect(state.connection['remedy']).toContain(`sealdesk connect ${integrationId}`);
    expect(Date.parse(String(state.connection['reconnectSince']))).toBeLessThanOrEqual(rig.clock.now());
  });

  it('turns where a fresh token is refused as well, after one refresh and one repetition', async () => {
    await assignPair();
    rig.gateway.simulator.faults.add({ method: 'GET', effect: NOBODY });
    const [gets, posts] = [rig.calls('GET'), rig.calls('POST')];
    expect(refusalOf(await rig.tenant.proxy('list_users', {}))).toMatchObject({ code: 'NEEDS_RECONNECT' });
    // With the question who is calling.
    expect([rig.calls('GET') - gets, rig.calls('POST') - posts]).toEqual([3, 1]);
  });

  it.each([
    ['a pair', null],
    ['an API token', BASIC],
  ])('does not turn where %s is refused for one thing and known all the same', async (_, secret) => {
    await (secret === null ? assignPair() : assign(secret, 'BASIC_AUTH'));
    rig.gateway.simulator.faults.add({ method: 'GET', path: '/api/v2/tickets/**', effect: NOBODY });
    const before = (await told()).length;
    expect(refusalOf(await read())).toMatchObject({ status: 502, code: 'UPSTREAM_UNAUTHENTICATED' });
    expect((await connection()).status).toBe('ACTIVE');
    rig.gateway.simulator.faults.clear();
    expect((await read()).status).toBe(200);
    expect((await told()).length).toBe(before);
  });

  it.each([
    ['an API token', BASIC, 'BASIC_AUTH'],
    ['a token without a refresh token', { access_token: 'demo-access-token-not-secret' }, 'OAUTH2_TOKEN'],
  ])('turns where %s is refused twice, with a remedy of its kind', async (_, secret, type) => {
    await assign(secret, type);
    rig.gateway.simulator.faults.add({ method: 'GET', count: 1, effect: NOBODY });
    expect((await rig.tenant.proxy('list_users', {})).status).toBe(200);
    rig.gateway.simulator.faults.add({ method: 'GET', effect: NOBODY });
    const calls = rig.calls();
    expect(refusalOf(await rig.tenant.proxy('list_users', {}))).toMatchObject({ code: 'NEEDS_RECONNECT' });
    expect(rig.calls() - calls).toBe(3);
    rig.gateway.simulator.faults.clear();
    expect(refusalOf(await read()).code).toBe('NEEDS_RECONNECT');
    expect(rig.calls() - calls).toBe(3);
    const { connection: told } = await connection();
    expect(told).toMatchObject({ reconnectReason: 'REFUSED', restsOnApiToken: type === 'BASIC_AUTH' });
    expect(told['remedy']).toContain(
      type === 'BASIC_AUTH' ? 'Move to OAuth: sealdesk connect' : 'sealdesk connect',
    );
  });

  it('is told by testIntegration without asking Zendesk', async () => {
    await assignRevoked();
    await read();
    const calls = rig.calls();
    const { testIntegration } = dataOf(
      await rig.gateway.graphql(
        'mutation($id: ID!) { testIntegration(id: $id) { ok reason message remedy } }',
        {
          apiKey: rig.tenant.keys.admin,
          variables: { id: rig.tenant.integrationId },
        },
      ),
    );
    expect(testIntegration).toMatchObject({ ok: false, reason: 'NEEDS_RECONNECT' });
    expect(rig.calls()).toBe(calls);
  });

  it('is mended by another secret of its credential', async () => {
    const credentialId = await assignRevoked();
    await read();
    const { secret } = issuePair(rig.gateway.simulator, { now: rig.clock.now() });
    await rotateCredential(rig.gateway, rig.tenant, credentialId, secret);
    expect((await read()).status).toBe(200);
    expect(await connection()).toMatchObject({
      status: 'ACTIVE',
      connection: { status: 'CONNECTED', reconnectReason: null, reconnectSince: null, remedy: null },
    });
  });

  it('is mended by another credential, and by nothing else', async () => {
    await assignRevoked();
    await read();
    expect(await update({ enabled: false })).toBe('DISABLED');
    expect(refusalOf(await read())).toMatchObject({ code: 'CONFLICT' });
    expect(await update({ enabled: true })).toBe('NEEDS_RECONNECT');
    expect(await update({ name: 'Another name' })).toBe('NEEDS_RECONNECT');
    expect(refusalOf(await read())).toMatchObject({ code: 'NEEDS_RECONNECT' });
    await assign(BASIC, 'BASIC_AUTH');
    expect((await read()).status).toBe(200);
  });

  it('is tried once more where an admin names the same credential again', async () => {
    const credentialId = await assignRevoked();
    await read();
    expect(await update({ credentialId })).toBe('ACTIVE');
    const calls = rig.calls();
    expect(refusalOf(await read())).toMatchObject({ code: 'NEEDS_RECONNECT' });
    expect(rig.calls() - calls).toBe(2);
  });

  it('ends by itself where its refresh token was not used in time, and says so', async () => {
    await assignPair();
    rig.clock.advance(31 * 86_400_000);
    expect(refusalOf(await read())).toMatchObject({ code: 'NEEDS_RECONNECT' });
    expect((await connection()).connection['reconnectReason']).toBe('EXPIRED');
  });

  it('is not turned by what an older credential was refused', async () => {
    const { secret, accessToken } = issuePair(rig.gateway.simulator, { now: rig.clock.now() });
    const credentialId = await assign(secret);
    rig.gateway.simulator.revokeAccessToken(accessToken);
    const next = issuePair(rig.gateway.simulator, { now: rig.clock.now() });
    rig.gateway.simulator.faults.add({
      path: '/oauth/tokens',
      effect: { kind: 'latency', milliseconds: 150 },
    });
    const arrived = rig.gateway.simulator.waitForRequest(({ path }) => path === '/oauth/tokens', {
      after: rig.gateway.simulator.requests.total,
    });
    const late = read();
    await arrived;
    await rotateCredential(rig.gateway, rig.tenant, credentialId, next.secret);
    expect((await late).status).not.toBe(200);
    expect((await read()).status).toBe(200);
    expect((await connection()).status).toBe('ACTIVE');
  });
});
