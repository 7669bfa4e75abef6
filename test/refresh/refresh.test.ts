/** A pair of tokens that each refresh replaces: renewed once for all, in time, and never lost where that can be helped. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Log, type LogFields, SealdeskError, silentLog, systemClock } from '../../src/base/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import {
  createBudgetLedger,
  createZendeskConnections,
  type ZendeskConnections,
} from '../../src/proxy/index.ts';
import { keepConnected, openFeedRuntime, readAllConnections } from '../../src/service/index.ts';
import { openStore } from '../../src/store/index.ts';
import { openAccessToken, openKeyring, readAccessToken } from '../../src/vault/index.ts';
import { openAccountLimiters, openZendeskTransport } from '../../src/zendesk/index.ts';
import { openRig, type Rig, refusalOf } from '../proxy/rig.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import {
  connectionOf,
  issuePair,
  type Pair,
  type PairOptions,
  sealSecret,
  TOKEN_PATH,
  updateIntegration,
} from './pair.ts';

const DAY_MS = 86_400_000;

const tokenCalls = ({ gateway }: Rig): number =>
  gateway.simulator.requests.entries.filter(({ path }) => path === TOKEN_PATH).length;

describe('a pair of tokens', () => {
  let rig: Rig;
  const logged: string[] = [];
  const note = (message: string, fields?: LogFields): void => {
    logged.push(
      message,
      JSON.stringify(fields ?? {}, (_, value) =>
        value instanceof Error ? `${value.stack}${String(value.cause)}` : value,
      ),
    );
  };
  const log: Log = { ...silentLog, info: note, warn: note, error: note };

  beforeAll(async () => {
    rig = await openRig({ log });
  });
  afterEach(() => {
    rig.outage.end();
    rig.gateway.simulator.faults.clear();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const read = () => rig.tenant.proxy('get_ticket', { ticket_id: 7 });
  const connect = async (options: PairOptions = {}): Promise<Pair & { readonly credentialId: string }> => {
    const { gateway, tenant, clock } = rig;
    gateway.simulator.reset();
    const pair = issuePair(gateway.simulator, { now: clock.now(), ...options });
    const credentialId = await sealSecret(gateway, tenant, pair.secret);
    expect(await updateIntegration(gateway, tenant, { credentialId })).toBe('ACTIVE');
    return { ...pair, credentialId };
  };
  const stored = (credentialId: string) =>
    rig.gateway.store.withTenant(rig.tenant.id, (tx) =>
      readAccessToken(tx, { tenantId: rig.tenant.id, credentialId }),
    );
  const opened = async (credentialId: string) => {
    const sealed = (await stored(credentialId))?.sealed;
    if (sealed == null) throw new Error('No pair is stored');
    return openAccessToken({ keyring: rig.gateway.deps.keyring, sealed });
  };
  const onTokenCall = (work: () => void): Promise<void> =>
    rig.gateway.simulator
      .waitForRequest(({ path }) => path === TOKEN_PATH, { after: rig.gateway.simulator.requests.total })
      .then(work);

  it('is used as it was sealed while it lasts', async () => {
    const { credentialId } = await connect();
    expect((await read()).status).toBe(200);
    expect(tokenCalls(rig)).toBe(0);
    expect(await stored(credentialId)).toMatchObject({ sealed: null, version: 0, refresh: null });
  });

  it('is refreshed once for fifty calls at once, and the next time with what came of it', async () => {
    const { credentialId, ...first } = await connect({ expiresIn: 300 });
    const answers = await Promise.all(Array.from({ length: 50 }, read));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(tokenCalls(rig)).toBe(1);
    const second = await opened(credentialId);
    expect(second.access_token).not.toBe(first.accessToken);
    expect(second.refresh_token).not.toBe(first.refreshToken);
    rig.clock.advance(DAY_MS - 400_000);
    await read();
    expect(tokenCalls(rig)).toBe(1);
    rig.clock.advance(150_000);
    expect((await read()).status).toBe(200);
    expect(tokenCalls(rig)).toBe(2);
    expect((await opened(credentialId)).refresh_token).not.toBe(second.refresh_token);
    expect(await stored(credentialId)).toMatchObject({ version: 2, refresh: null });
  });

  it('is asked for with a life of its own, and renewed before 30 minutes are over where Zendesk tells none', async () => {
    const { credentialId } = await connect({ expiresIn: 300 });
    const { simulator } = rig.gateway;
    const next = issuePair(simulator, { now: rig.clock.now() });
    simulator.faults.add({
      path: TOKEN_PATH,
      count: 1,
      effect: {
        kind: 'status',
        status: 201,
        body: JSON.stringify({
          access_token: next.accessToken,
          refresh_token: next.refreshToken,
          token_type: 'bearer',
        }),
        contentType: 'application/json',
      },
    });
    expect((await read()).status).toBe(200);
    const expiresAt = (await stored(credentialId))?.expiresAt?.getTime() ?? 0;
    expect(expiresAt - rig.clock.now()).toBeLessThanOrEqual(1_800_000);
    rig.clock.advance(1_400_000);
    await read();
    expect(tokenCalls(rig)).toBe(1);
    rig.clock.advance(200_000);
    expect((await read()).status).toBe(200);
    expect(tokenCalls(rig)).toBe(2);
    // Told this time: both lives were asked for.
    const { connection } = await connectionOf(rig.gateway, rig.tenant);
    expect(Date.parse(String(connection['refreshTokenExpiresAt'])) - rig.clock.now()).toBeGreaterThan(
      89 * DAY_MS,
    );
    expect(Date.parse(String(connection['accessTokenExpiresAt'])) - rig.clock.now()).toBeGreaterThan(
      DAY_MS - 60_000,
    );
  });

  it('is refreshed once when Zendesk refuses it ahead of its end, and the call sent again', async () => {
    await connect();
    const calls = rig.calls('GET');
    rig.gateway.simulator.faults.add({
      method: 'GET',
      count: 1,
      effect: { kind: 'status', status: 401, body: '{}' },
    });
    expect((await read()).status).toBe(200);
    expect(tokenCalls(rig)).toBe(1);
    expect(rig.calls('GET') - calls).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ['fails', { kind: 'status', status: 500, body: '{"error":"kanarienvogel"}' }, 'UPSTREAM_UNAVAILABLE'],
    ['breaks off', { kind: 'close' }, 'UPSTREAM_UNAVAILABLE'],
    ['is silent', { kind: 'hang' }, 'UPSTREAM_UNAVAILABLE'],
    [
      'knows nobody',
      { kind: 'status', status: 401, body: '{"error":"Couldn\'t authenticate you"}' },
      'UPSTREAM_UNAUTHENTICATED',
    ],
  ] as const)('works on after a token endpoint that %s before it did anything', async (_, effect, code) => {
    const { credentialId } = await connect({ expiresIn: 20 });
    rig.gateway.simulator.faults.add({ path: TOKEN_PATH, count: 1, effect });
    expect(refusalOf(await read())).toMatchObject({ code });
    rig.clock.advance(2_000);
    expect((await read()).status).toBe(200);
    expect(await stored(credentialId)).toMatchObject({ version: 1, refresh: null });
  });

  it('whose answer was lost on the way is tried once more, and then known as lost in refresh', async () => {
    await connect({ expiresIn: 20 });
    rig.gateway.simulator.faults.add({
      path: TOKEN_PATH,
      count: 1,
      effect: { kind: 'close', applied: true },
    });
    expect(refusalOf(await read())).toMatchObject({ status: 503, code: 'UPSTREAM_UNAVAILABLE' });
    rig.clock.advance(2_000);
    const refusal = refusalOf(await read());
    expect(refusal).toMatchObject({ status: 424, code: 'NEEDS_RECONNECT' });
    expect(refusal.message).toContain(`sealdesk connect ${rig.tenant.integrationId}`);
    expect(tokenCalls(rig)).toBe(2);
    const { connection } = await connectionOf(rig.gateway, rig.tenant);
    expect(connection).toMatchObject({ status: 'NEEDS_RECONNECT', reconnectReason: 'LOST_IN_REFRESH' });
  });

  it('that is stored ends what was said of the one before it meanwhile', async () => {
    const { credentialId } = await connect({ expiresIn: 20 });
    rig.gateway.simulator.faults.add({ path: TOKEN_PATH, effect: { kind: 'latency', milliseconds: 250 } });
    const { gateway, tenant, clock } = rig;
    const { promise: marked, resolve } = Promise.withResolvers<void>();
    const arrived = onTokenCall(() =>
      gateway.store
        .withTenant(tenant.id, (tx) =>
          tx
            .updateTable('integrations')
            .set({
              ...{ status: 'NEEDS_RECONNECT', reconnect_reason: 'REFUSED' },
              reconnect_since: new Date(clock.now()),
            })
            .where('credential_id', '=', credentialId)
            .execute(),
        )
        .then(() => resolve()),
    );
    expect((await read()).status).toBe(200);
    await arrived;
    await marked;
    expect(await connectionOf(gateway, tenant)).toMatchObject({
      status: 'ACTIVE',
      connection: { status: 'CONNECTED', reconnectReason: null },
    });
  });

  it('that came while the database was away is stored when it is back', async () => {
    const { credentialId } = await connect({ expiresIn: 20 });
    let refused = 0;
    const arrived = onTokenCall(() =>
      rig.outage.begin(() => {
        refused += 1;
        if (refused === 5) rig.outage.end();
        return new SealdeskError('AUDIT_UNAVAILABLE', 'The database does not answer.');
      }),
    );
    const answer = await read();
    await arrived;
    expect(answer.status).toBe(200);
    expect(refused).toBe(5);
    expect(tokenCalls(rig)).toBe(1);
    expect(await stored(credentialId)).toMatchObject({ version: 1, refresh: null });
  });

  it('that could not be stored for five minutes is given up, which the next call says', async () => {
    await connect({ expiresIn: 20 });
    const began = rig.clock.now();
    const arrived = onTokenCall(() => rig.outage.begin());
    expect((await read()).status).toBe(503);
    await arrived;
    await vi.waitFor(() => expect(logged.join('\n')).toContain('given out and could not be stored'), 20_000);
    rig.outage.end();
    expect(rig.clock.now() - began).toBeGreaterThanOrEqual(300_000);
    expect(refusalOf(await read())).toMatchObject({ code: 'NEEDS_RECONNECT' });
    const { connection } = await connectionOf(rig.gateway, rig.tenant);
    expect(connection['reconnectReason']).toBe('LOST_IN_REFRESH');
  });

  it('that nobody uses is renewed before its refresh token ends, and one that lasts is left alone', async () => {
    const { credentialId } = await connect({ expiresIn: 300 });
    const { deps, connections } = rig.gateway;
    const renewed = connections.renewals.RENEWED;
    const look = () => keepConnected({ ...deps, connections }, new AbortController().signal);
    rig.clock.advance(10 * DAY_MS);
    await look();
    expect(tokenCalls(rig)).toBe(0);
    rig.clock.advance(10 * DAY_MS);
    await look();
    expect(tokenCalls(rig)).toBe(1);
    expect(await stored(credentialId)).toMatchObject({ version: 1 });
    await look();
    expect(tokenCalls(rig)).toBe(1);
    expect(connections.renewals.RENEWED).toBe(renewed + 1);
  });

  it('is kept up also while its integration is switched off', async () => {
    const { credentialId } = await connect({ expiresIn: 300 });
    const { gateway, tenant } = rig;
    const { deps, connections } = gateway;
    expect(await updateIntegration(gateway, tenant, { enabled: false })).toBe('DISABLED');
    rig.clock.advance(20 * DAY_MS);
    await keepConnected({ ...deps, connections }, new AbortController().signal);
    expect(await stored(credentialId)).toMatchObject({ version: 1 });
    const { ends } = await readAllConnections(deps);
    expect(ends).toEqual([{ integrationId: tenant.integrationId, seconds: expect.any(Number) }]);
    expect(await updateIntegration(gateway, tenant, { enabled: true })).toBe('ACTIVE');
    expect((await read()).status).toBe(200);
  });

  it('shows nothing of itself in rows and logs', async () => {
    const { credentialId, accessToken, refreshToken } = await connect({ expiresIn: 20 });
    await read();
    const now = await opened(credentialId);
    const rows = await rig.gateway.store.withTenant(rig.tenant.id, async (tx) => ({
      tokens: await tx.selectFrom('access_tokens').selectAll().execute(),
      secrets: await tx.selectFrom('credential_secrets').selectAll().execute(),
    }));
    const bytes = [...rows.tokens, ...rows.secrets]
      .flatMap(Object.values)
      .map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)));
    const all = [...bytes, ...logged].join('\n');
    for (const secret of [accessToken, refreshToken, now.access_token, now.refresh_token ?? '']) {
      expect(secret).not.toBe('');
      expect(all.includes(secret)).toBe(false);
    }
  });
});

describeOnBothDatabases('two gateways over one database', (kind) => {
  it('refresh a pair once for all their calls, also where it is over', async () => {
    await using rig = await openRig({ database: kind, clock: systemClock });
    const { gateway, tenant } = rig;
    await using resources = new AsyncDisposableStack();
    const { secret } = issuePair(gateway.simulator, { expiresIn: 10 });
    const credentialId = await sealSecret(gateway, tenant, secret);
    await updateIntegration(gateway, tenant, { credentialId });
    // PGlite serves one process: there the second gateway shares the store, and nothing else.
    const { connectionString } = gateway;
    const store =
      connectionString === null
        ? gateway.store
        : resources.use(await openStore({ location: { kind: 'postgres', connectionString } }));
    const keyring = resources.use(openKeyring({ store, kms: gateway.deps.kms, suite: createNodeSuite() }));
    const feed = resources.use(await openFeedRuntime({ store, keyring, clock: systemClock, log: silentLog }));
    const second = createZendeskConnections({
      ...{ store, keyring, clock: systemClock, log: silentLog, onTokens: feed.onTokens },
      transport: resources.use(openZendeskTransport()),
      limiters: resources.use(openAccountLimiters({ ledger: createBudgetLedger(store), clock: systemClock })),
      originTemplate: gateway.simulator.url,
    });
    gateway.simulator.faults.add({ path: TOKEN_PATH, effect: { kind: 'latency', milliseconds: 250 } });
    const target = { tenantId: tenant.id, subdomain: 'acme', credentialId };
    const ask = (connections: ZendeskConnections) =>
      connections
        .clientFor(target)
        .request({ method: 'GET', path: '/api/v2/tickets/7.json', mutation: false });
    const both = [gateway.deps.connections, second];
    const askAll = () =>
      Promise.all(Array.from({ length: 50 }, (_, index) => ask(both[index % 2] ?? second)));
    expect(new Set((await askAll()).map(({ status }) => status))).toEqual(new Set([200]));
    expect(tokenCalls(rig)).toBe(1);
    // Refused by Zendesk: it is the first refresh for one, the other finds the next pair there.
    gateway.simulator.faults.add({
      method: 'GET',
      count: 2,
      effect: { kind: 'status', status: 401, body: '{}' },
    });
    expect(new Set((await askAll()).map(({ status }) => status))).toEqual(new Set([200]));
    expect(tokenCalls(rig)).toBe(2);
  });
});
