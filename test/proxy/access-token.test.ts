/** The token of an OAuth client: fetched once for all, renewed in time, survived by crashes and outages. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_OAUTH_CLIENT, DEFAULT_OAUTH_SECRET } from '../../simulator/options.ts';
import { silentLog, systemClock } from '../../src/base/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { RENEWAL_PATIENCE_MS } from '../../src/proxy/access-token.ts';
import {
  clearReconnect,
  createBudgetLedger,
  createZendeskConnections,
  type ZendeskConnections,
} from '../../src/proxy/index.ts';
import { PAUSE_MS } from '../../src/proxy/renew-token.ts';
import { openStore } from '../../src/store/index.ts';
import {
  claimTokenRefresh,
  openAccessToken,
  openKeyring,
  pauseTokenRefresh,
  readAccessToken,
} from '../../src/vault/index.ts';
import { openAccountLimiters, openZendeskTransport } from '../../src/zendesk/index.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { dataOf } from '../support/tenant.ts';
import { NEW_TICKET, openRig, type Rig, type RigOptions, refusalOf } from './rig.ts';

const DAY_MS = 86_400_000;
const clientSecret = (secret = DEFAULT_OAUTH_SECRET) => ({
  type: 'OAUTH2_CLIENT',
  secret: { client_id: DEFAULT_OAUTH_CLIENT, client_secret: secret },
});
/** Fifty calls at once take their time where the machine is busy. */
const transport = { headersTimeout: 1_000 };
const openOauthRig = (options: RigOptions = {}): Promise<Rig> =>
  openRig({ transport, ...options, tenant: { credential: clientSecret() } });

const fetches = ({ gateway }: Rig): number =>
  gateway.simulator.requests.entries.filter(({ path }) => path === '/oauth/tokens').length;

/** What is stored for the tenant's credential. */
const storedToken = ({ gateway, tenant }: Rig) =>
  gateway.store.withTenant(tenant.id, (tx) =>
    readAccessToken(tx, { tenantId: tenant.id, credentialId: tenant.credentialId }),
  );

async function tokenText(rig: Rig): Promise<string> {
  const sealed = (await storedToken(rig))?.sealed;
  if (sealed == null) throw new Error('there is no token');
  return (await openAccessToken({ keyring: rig.gateway.deps.keyring, sealed })).access_token;
}

