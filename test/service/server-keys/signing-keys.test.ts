/** Changing the key that signs a tenant's envelopes, as its clients live through it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  clientKeyFromFile,
  createClient,
  EnvelopeOpenError,
  encodeKeyFile,
  type SealdeskClient,
  type WelcomedKeyFile,
} from '../../../src/client/index.ts';
import { extendPins, parseSigningKeyDocument, parseSigningKeys } from '../../../src/envelope/index.ts';
import { createNobleSuite } from '../../../src/envelope/noble.ts';
import { openFeedDesk, takeChanges } from '../../feed/delivery/feed-desk.ts';
import type { TestGateway } from '../../support/gateway.ts';
import { describeOnBothDatabases, describeOnPostgres } from '../../support/store.ts';
import { createTestApiKey, createTestTenant, fetchFrom, openTestClientKey } from '../../support/tenant.ts';
import { codeOf, MovableClock, newestEvents } from '../house.ts';
import { change, DAY, doctorOf, type KeyHouse, MINUTE, openKeyHouse, statusOf, work } from './key-house.ts';

const suite = createNobleSuite();

/** The SDK with the tenant's key as the file has it, and how often it read keys.json. */
async function openClient(gateway: TestGateway, clock: MovableClock, keyFile: WelcomedKeyFile) {
  const read = { documents: 0 };
  const clientKey = await clientKeyFromFile(encodeKeyFile(keyFile));
  if (clientKey.state !== 'WELCOMED') throw new TypeError('The key of a test tenant is welcomed');
  const client = createClient({
    url: keyFile.gateway,
    clientKey,
    now: () => clock.now(),
    fetch: (input, init) => {
      if (String(input).endsWith('/keys.json')) read.documents += 1;
      return fetchFrom(gateway, input, init);
    },
  });
  return { client, read };
}

const documentOf = async (gateway: TestGateway, tenantId: string) =>
  (await gateway.send(`/.well-known/sealdesk/${tenantId}/keys.json`, { method: 'GET' })).json;

