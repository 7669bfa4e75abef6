/** Changing the key that credentials are sealed to, while they are in use, rotated, and while processes die. */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/index.ts';
import { createNodeSuite } from '../../../src/envelope/node.ts';
import { openKeyRotationWorker } from '../../../src/service/index.ts';
import type { RotationDeps } from '../../../src/service/server-keys/run-rotation.ts';
import type { Store } from '../../../src/store/index.ts';
import {
  type Keyring,
  openCredentialSecret,
  openKeyring,
  prepareAccessTokenSealer,
  readCredentialSecret,
} from '../../../src/vault/index.ts';
import { describeOnBothDatabases, describeOnPostgres } from '../../support/store.ts';
import { createTestTenant } from '../../support/tenant.ts';
import { codeOf, newestEvents } from '../house.ts';
import {
  change,
  doctorOf,
  endClaims,
  type KeyHouse,
  MINUTE,
  openAll,
  openKeyHouse,
  sealCredentials,
  statusOf,
  work,
} from './key-house.ts';

/** `deps` as a process has them that calls `onDataKey` before each data key that it makes. */
function withDataKeys(deps: RotationDeps, onDataKey: () => Promise<void>): RotationDeps {
  const { keyring } = deps;
  const noticing: Keyring = {
    suite: keyring.suite,
    keysOf: (...rest) => keyring.keysOf(...rest),
    forget: (tenantId) => keyring.forget(tenantId),
    unwrapDataKey: (...rest) => keyring.unwrapDataKey(...rest),
    async createDataKey(...rest) {
      await onDataKey();
      return keyring.createDataKey(...rest);
    },
    [Symbol.asyncDispose]: () => keyring[Symbol.asyncDispose](),
  };
  return { ...deps, keyring: noticing };
}

/** `deps` of a process that is killed when it makes its data key number `count`: it writes nothing from then on. */
function dyingAt(deps: RotationDeps, count: number): RotationDeps {
  const { store } = deps;
  let made = 0;
  const assertAlive = (): void => {
    if (made >= count) throw new Error('killed');
  };
  const mortal = {
    kind: store.kind,
    applied: store.applied,
    withTenant: async (...rest: Parameters<Store['withTenant']>) => {
      assertAlive();
      return store.withTenant(...rest);
    },
    withSystem: async (...rest: Parameters<Store['withSystem']>) => store.withSystem(...rest),
    listen: (...rest: Parameters<Store['listen']>) => store.listen(...rest),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  } as Store;
  const dying = withDataKeys(deps, async () => {
    made += 1;
    assertAlive();
  });
  return { ...dying, store: mortal };
}