describe('the access token of an OAuth client', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openOauthRig();
  });
  beforeEach(async () => {
    rig.gateway.simulator.faults.clear();
    // Each test begins without a token.
    const { id: tenantId, credentialId } = rig.tenant;
    await rig.gateway.store.withTenant(tenantId, async (tx) => {
      await tx.deleteFrom('access_tokens').execute();
      await clearReconnect(tx, { tenantId, credentialId });
    });
    rig.gateway.simulator.reset();
  });
  afterEach(() => rig.outage.end());
  afterAll(() => rig[Symbol.asyncDispose]());

  const read = () => rig.tenant.proxy('get_ticket', { ticket_id: 7 });
  const onCall = (path: string, work: () => unknown): Promise<void> =>
    rig.gateway.simulator
      .waitForRequest((request) => request.path === path, { after: rig.gateway.simulator.requests.total })
      .then(work)
      .then(() => undefined);
  const onTokenCall = (work: () => void): Promise<void> => onCall('/oauth/tokens', work);
  /** As another process takes the turn. */
  const claim = (tokenVersion: number) => {
    const { id: tenantId, credentialId } = rig.tenant;
    const now = rig.clock.now();
    const [attempt, until] = ['a process that died', new Date(now + 60_000)];
    return rig.gateway.store.withTenant(tenantId, (tx) =>
      claimTokenRefresh(tx, {
        ...{ tenantId, credentialId, credentialVersion: 1, tokenVersion, attempt, until },
        now: new Date(now),
      }),
    );
  };

  it('is fetched once for fifty calls at once, and kept sealed', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, read));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(fetches(rig)).toBe(1);
    const token = await tokenText(rig);
    const stored = await storedToken(rig);
    expect(Buffer.from(stored?.sealed?.sealed ?? []).includes(token)).toBe(false);
  });

  it('is renewed ahead of its end, while the old one would still do', async () => {
    await read();
    const first = await tokenText(rig);
    rig.clock.advance(DAY_MS - 400_000);
    await read();
    expect(fetches(rig)).toBe(1);
    rig.clock.advance(150_000);
    expect((await read()).status).toBe(200);
    expect(fetches(rig)).toBe(2);
    expect(await tokenText(rig)).not.toBe(first);
  });

  it('serves on while a renewal ahead of time fails, and no call fails before its end', async () => {
    await read();
    rig.clock.advance(DAY_MS - 200_000);
    rig.gateway.simulator.faults.add({ path: '/oauth/tokens', effect: { kind: 'status', status: 503 } });
    expect((await read()).status).toBe(200);
    rig.clock.advance(180_000);
    expect(refusalOf(await read())).toMatchObject({ status: 503, code: 'UPSTREAM_UNAVAILABLE' });
    rig.gateway.simulator.faults.clear();
    rig.clock.advance(PAUSE_MS.most);
    expect((await read()).status).toBe(200);
  });

  it('holds no call up that has one while its endpoint is silent, and comes all the same', async () => {
    await using slow = await openOauthRig({ transport: { headersTimeout: 10_000 } });
    const { simulator } = slow.gateway;
    const ask = async () => (await slow.tenant.proxy('get_ticket', { ticket_id: 7 })).status;
    expect(await ask()).toBe(200);
    slow.clock.advance(DAY_MS - 200_000);
    simulator.faults.add({ path: '/oauth/tokens', effect: { kind: 'latency', milliseconds: 3_000 } });
    const arrived = simulator.waitForRequest(({ path }) => path === '/oauth/tokens', {
      after: simulator.requests.total,
    });
    const first = ask();
    await arrived;
    slow.clock.advance(RENEWAL_PATIENCE_MS);
    expect([await first, await ask()]).toEqual([200, 200]);
    expect(await storedToken(slow)).toMatchObject({ version: 1 });
    await vi.waitFor(async () => expect(await storedToken(slow)).toMatchObject({ version: 2 }), 10_000);
    expect(fetches(slow)).toBe(2);
  });

  it('is not asked for again before the time that its endpoint names, and all are told at once', async () => {
    rig.gateway.simulator.faults.add({
      path: '/oauth/tokens',
      effect: { kind: 'rate-limited', retryAfter: 40 },
    });
    const told = async () => refusalOf(await read());
    for (const refusal of [...(await Promise.all(Array.from({ length: 10 }, told))), await told()]) {
      expect(refusal).toMatchObject({ status: 503, code: 'UPSTREAM_RATE_LIMITED' });
    }
    rig.clock.advance(15_000);
    expect((await told()).details.retryAfter).toBeLessThanOrEqual(25);
    expect(fetches(rig)).toBe(1);
    rig.gateway.simulator.faults.clear();
    rig.clock.advance(25_000);
    expect((await read()).status).toBe(200);
    expect(fetches(rig)).toBe(2);
  });

  it('is not asked for while another process found that its endpoint wants a pause', async () => {
    const { id: tenantId, credentialId } = rig.tenant;
    expect((await claim(0)).kind).toBe('claimed');
    const until = new Date(rig.clock.now() + 30_000);
    const attempt = 'a process that died';
    expect(
      await rig.gateway.store.withTenant(tenantId, (tx) =>
        pauseTokenRefresh(tx, { tenantId, credentialId, attempt, until }),
      ),
    ).toBe(true);
    const refusal = refusalOf(await read());
    expect(refusal).toMatchObject({ status: 503, code: 'UPSTREAM_UNAVAILABLE' });
    expect(refusal.details.retryAfter).toBeLessThanOrEqual(30);
    expect(fetches(rig)).toBe(0);
    rig.clock.advance(30_000);
    expect((await read()).status).toBe(200);
  });

  it('is fetched anew once when Zendesk refuses it, for all who were refused', async () => {
    await read();
    rig.gateway.simulator.revokeAccessToken(await tokenText(rig));
    const answers = await Promise.all(Array.from({ length: 20 }, read));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(fetches(rig)).toBe(2);
  });

  it('is not thrown away by a sibling request that was refused with the old one, later', async () => {
    await read();
    const { gateway, tenant } = rig;
    gateway.simulator.revokeAccessToken(await tokenText(rig));
    gateway.simulator.faults.add({
      path: '/api/v2/tickets/8',
      count: 1,
      effect: { kind: 'latency', milliseconds: 200 },
    });
    const client = gateway.deps.connections.clientFor({
      tenantId: tenant.id,
      subdomain: 'acme',
      credentialId: tenant.credentialId,
    });
    const answers = await Promise.all(
      [7, 8].map((id) =>
        client.request({ method: 'GET', path: `/api/v2/tickets/${id}.json`, mutation: false }),
      ),
    );
    expect(answers.map(({ status, calls }) => [status, calls])).toEqual([
      [200, 2],
      [200, 2],
    ]);
    expect(fetches(rig)).toBe(2);
  });

  it('is not given up where its renewal failed for a sibling request that was refused with it', async () => {
    await read();
    const { gateway, tenant } = rig;
    gateway.simulator.revokeAccessToken(await tokenText(rig));
    gateway.simulator.faults.add({
      path: '/oauth/tokens',
      count: 1,
      effect: { kind: 'status', status: 500 },
    });
    gateway.simulator.faults.add({
      path: '/api/v2/tickets/8',
      effect: { kind: 'latency', milliseconds: 250 },
    });
    const client = gateway.deps.connections.clientFor({
      tenantId: tenant.id,
      subdomain: 'acme',
      credentialId: tenant.credentialId,
    });
    const ends = await Promise.allSettled(
      [7, 8].map((id) =>
        client.request({ method: 'GET', path: `/api/v2/tickets/${id}.json`, mutation: false }),
      ),
    );
    expect(ends).toMatchObject(
      ends.map(() => ({ status: 'rejected', reason: { code: 'UPSTREAM_UNAVAILABLE' } })),
    );
    rig.clock.advance(PAUSE_MS.most);
    expect((await read()).status).toBe(200);
    expect(fetches(rig)).toBe(3);
  });

  it('that is refused again is not given up while another process renews it', async () => {
    await read();
    const { faults } = rig.gateway.simulator;
    faults.add({ path: '/api/v2/users/me', effect: { kind: 'latency', milliseconds: 250 } });
    faults.add({ method: 'GET', effect: { kind: 'status', status: 401, body: '{}' } });
    let claimed: unknown;
    const arrived = onCall('/api/v2/users/me', async () => {
      claimed = (await claim(2)).kind;
    });
    expect(refusalOf(await read())).toMatchObject({ code: 'UPSTREAM_UNAUTHENTICATED' });
    await arrived;
    expect(claimed).toBe('claimed');
    faults.clear();
    expect((await read()).status).toBe(200);
  });

  it('that is refused again after a fresh fetch ends the calls until an admin acts, and is not a loop', async () => {
    await read();
    const before = rig.calls('GET');
    rig.gateway.simulator.faults.add({ method: 'GET', effect: { kind: 'status', status: 401, body: '{}' } });
    const refusal = refusalOf(await rig.tenant.proxy('list_users', {}));
    expect(refusal).toMatchObject({ status: 424, code: 'NEEDS_RECONNECT' });
    expect(fetches(rig)).toBe(2);
    // The call, its repetition, and the question who is calling.
    expect(rig.calls('GET') - before).toBe(3);
  });

  it('is waited for while another process fetches it, who is replaced when dead for a minute', async () => {
    const { tenant, clock } = rig;
    expect((await claim(0)).kind).toBe('claimed');
    const refusal = refusalOf(await tenant.proxy('create_ticket', NEW_TICKET));
    expect(refusal).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', details: { mutation: 'NOT_SENT' } });
    expect(fetches(rig)).toBe(0);
    clock.advance(60_000);
    expect((await read()).status).toBe(200);
    expect(fetches(rig)).toBe(1);
  });

  it('that could not be stored is fetched again when the claim on it has ended', async () => {
    const arrived = onTokenCall(() => rig.outage.begin());
    const refusal = refusalOf(await read());
    await arrived;
    rig.outage.end();
    expect(refusal).toMatchObject({ status: 503, code: 'AUDIT_UNAVAILABLE' });
    expect(await storedToken(rig)).toMatchObject({ sealed: null, version: 0 });
    rig.clock.advance(60_000);
    expect((await read()).status).toBe(200);
    expect(await storedToken(rig)).toMatchObject({ version: 1, refresh: null });
  });

  it('is fetched to the end for the others when the caller who began goes away', async () => {
    const leaving = new AbortController();
    const { gateway, tenant } = rig;
    const arrived = onTokenCall(() => leaving.abort(new Error('The client went away')));
    const begun = gateway.send('/api/v2/proxy/outbound', {
      apiKey: tenant.keys.agent,
      signal: leaving.signal,
      json: { integration_id: tenant.integrationId, operation: 'get_ticket', payload: { ticket_id: 7 } },
    });
    const other = read();
    await arrived;
    expect(refusalOf(await begun).code).toBe('UPSTREAM_UNAVAILABLE');
    expect((await other).status).toBe(200);
    expect(fetches(rig)).toBe(1);
  });

  it('goes with its credential’s rotation', async () => {
    const { gateway, tenant } = rig;
    await read();
    dataOf(
      await gateway.graphql(
        'mutation($input: RotateCredentialInput!) { rotateCredential(input: $input) { credential { version } } }',
        {
          apiKey: tenant.keys.admin,
          variables: { input: { id: tenant.credentialId, secret: clientSecret().secret } },
        },
      ),
    );
    expect(await storedToken(rig)).toBeNull();
    expect((await read()).status).toBe(200);
    expect(fetches(rig)).toBe(2);
  });

  it.each([
    [
      'the secret is wrong',
      clientSecret('no-such-secret'),
      424,
      'NEEDS_RECONNECT',
      'does not accept the credential',
    ],
    [
      'the scope is not its own',
      { ...clientSecret(), secret: { ...clientSecret().secret, scope: 'impersonate' } },
      502,
      'UPSTREAM_FORBIDDEN',
      'scope',
    ],
  ])('is not to be had where %s, and the words are plain', async (_, credential, status, code, words) => {
    await using wrong = await openRig({ tenant: { credential } });
    const refusal = refusalOf(await wrong.tenant.proxy('create_ticket', NEW_TICKET));
    expect(refusal).toMatchObject({ status, code, details: { mutation: 'NOT_SENT' } });
    expect(refusal.message).toContain(words);
  });

  it.each([
    ['fails', { kind: 'status', status: 500, body: '{"error":"kanarienvogel"}' }],
    ['is silent', { kind: 'hang' }],
    ['breaks off', { kind: 'close' }],
    ['talks HTML', { kind: 'status', status: 200, body: '<p>kanarienvogel</p>', contentType: 'text/html' }],
  ] as const)('is UPSTREAM_UNAVAILABLE while its endpoint %s, and the claim is given back', async (_, effect) => {
    rig.gateway.simulator.faults.add({ path: '/oauth/tokens', effect });
    expect(refusalOf(await read())).toMatchObject({ status: 503, code: 'UPSTREAM_UNAVAILABLE' });
    expect(await storedToken(rig)).toMatchObject({ refresh: null });
    rig.gateway.simulator.faults.clear();
    rig.clock.advance(PAUSE_MS.most);
    expect((await read()).status).toBe(200);
  });
});