describeOnBothDatabases('a signing key', (database) => {
  const resources = new AsyncDisposableStack();
  let house: KeyHouse;
  let client: SealdeskClient;
  let read: { documents: number };

  beforeAll(async () => {
    house = resources.use(await openKeyHouse(database));
  });
  afterAll(() => resources.disposeAsync());

  /** A tenant of its own, so that no test inherits another's keys. */
  async function begin(): Promise<KeyHouse> {
    const [gateway] = house.gateways;
    const own = { ...house, tenant: await createTestTenant(gateway) };
    ({ client, read } = await openClient(gateway, house.clock, own.tenant.keyFile));
    return own;
  }
  const answerOf = async ({ tenant }: KeyHouse): Promise<unknown> => {
    const { status, json } = await tenant.proxy('get_ticket', { ticket_id: 1 });
    expect(status).toBe(200);
    return json;
  };
  const signerOf = async (envelope: unknown): Promise<string> =>
    (await client.encryption.decrypt(envelope)).header.signing_kid;
  const actionsOf = async ({ gateways: [gateway], tenant }: KeyHouse) =>
    (await newestEvents(gateway, tenant.keys.auditor, 60)).map(({ action, outcome }) => [action, outcome]);

  it('is published a day before it signs, and clients follow it by themselves', async () => {
    const own = await begin();
    const { clock, tenant, gateways } = own;
    const [first = ''] = (await statusOf(own)).signingKeys.map(({ kid }) => kid);
    const before = await answerOf(own);
    const began = clock.now();
    const { signingKey } = (await change(own, 'rotateSigningKey')).json.data.rotateSigningKey;
    expect(signingKey).toMatchObject({ status: 'PENDING' });
    const notBefore = Date.parse(signingKey.notBefore);
    expect(Math.abs(notBefore - began - DAY)).toBeLessThan(60_000);

    const document = await documentOf(gateways[0], tenant.id);
    expect(document.keys.map(({ kid, status }: Record<string, unknown>) => [kid, status])).toEqual([
      [first, 'ACTIVE'],
      [signingKey.kid, 'PENDING'],
    ]);
    const parsed = await parseSigningKeyDocument(suite, document);
    const pins = parseSigningKeys(suite, tenant.keyFile.signing_keys) ?? [];
    if (parsed === null) throw new Error('The document is one of ours');
    const followed = await extendPins(suite, { tenantId: tenant.id, pins, document: parsed });
    expect(followed.map(({ kid, notBefore: from }) => [kid, from])).toEqual([
      [first, expect.any(Number)],
      [signingKey.kid, notBefore / 1000],
    ]);

    const [gateway] = gateways;
    // Who registers meanwhile is welcomed with both.
    const newcomer = await openTestClientKey(gateway, tenant.keys.admin, tenant.keys.admin);
    expect(newcomer.signing_keys).toMatchObject([{ status: 'ACTIVE' }, { status: 'PENDING' }]);
    clock.advance(notBefore - clock.now() - 5_000);
    expect(await signerOf(await answerOf(own))).toBe(first);
    expect(read.documents).toBe(0);
    clock.advance(5_000);
    const after = await answerOf(own);
    expect(await signerOf(after)).toBe(signingKey.kid);
    expect(await signerOf(before)).toBe(first);
    expect(read.documents).toBe(1);
    const { json } = await tenant.proxy(
      'get_ticket',
      { ticket_id: 1 },
      {
        apiKey: await createTestApiKey(gateway, tenant.keys.admin, {
          ...{ roles: ['AGENT'], clientKeyId: newcomer.key_id },
        }),
      },
    );
    const welcomed = await openClient(gateway, clock, newcomer);
    const opened = await welcomed.client.encryption.decrypt(json);
    expect([opened.header.signing_kid, welcomed.read.documents]).toEqual([signingKey.kid, 0]);
    const then = await documentOf(gateway, tenant.id);
    expect(then.keys).toMatchObject([
      { kid: first, status: 'RETIRED', not_after: notBefore / 1000 - 1 },
      { kid: signingKey.kid, status: 'ACTIVE', not_before: notBefore / 1000, not_after: null },
    ]);
  });

  it('is settled in the background, and the seed of the former one destroyed some minutes later', async () => {
    const own = await begin();
    const [gateway] = own.gateways;
    await change(own, 'rotateSigningKey');
    own.clock.advance(DAY + 2_000);
    const seeds = () =>
      gateway.store.withTenant(own.tenant.id, (tx) =>
        tx.selectFrom('tenant_secrets').select('version').where('purpose', '=', 'envelope-signing').execute(),
      );
    await work(gateway.deps);
    expect(await seeds()).toHaveLength(2);
    own.clock.advance(11 * MINUTE);
    await work(gateway.deps);
    expect(await seeds()).toEqual([{ version: 2 }]);
    expect((await statusOf(own)).signingKeys.map(({ status }) => status)).toEqual(['RETIRED', 'ACTIVE']);
    expect(await signerOf(await answerOf(own))).toBe((await statusOf(own)).signingKeys[1]?.kid);
    const actions = await actionsOf(own);
    for (const action of ['signing-key.rotate', 'signing-key.begin', 'signing-key.destroy']) {
      expect(actions).toContainEqual([action, 'SUCCEEDED']);
    }
  });

  it('cannot be followed by another while it is pending', async () => {
    const own = await begin();
    expect(codeOf(await change(own, 'rotateSigningKey', { as: 'operator' }))).toBeNull();
    expect(codeOf(await change(own, 'rotateSigningKey'))).toBe('CONFLICT');
    expect((await statusOf(own)).signingKeys).toHaveLength(2);
  });

  it('is made once, of two that are asked for at the same time', async () => {
    const own = await begin();
    const answers = await Promise.all([change(own, 'rotateSigningKey'), change(own, 'rotateSigningKey')]);
    expect(answers.map(codeOf).toSorted()).toEqual(['CONFLICT', null]);
    expect((await statusOf(own)).signingKeys).toHaveLength(2);
  });

  it('of more than a year is told of by the doctor, until another signs', async () => {
    const own = await begin();
    const [gateway] = own.gateways;
    await gateway.store.withSystem('health', (tx) =>
      tx
        .updateTable('signing_keys')
        .set({ not_before: new Date(Date.now() - 400 * DAY) })
        .where('tenant_id', '=', own.tenant.id)
        .execute(),
    );
    expect(await doctorOf(own, null)).toMatch(/^Server keys: 1 tenant signs with a key older than a year\./);
    await change(own, 'rotateSigningKey');
    expect(await doctorOf(own, null)).not.toContain('older than a year');
  });

  it('can be taken back until ten minutes before it signs', async () => {
    const own = await begin();
    const { clock } = own;
    expect(codeOf(await change(own, 'cancelSigningKeyRotation'))).toBe('CONFLICT');
    await change(own, 'rotateSigningKey');
    const { signingKey } = (await change(own, 'cancelSigningKeyRotation')).json.data.cancelSigningKeyRotation;
    expect(signingKey).toMatchObject({ status: 'REVOKED' });
    const document = await documentOf(own.gateways[0], own.tenant.id);
    expect(document.transitions).toEqual([]);
    const [first] = (await statusOf(own)).signingKeys;
    clock.advance(DAY + 2_000);
    expect(await signerOf(await answerOf(own))).toBe(first?.kid);

    expect(codeOf(await change(own, 'rotateSigningKey'))).toBeNull();
    clock.advance(DAY - 9 * MINUTE);
    expect(codeOf(await change(own, 'cancelSigningKeyRotation'))).toBe('CONFLICT');
    clock.advance(10 * MINUTE);
    expect(await signerOf(await answerOf(own))).toBe((await statusOf(own)).signingKeys[2]?.kid);
  });

  it('that others may know is revoked at once, and nothing leads to the next one', async () => {
    const own = await begin();
    const { tenant, gateways, clock } = own;
    const [gateway] = gateways;
    const before = await answerOf(own);
    await change(own, 'rotateSigningKey');
    const { signingKey } = (await change(own, 'rotateSigningKey', { args: 'now: true' })).json.data
      .rotateSigningKey;
    expect(signingKey).toMatchObject({ status: 'ACTIVE' });
    const { signingKeys } = await statusOf(own);
    expect(signingKeys.map(({ status, succeeds }) => [status, succeeds !== null])).toEqual([
      ['REVOKED', false],
      ['REVOKED', true],
      ['ACTIVE', false],
    ]);
    const after = await answerOf(own);
    await expect(signerOf(after)).rejects.toThrow(EnvelopeOpenError);
    // Who has read of the revocation believes the revoked key no more, whatever it signed.
    await expect(signerOf(before)).rejects.toThrow(EnvelopeOpenError);
    expect(read.documents).toBe(1);

    const { keys } = await documentOf(gateway, tenant.id);
    const pinned = keys.filter(({ kid }: { readonly kid: string }) => kid === signingKey.kid);
    const anew = await openClient(gateway, clock, { ...tenant.keyFile, signing_keys: pinned });
    expect((await anew.client.encryption.decrypt(after)).header.signing_kid).toBe(signingKey.kid);
    // One entry for each of the two: the key that signed and the one that was pending.
    const revocations = (await actionsOf(own)).filter(([action]) => action === 'signing-key.revoke');
    expect(revocations).toEqual([
      ['signing-key.revoke', 'SUCCEEDED'],
      ['signing-key.revoke', 'SUCCEEDED'],
    ]);
  });

  // Eighteen changes are the same on either database.
  if (database === 'postgres') return;
  it('is followed through more changes than keys.json has room for, by who reads it now and then', async () => {
    const own = await begin();
    const { keyFile } = own.tenant;
    for (let turn = 0; turn < 18; turn += 1) {
      expect(codeOf(await change(own, 'rotateSigningKey'))).toBeNull();
      own.clock.advance(DAY + 2_000);
      const envelope = await answerOf(own);
      expect(await signerOf(envelope)).toBe((await statusOf(own)).signingKeys.at(-1)?.kid);
    }
    const document = await documentOf(own.gateways[0], own.tenant.id);
    expect(document.keys).toHaveLength(16);
    expect(document.keys.at(-1)).toMatchObject({ status: 'ACTIVE' });
    // A client that slept through all of them finds no way to the present key.
    const late = await openClient(own.gateways[0], own.clock, keyFile);
    await expect(late.client.encryption.decrypt(await answerOf(own))).rejects.toThrow(EnvelopeOpenError);
  });
});