describeOnBothDatabases('a vault key', (database) => {
  const resources = new AsyncDisposableStack();
  let shared: KeyHouse;
  beforeAll(async () => {
    shared = resources.use(await openKeyHouse(database));
  });
  afterEach(() => shared.server.heal());
  afterAll(() => resources.disposeAsync());

  const begin = async (): Promise<KeyHouse> => ({
    ...shared,
    tenant: await createTestTenant(shared.gateways[0]),
  });
  const expectAll = async (own: KeyHouse, sealed: ReadonlyMap<string, string>): Promise<void> => {
    expect(await openAll(own.gateways[0], own.tenant, sealed.keys())).toEqual(sealed);
  };

  it('is changed while everything goes on, and the old one is destroyed when nothing rests on it', async () => {
    const own = await begin();
    const { gateways, clock, tenant } = own;
    const [gateway] = gateways;
    const old = await sealCredentials(own, 3);
    const { rotation } = (await change(own, 'rotateVaultKey')).json.data.rotateVaultKey;
    expect(rotation).toEqual({
      ...{ what: 'VAULT', from: ['1'], to: '2', state: 'RUNNING', total: 4, remaining: 4 },
    });
    const fresh = await sealCredentials(own, 1);
    expect((await statusOf(own)).vaultKeys).toEqual([
      { version: 1, credentials: 4, accessTokens: 0 },
      { version: 2, credentials: 1, accessTokens: 0 },
    ]);
    await expectAll(own, new Map([...old, ...fresh]));
    expect(codeOf(await change(own, 'rotateVaultKey'))).toBe('CONFLICT');
    const { defaultKeyArn } = own.server;
    expect(await doctorOf(own, defaultKeyArn)).toMatch(/the vault key of 1 tenant is being rotated/);

    await work(gateway.deps);
    expect(await statusOf(own)).toMatchObject({
      vaultKeys: [
        { version: 1, credentials: 0 },
        { version: 2, credentials: 5 },
      ],
      rotations: [{ state: 'RUNNING', total: 4, remaining: 0, failure: null, finishedAt: null }],
    });
    await expectAll(own, new Map([...old, ...fresh]));
    clock.advance(16 * MINUTE);
    await work(gateway.deps);
    expect(await statusOf(own)).toMatchObject({
      vaultKeys: [{ version: 2, credentials: 5 }],
      rotations: [{ state: 'DONE', remaining: 0, finishedAt: expect.any(String) }],
    });
    expect(await doctorOf(own, defaultKeyArn)).toBe('Server keys: nothing rests on an old one');
    await expectAll(own, new Map([...old, ...fresh]));
    expect((await tenant.proxy('get_ticket', { ticket_id: 1 })).status).toBe(200);
    const actions = (await newestEvents(gateway, tenant.keys.auditor, 60)).map(({ action }) => action);
    expect(actions).toContain('vault-key.rotate');
    expect(actions).toContain('vault-key.destroy');
    expect(codeOf(await change(own, 'rotateVaultKey', { as: 'operator' }))).toBeNull();
  });

  it('is brought to its end by the worker that every process has', async () => {
    const own = await begin();
    const [{ deps }] = own.gateways;
    await change(own, 'rotateVaultKey');
    const { promise: looked, resolve } = Promise.withResolvers<void>();
    const clock: Clock = {
      now: () => deps.clock.now(),
      // It waits when it has looked for what is due.
      wait(milliseconds, signal) {
        resolve();
        return deps.clock.wait(milliseconds, signal);
      },
    };
    await using worker = openKeyRotationWorker({ ...deps, clock });
    await looked;
    expect((await statusOf(own)).rotations).toMatchObject([{ total: 1, remaining: 0 }]);
    await worker[Symbol.asyncDispose]();
  });

  it('is left by access tokens, too, without losing one that is being fetched', async () => {
    const own = await begin();
    const [{ store, deps }] = own.gateways;
    const { id: tenantId, credentialId } = own.tenant;
    using sealer = await prepareAccessTokenSealer({ keyring: deps.keyring, tenantId });
    const sealed = await sealer.seal(
      { credentialId, credentialVersion: 1, version: 1 },
      { access_token: 'token' },
    );
    await store.withTenant(tenantId, (tx) =>
      tx
        .insertInto('access_tokens')
        .values({
          ...{ credential_id: credentialId, tenant_id: tenantId, credential_version: 1, version: 1 },
          ...{ vault_key_version: sealed.vaultKeyVersion, sealed: sealed.sealed },
          ...{ encrypted_data_key: sealed.encryptedDataKey, kms_key_ref: sealed.kmsKeyRef },
          ...{ refresh_attempt: 'attempt', refresh_until: new Date(Date.now() + MINUTE) },
        })
        .execute(),
    );
    await change(own, 'rotateVaultKey');
    await work(deps);
    const row = await store.withTenant(tenantId, (tx) =>
      tx.selectFrom('access_tokens').selectAll().executeTakeFirstOrThrow(),
    );
    expect(row).toMatchObject({ vault_key_version: 2, version: 1, refresh_attempt: 'attempt' });
    expect((await statusOf(own)).vaultKeys).toMatchObject([{ accessTokens: 0 }, { accessTokens: 1 }]);
  });

  it('goes on where a killed process stopped, when its claim is over', async () => {
    const own = await begin();
    const [{ deps }] = own.gateways;
    const sealed = await sealCredentials(own, 23);
    await change(own, 'rotateVaultKey');
    await expect(work(dyingAt(deps, 20))).rejects.toThrow('killed');
    expect((await statusOf(own)).rotations).toMatchObject([{ state: 'RUNNING', total: 24, remaining: 8 }]);
    await work(deps);
    expect((await statusOf(own)).rotations).toMatchObject([{ remaining: 8 }]);
    await expectAll(own, sealed);
    await endClaims(own);
    await work(deps);
    expect((await statusOf(own)).rotations).toMatchObject([{ remaining: 0, failure: null }]);
    await expectAll(own, sealed);
  });

  it('lets a credential that was rotated meanwhile win', async () => {
    const own = await begin();
    const [gateway] = own.gateways;
    const sealed = await sealCredentials(own, 1);
    const [id = ''] = sealed.keys();
    await change(own, 'rotateVaultKey');
    let isRotated = false;
    const interrupted = withDataKeys(gateway.deps, async () => {
      if (isRotated) return;
      isRotated = true;
      const answer = await gateway.graphql(
        'mutation($id: ID!) { rotateCredential(input: { id: $id, secret: { api_key: "newer" } }) { credential { version } } }',
        { apiKey: own.tenant.keys.admin, variables: { id } },
      );
      expect(answer.json.data.rotateCredential.credential.version).toBe(2);
    });
    await work(interrupted);
    await expectAll(own, new Map([[id, 'newer']]));
    expect((await statusOf(own)).rotations).toMatchObject([{ remaining: 0, failure: null }]);
  });

  it('waits out a KMS that is away in the middle, with everything readable that can be read', async () => {
    const own = await begin();
    const [{ deps }] = own.gateways;
    const sealed = await sealCredentials(own, 20);
    await change(own, 'rotateVaultKey');
    let made = 0;
    const interrupted = withDataKeys(deps, async () => {
      made += 1;
      if (made === 18) own.server.failNext('unavailable', Number.POSITIVE_INFINITY, 'GenerateDataKey');
    });
    await work(interrupted);
    const [rotation] = (await statusOf(own)).rotations;
    expect(rotation).toMatchObject({ state: 'RUNNING', failure: 'KMS_UNAVAILABLE', remaining: 5 });
    await expectAll(own, sealed);
    own.server.heal();
    await work(deps);
    expect((await statusOf(own)).rotations).toMatchObject([{ remaining: 5 }]);
    await endClaims(own);
    await work(deps);
    expect((await statusOf(own)).rotations).toMatchObject([{ remaining: 0, failure: null }]);
    await expectAll(own, sealed);
  });

  it('passes by a record that was altered, and tells of it', async () => {
    const own = await begin();
    const [{ store, deps }] = own.gateways;
    const sealed = await sealCredentials(own, 2);
    const [altered = '', good = ''] = sealed.keys();
    await store.withTenant(own.tenant.id, (tx) =>
      sql`UPDATE credential_secrets SET sealed = set_bit(sealed, 300, 1 - get_bit(sealed, 300))
        WHERE credential_id = ${altered}`.execute(tx),
    );
    await change(own, 'rotateVaultKey');
    await work(deps);
    own.clock.advance(16 * MINUTE);
    await endClaims(own);
    await work(deps);
    expect(await statusOf(own)).toMatchObject({
      rotations: [{ state: 'RUNNING', remaining: 1, failure: 'INTERNAL' }],
      vaultKeys: [{ version: 1 }, { version: 2 }],
    });
    await expectAll(own, new Map([[good, sealed.get(good) ?? '']]));
  });

  it('is not made where the KMS does not answer', async () => {
    const own = await begin();
    own.server.failNext('unavailable', Number.POSITIVE_INFINITY, 'GenerateDataKey');
    expect(codeOf(await change(own, 'rotateVaultKey'))).toBe('KMS_UNAVAILABLE');
    own.server.heal();
    expect(await statusOf(own)).toMatchObject({ vaultKeys: [{ version: 1 }], rotations: [] });
  });

  it('cannot be destroyed while something is sealed to it, nor sealed to once it is gone', async () => {
    const own = await begin();
    const [{ store }] = own.gateways;
    const tenantId = own.tenant.id;
    const asOwner = (statement: ReturnType<typeof sql>) =>
      store.withSystem('tenant-administration', (tx) => statement.execute(tx));
    await expect(
      asOwner(sql`DELETE FROM tenant_secrets WHERE tenant_id = ${tenantId} AND purpose = 'vault'`),
    ).rejects.toMatchObject({ code: '23503' });
    await expect(
      asOwner(sql`UPDATE credential_secrets SET vault_key_version = 7 WHERE tenant_id = ${tenantId}`),
    ).rejects.toMatchObject({ code: '23503' });
  });
});