describeOnBothDatabases('two gateways over one database', (kind) => {
  it('fetch one token for all their calls', async () => {
    await using rig = await openOauthRig({ database: kind, clock: systemClock });
    const { gateway, tenant } = rig;
    await using resources = new AsyncDisposableStack();
    // PGlite serves one process: there the second gateway shares the store, and nothing else.
    const { connectionString } = gateway;
    const store =
      connectionString === null
        ? gateway.store
        : resources.use(await openStore({ location: { kind: 'postgres', connectionString } }));
    const { kms } = gateway.deps;
    const second = createZendeskConnections({
      store,
      keyring: resources.use(openKeyring({ store, kms, suite: createNodeSuite() })),
      transport: resources.use(openZendeskTransport()),
      limiters: resources.use(openAccountLimiters({ ledger: createBudgetLedger(store), clock: systemClock })),
      originTemplate: gateway.simulator.url,
      clock: systemClock,
      log: silentLog,
    });
    gateway.simulator.faults.add({ path: '/oauth/tokens', effect: { kind: 'latency', milliseconds: 250 } });
    const target = { tenantId: tenant.id, subdomain: 'acme', credentialId: tenant.credentialId };
    const ask = (connections: ZendeskConnections) =>
      connections
        .clientFor(target)
        .request({ method: 'GET', path: '/api/v2/tickets/7.json', mutation: false });
    const both = [gateway.deps.connections, second];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => ask(both[index % 2] ?? second)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(fetches(rig)).toBe(1);
    // A refusal too is repaired once.
    gateway.simulator.revokeAccessToken(await tokenText(rig));
    await Promise.all(Array.from({ length: 20 }, (_, index) => ask(both[index % 2] ?? second)));
    expect(fetches(rig)).toBe(2);
  });
});