describeOnPostgres('a signing key of several processes', () => {
  it('signs in all of them from the same moment on, whatever each has in memory', async () => {
    await using house = await openKeyHouse('postgres', 2);
    const { clock, tenant, gateways } = house;
    const signers = async (): Promise<string[]> => {
      const kids: string[] = [];
      for (const gateway of gateways) {
        const { json } = await gateway.send('/api/v2/proxy/outbound', {
          apiKey: tenant.keys.agent,
          json: { integration_id: tenant.integrationId, operation: 'get_ticket', payload: { ticket_id: 1 } },
        });
        const header = Buffer.from(json.encrypted.protected, 'base64').toString();
        kids.push(JSON.parse(header).signing_kid);
      }
      return kids;
    };
    const [first] = await signers();
    const { signingKey } = (await change(house, 'rotateSigningKey')).json.data.rotateSigningKey;
    clock.advance(Date.parse(signingKey.notBefore) - clock.now() - 5_000);
    expect(await signers()).toEqual([first, first]);
    const held = await Promise.all(gateways.map(({ deps }) => deps.keyring.keysOf(tenant.id)));
    clock.advance(5_000);
    expect(await signers()).toEqual([signingKey.kid, signingKey.kid]);
    const now = Math.floor(clock.now() / 1000);
    // Work that began before the change and is sealed after it is signed by the new key, too.
    expect(held.map((keys) => keys.signingKeyAt(now).kid)).toEqual([signingKey.kid, signingKey.kid]);
    expect(held.map((keys) => keys.signingKeyAt(now - 60).kid)).toEqual([first, first]);

    const at = await Promise.all(gateways.map(({ deps }) => work(deps)));
    expect(at).toHaveLength(2);
    expect((await statusOf(house)).signingKeys.map(({ status }) => status)).toEqual(['RETIRED', 'ACTIVE']);
  });
});

