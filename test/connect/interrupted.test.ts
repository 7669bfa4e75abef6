/**
 * A process dies between two steps of the callback. Either another goes on and the account is connected, or the row
 * says what may be left at Zendesk; nothing is lost unseen. And nothing of it lies in the clear at any step.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findUnattended } from '../../src/proxy/index.ts';
import { createPinoLog } from '../../src/server/index.ts';
import { sweepConnections } from '../../src/service/index.ts';
import { dumpTables, findWords } from '../leaks/canaries.ts';
import { type House, newestEvents, openHouse } from '../service/house.ts';
import { type FailingKms, openFailingKms } from '../support/failing-kms.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { wrappedStore } from '../support/wrapped-store.ts';
import {
  addIntegration,
  begin,
  CLIENT,
  callTicket,
  comeBack,
  connect,
  readConnection,
  readIntegration,
  unseal,
} from './connecting.ts';

/** As long as a process is taken to be alive, and a little more. */
const DEAD_MS = 121_000;

describeOnBothDatabases('a process that dies while it connects an account', (database) => {
  const lines: string[] = [];
  /** The transaction of the callback at which it dies, from 1; none where it is 0. */
  let diesAt = 0;
  let seen = 0;
  let house: House;
  let kms: FailingKms;

  beforeAll(async () => {
    kms = await openFailingKms();
    house = await openHouse(database, {
      kms,
      log: createPinoLog('debug', { write: (line) => void lines.push(line) }),
      wrapStore: (store) =>
        wrappedStore(store, {
          withTenant: (tenantId, work) => {
            seen += 1;
            return diesAt > 0 && seen >= diesAt
              ? Promise.reject(new Error('The process has died'))
              : store.withTenant(tenantId, work);
          },
        }),
    });
  }, 60_000);
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
    await kms[Symbol.asyncDispose]();
  });

  /** The browser comes back, and the process dies at its `at`-th transaction; `isCutOff` reaches Zendesk no more either. */
  async function dieAt(at: number, authorizationUrl: string, isCutOff = true): Promise<string> {
    const { gateway } = house;
    const location = gateway.simulator.oauth.consent(authorizationUrl);
    if (isCutOff) gateway.simulator.faults.add({ method: 'DELETE', effect: { kind: 'close' } });
    seen = 0;
    diesAt = at;
    const page = await comeBack(gateway, location);
    diesAt = 0;
    gateway.simulator.faults.clear();
    expect(page.status).toBe(500);
    // From the third on the tokens are put away.
    expect(page.html).toContain(at < 3 ? '<h1>Nothing was connected</h1>' : '<h1>Not finished yet</h1>');
    return location;
  }

  async function sweepLater(milliseconds = DEAD_MS): Promise<void> {
    house.clock.advance(milliseconds);
    await sweepConnections(house.gateway.deps);
  }

  it('before the state is used up has lost nothing: the browser may come back', async () => {
    const { id } = await addIntegration(house);
    const begun = await begin(house, id);
    const location = await dieAt(1, begun.authorizationUrl);
    await comeBack(house.gateway, location);
    expect((await readConnection(house, begun.connection.id)).status).toBe('CONNECTED');
  });

  it('between exchange and safe-keeping leaves a record of tokens that nobody holds', async () => {
    const { gateway, tenant } = house;
    const { id, credentialId } = await addIntegration(house);
    const begun = await begin(house, id);
    await dieAt(2, begun.authorizationUrl);
    expect((await readConnection(house, begun.connection.id)).status).toBe('UNDER_WAY');
    await sweepConnections(gateway.deps);
    expect((await readConnection(house, begun.connection.id)).status).toBe('UNDER_WAY');
    await sweepLater();
    expect(await readConnection(house, begun.connection.id)).toMatchObject({
      status: 'FAILED',
      failure: { code: 'INTERRUPTED' },
      leftAtZendeskUntil: expect.any(String),
    });
    const events = await newestEvents(gateway, tenant.keys.auditor);
    expect(events.findLast(({ resource }) => resource === begun.connection.id)).toMatchObject({
      action: 'connection.complete',
      outcome: 'FAILED',
      denialReason: 'INTERRUPTED',
      actor: { type: 'API_KEY' },
    });
    expect((await readIntegration(house, id)).credentialId).toBe(credentialId);
    expect(await callTicket(house, id)).toBe(200);
  });

  it('that cannot put the tokens away takes them back while it still has them', async () => {
    const { id } = await addIntegration(house);
    const begun = await begin(house, id);
    const { requests } = house.gateway.simulator;
    const before = requests.entries.filter(({ method }) => method === 'DELETE').length;
    await dieAt(2, begun.authorizationUrl, false);
    const revoked = requests.entries.filter(({ method }) => method === 'DELETE').slice(before);
    expect(revoked.map(({ status }) => status)).toEqual([204]);
  });

  it.each([3, 4])('after safe-keeping (transaction %d) is followed by another that goes on', async (at) => {
    const { gateway } = house;
    const { id, credentialId } = await addIntegration(house);
    const begun = await begin(house, id);
    await dieAt(at, begun.authorizationUrl);
    expect(lines.join('\n')).toContain('A connection could not be finished yet');
    expect((await readIntegration(house, id)).credentialId).toBe(credentialId);
    house.clock.advance(DEAD_MS);
    await Promise.all([1, 2, 3].map(() => sweepConnections(gateway.deps)));
    const connection = await readConnection(house, begun.connection.id);
    expect(connection).toMatchObject({ status: 'CONNECTED', replacedCredentialId: credentialId });
    expect((await readIntegration(house, id)).credentialId).toBe(connection.credentialId);
    expect(await callTicket(house, id)).toBe(200);
  });

  it('after all was done has only kept the page from being seen', async () => {
    const { id } = await addIntegration(house);
    const begun = await begin(house, id);
    await dieAt(5, begun.authorizationUrl);
    expect((await readConnection(house, begun.connection.id)).status).toBe('CONNECTED');
  });

  it('is followed by another that judges anew, and gives up after six hours', async () => {
    const { gateway } = house;
    const { id, credentialId } = await addIntegration(house);
    const begun = await begin(house, id);
    await dieAt(3, begun.authorizationUrl);
    gateway.simulator.faults.add({
      path: '/api/v2/users/me',
      count: 1,
      effect: { kind: 'status', status: 200, body: '{"user":{"id":7,"role":"end-user"}}' },
    });
    await sweepLater();
    expect((await readConnection(house, begun.connection.id)).failure?.code).toBe('NOT_AN_AGENT');
    const late = await begin(house, id);
    await dieAt(3, late.authorizationUrl);
    await sweepLater(6 * 3_600_000);
    expect(await readConnection(house, late.connection.id)).toMatchObject({
      failure: { code: 'INTERRUPTED' },
      leftAtZendeskUntil: null,
    });
    expect((await readIntegration(house, id)).credentialId).toBe(credentialId);
  });

  it('is followed by none once the API key that began has ended: what was granted is taken back', async () => {
    const { gateway, tenant } = house;
    const { id, credentialId } = await addIntegration(house);
    const made = await gateway.graphql(
      'mutation { createApiKey(input: { name: "brief", roles: [ADMIN] }) { secret apiKey { id } } }',
      { apiKey: tenant.keys.admin },
    );
    const { secret, apiKey } = made.json.data.createApiKey;
    const begun = await connect(gateway, secret, { integrationId: id, ...CLIENT });
    const { authorizationUrl, connection } = begun.json.data.connectZendesk;
    await dieAt(3, authorizationUrl);
    await gateway.graphql('mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', {
      apiKey: tenant.keys.admin,
      variables: { id: apiKey.id },
    });
    await sweepLater();
    expect(await readConnection(house, connection.id)).toMatchObject({
      status: 'DENIED',
      failure: { code: 'KEY_ENDED' },
      leftAtZendeskUntil: null,
    });
    expect((await readIntegration(house, id)).credentialId).toBe(credentialId);
  });

  it('tells the browser why it is not finished where the KMS goes away in between, and whom to ask', async () => {
    const { gateway } = house;
    const { id } = await addIntegration(house);
    const begun = await begin(house, id);
    const location = gateway.simulator.oauth.consent(begun.authorizationUrl);
    // Keys are at hand for some minutes: they age while the account is looked at.
    const looked = gateway.simulator
      .waitForRequest(({ path }) => path.startsWith('/api/v2/users/me'), {
        after: gateway.simulator.requests.total,
      })
      .then(() => {
        kms.down = true;
        house.clock.advance(360_000);
      });
    const page = await comeBack(gateway, location);
    await looked;
    kms.down = false;
    expect(page.status).toBe(503);
    expect(page.html).toContain('<h1>Not finished yet</h1>');
    expect(page.html).toContain('KMS_UNAVAILABLE');
    expect(page.html).toContain(begun.connection.id);
    expect((await readConnection(house, begun.connection.id)).status).toBe('UNDER_WAY');
    await sweepLater();
    expect((await readConnection(house, begun.connection.id)).status).toBe('CONNECTED');
  });

  it('is left to a later round while the KMS does not answer, and holds up no other', async () => {
    const { gateway, clock } = house;
    const { id } = await addIntegration(house);
    const begun = await begin(house, id);
    await dieAt(3, begun.authorizationUrl);
    kms.down = true;
    await sweepLater();
    kms.down = false;
    const unattended = await gateway.store.withSystem('connection-sweep', (tx) =>
      findUnattended(tx, { now: new Date(clock.now()), limit: 1 }),
    );
    expect(unattended).toEqual([]);
    await sweepLater();
    expect((await readConnection(house, begun.connection.id)).status).toBe('CONNECTED');
  });

  it('costs the KMS nothing when its answer comes back again', async () => {
    const { gateway } = house;
    const { id } = await addIntegration(house);
    const begun = await begin(house, id);
    const location = gateway.simulator.oauth.consent(begun.authorizationUrl);
    await comeBack(gateway, location);
    // Refused requests are counted in the log of the installation, whose keys are in memory then.
    await comeBack(gateway, location);
    const { calls } = kms;
    expect(calls).toBeGreaterThan(0);
    expect((await comeBack(gateway, location)).html).toContain('used before');
    expect(kms.calls).toBe(calls);
  });

  it('leaves nothing in the clear, in no table and no log, at any step', async () => {
    const { gateway } = house;
    const { id } = await addIntegration(house);
    const begun = await begin(house, id, { ...CLIENT, returnTo: '/a-place-of-its-own' });
    const state = new URL(begun.authorizationUrl).searchParams.get('state') ?? '';
    const dumps = [await dumpTables(gateway.store)];
    const location = await dieAt(3, begun.authorizationUrl);
    dumps.push(await dumpTables(gateway.store));
    await sweepLater();
    const { credentialId } = await readConnection(house, begun.connection.id);
    const held = await unseal(house, credentialId ?? '');
    dumps.push(await dumpTables(gateway.store));
    const words = [
      state,
      new URL(location).searchParams.get('code') ?? '',
      CLIENT.clientSecret,
      String(held['access_token']),
      String(held['refresh_token']),
      'a-place-of-its-own',
    ];
    expect(words.every((word) => word.length >= 16)).toBe(true);
    for (const written of [...dumps, lines.join('\n')]) expect(findWords(written, words)).toEqual([]);
    // Else the search would be blind.
    expect(findWords(dumps[1] ?? '', [begun.connection.id])).toHaveLength(1);
  });

  it('and one that nobody came back for: its secrets are gone when its time is, the record a day later', async () => {
    const { gateway } = house;
    const { id } = await addIntegration(house);
    const begun = await begin(house, id);
    const secretsOf = () =>
      gateway.store.withSystem('tenant-administration', (tx) =>
        tx
          .selectFrom('zendesk_authorizations')
          .select(['secrets', 'status'])
          .where('id', '=', begun.connection.id)
          .execute(),
      );
    expect((await secretsOf())[0]?.secrets).not.toBeNull();
    await sweepLater(600_001);
    expect(await secretsOf()).toEqual([{ secrets: null, status: 'EXPIRED' }]);
    await sweepLater(86_400_000);
    expect(await secretsOf()).toEqual([]);
  });
});