describeOnPostgres('a vault key of several processes', () => {
  const resources = new AsyncDisposableStack();
  let house: KeyHouse;
  beforeAll(async () => {
    house = resources.use(await openKeyHouse('postgres', 2));
  });
  afterAll(() => resources.disposeAsync());

  it('is left by all records once, however many processes work on it', async () => {
    const { gateways, tenant } = house;
    const sealed = await sealCredentials(house, 20);
    let made = 0;
    const counted = gateways.map(({ deps }) =>
      withDataKeys(deps, async () => {
        made += 1;
      }),
    );
    await change(house, 'rotateVaultKey');
    await Promise.all(counted.map((deps) => work(deps)));
    expect((await statusOf(house)).rotations).toMatchObject([{ remaining: 0 }]);
    expect(made).toBe(21);
    for (const gateway of gateways) expect(await openAll(gateway, tenant, sealed.keys())).toEqual(sealed);
    house.clock.advance(16 * MINUTE);
    await Promise.all(gateways.map(({ deps }) => work(deps)));
    expect((await statusOf(house)).vaultKeys).toMatchObject([{ version: 2 }]);
  });

  it('is found by a process that heard nothing of it', async () => {
    const { gateways, clock } = house;
    const [gateway] = gateways;
    const tenant = await createTestTenant(gateway);
    const own = { ...house, tenant };
    const kms = await house.openKms(house.server.defaultKeyArn);
    // A keyring that nothing tells of notifications.
    await using keyring = openKeyring({ store: gateway.store, kms, suite: createNodeSuite(), clock });
    const version = async () => (await keyring.keysOf(tenant.id)).vaultKey.version;
    expect(await version()).toBe(1);
    await change(own, 'rotateVaultKey');
    await work(gateway.deps);
    expect(await version()).toBe(1);
    const key = { tenantId: tenant.id, credentialId: tenant.credentialId };
    const sealed = await gateway.store.withTenant(tenant.id, (tx) => readCredentialSecret(tx, key));
    if (sealed === null) throw new Error('The credential of a test tenant is there');
    expect(sealed.vaultKeyVersion).toBe(2);
    expect(await openCredentialSecret({ keyring, sealed })).toMatchObject({ type: 'basic_auth' });
    expect(await version()).toBe(2);
  });
});