describeOnBothDatabases('a change feed across a change of the signing key', (database) => {
  it('goes on in the same session, and every entry opens', async () => {
    const clock = new MovableClock();
    await using desk = await openFeedDesk(database, { clock });
    const { gateway, tenant } = desk;
    const { client } = await openClient(gateway, clock, tenant.keyFile);
    const session = await desk.openSession();
    const stop = new AbortController();
    const place = { integrationId: tenant.integrationId, after: null };
    const events = await session.subscribe(place, stop.signal);
    const { value: position } = await events.next();
    await desk.append(1, 2);
    const { json } = await gateway.graphql('mutation { rotateSigningKey { signingKey { kid } } }', {
      apiKey: tenant.keys.admin,
    });
    const { kid } = json.data.rotateSigningKey.signingKey;
    clock.advance(DAY + 2_000);
    await desk.append(3, 4);
    const changes = await takeChanges(events, 4);
    const headers = [];
    for (const { envelope } of [position, ...changes]) {
      headers.push((await client.encryption.decrypt(envelope)).header);
    }
    expect(headers.map(({ signing_kid }) => signing_kid === kid)).toEqual([false, false, false, true, true]);
    const start = headers[0]?.sequence ?? Number.NaN;
    expect(headers.slice(1).map(({ sequence }) => sequence)).toEqual(
      [1, 2, 3, 4].map((step) => start + step),
    );
    stop.abort();
    expect(await events.next()).toMatchObject({ done: true });

    // What a revoked key signed is kept for nobody.
    const positions = () =>
      gateway.store.withTenant(tenant.id, (tx) =>
        tx.selectFrom('feed_positions').select('sequence').execute(),
      );
    expect(await positions()).toHaveLength(1);
    await gateway.graphql('mutation { rotateSigningKey(now: true) { signingKey { kid } } }', {
      apiKey: tenant.keys.admin,
    });
    expect(await positions()).toEqual([]);
  });
});
