/** Changing the key of the KMS: proven first, then everything is brought under it while the old one is still read. */

import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { followDefaultKey } from '../../../src/service/server-keys/follow-default-key.ts';
import { describeOnBothDatabases, describeOnPostgres } from '../../support/store.ts';
import { createTestTenant } from '../../support/tenant.ts';
import { codeOf, newestEvents } from '../house.ts';
import {
  change,
  doctorOf,
  type KeyHouse,
  MINUTE,
  openAll,
  openKeyHouse,
  sealCredentials,
  statusOf,
  work,
} from './key-house.ts';

const signal = new AbortController().signal;
const toArn = (arn: string) => ({ as: 'operator', args: `kmsKeyArn: "${arn}"` }) as const;

describeOnBothDatabases('a KMS key', (database) => {
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

  it('takes over everything that is stored, each record readable all the while', async () => {
    const own = await begin();
    const { server, clock, gateways, tenant } = own;
    const [gateway] = gateways;
    const sealed = await sealCredentials(own, 18);
    const arn = server.createKey();
    const { rotation } = (await change(own, 'rotateKmsKey', toArn(arn))).json.data.rotateKmsKey;
    expect(rotation).toEqual({
      ...{ what: 'KMS', from: [server.defaultKeyArn], to: arn, state: 'RUNNING', total: 25, remaining: 25 },
    });
    clock.advance(6 * MINUTE);
    expect(await openAll(gateway, tenant, sealed.keys())).toEqual(sealed);
    expect(await doctorOf(own, server.defaultKeyArn)).toMatch(/25 records rest on the old KMS key arn:/);
    await work(gateway.deps);
    expect(await statusOf(own)).toMatchObject({
      kmsKeyArn: arn,
      kmsKeys: [{ kmsKeyRef: arn, secrets: 6, credentials: 19, accessTokens: 0 }],
      rotations: [{ state: 'RUNNING', remaining: 0, failure: null }],
    });
    clock.advance(16 * MINUTE);
    await work(gateway.deps);
    expect((await statusOf(own)).rotations).toMatchObject([{ state: 'DONE' }]);

    // The old key is asked for nothing of this tenant any more.
    const asked = server.requests.length;
    clock.advance(6 * MINUTE);
    expect(await openAll(gateway, tenant, sealed.keys())).toEqual(sealed);
    const context = server.requests
      .slice(asked)
      .filter(({ encryptionContext }) => encryptionContext?.['tenant'] === tenant.id);
    expect(new Set(context.map(({ keyId }) => keyId))).toEqual(new Set([arn]));
    const actions = (await newestEvents(gateway, tenant.keys.auditor, 80)).map(({ action }) => action);
    expect(actions).toContain('kms-key.rotate');
    expect(actions).toContain('kms-key.leave');
  });

  it('that is disabled, denied to us or to be deleted is not taken', async () => {
    const own = await begin();
    const before = await statusOf(own);
    for (const state of ['disabled', 'denied', 'pending-deletion'] as const) {
      const arn = own.server.createKey();
      own.server.setKeyState(arn, state);
      expect(codeOf(await change(own, 'rotateKmsKey', toArn(arn))), state).toBe('KMS_UNAVAILABLE');
    }
    expect(await statusOf(own)).toEqual(before);
  });

  it('that nobody knows, or that fails one purpose, is not taken', async () => {
    const own = await begin();
    const before = await statusOf(own);
    const unknown = `${own.server.defaultKeyArn.slice(0, -4)}0000`;
    expect(codeOf(await change(own, 'rotateKmsKey', toArn(unknown)))).toBe('KMS_UNAVAILABLE');
    expect(codeOf(await change(own, 'rotateKmsKey', toArn('no-arn')))).toBe('VALIDATION_FAILED');
    const arn = own.server.createKey();
    own.server.failNext('short-key', 1, 'Decrypt');
    expect(codeOf(await change(own, 'rotateKmsKey', toArn(arn)))).toBe('KMS_UNAVAILABLE');
    expect(await statusOf(own)).toEqual(before);
  });

  it('that goes away in the middle is waited for, or left again for another', async () => {
    const own = await begin();
    const { server, gateways, tenant, clock } = own;
    const [gateway] = gateways;
    const sealed = await sealCredentials(own, 2);
    const [second, third] = [server.createKey(), server.createKey()];
    await change(own, 'rotateKmsKey', toArn(second));
    server.setKeyState(second, 'disabled');
    await work(gateway.deps);
    const [waiting] = (await statusOf(own)).rotations;
    expect(waiting).toMatchObject({ state: 'RUNNING', failure: 'KMS_UNAVAILABLE', remaining: 9 });
    expect(await openAll(gateway, tenant, sealed.keys())).toEqual(sealed);
    server.setKeyState(second, 'enabled');

    await change(own, 'rotateKmsKey', toArn(third));
    await work(gateway.deps);
    clock.advance(16 * MINUTE);
    await work(gateway.deps);
    expect(await statusOf(own)).toMatchObject({
      kmsKeys: [{ kmsKeyRef: third, secrets: 6, credentials: 3 }],
      rotations: [
        { to: third, state: 'DONE', remaining: 0 },
        { to: second, state: 'SUPERSEDED', remaining: null },
      ],
    });
    server.setKeyState(second, 'disabled');
    expect(await openAll(gateway, tenant, sealed.keys())).toEqual(sealed);

    expect(codeOf(await change(own, 'rotateKmsKey', { as: 'operator' }))).toBeNull();
    await work(gateway.deps);
    expect(await statusOf(own)).toMatchObject({
      kmsKeyArn: null,
      kmsKeys: [{ kmsKeyRef: server.defaultKeyArn }],
    });
  });

  it('and a vault key are changed at the same time without harm', async () => {
    const own = await begin();
    const { server, gateways, tenant, clock } = own;
    const [gateway] = gateways;
    const sealed = await sealCredentials(own, 4);
    const arn = server.createKey();
    const answers = await Promise.all([
      change(own, 'rotateKmsKey', toArn(arn)),
      change(own, 'rotateVaultKey'),
      change(own, 'rotateSigningKey'),
    ]);
    expect(answers.map(codeOf)).toEqual([null, null, null]);
    for (let turn = 0; turn < 2; turn += 1) {
      await work(gateway.deps);
      clock.advance(16 * MINUTE);
    }
    expect(await statusOf(own)).toMatchObject({
      vaultKeys: [{ version: 2, credentials: 5 }],
      kmsKeys: [{ kmsKeyRef: arn, credentials: 5 }],
    });
    expect(await openAll(gateway, tenant, sealed.keys())).toEqual(sealed);
  });
});

describeOnPostgres('the default KMS key of the configuration', () => {
  it('is followed by the tenants without a key of their own when a process starts with another', async () => {
    await using house = await openKeyHouse('postgres');
    const { server, clock, gateways, tenant } = house;
    const [former] = gateways;
    const sealed = await sealCredentials(house, 3);
    const own = await createTestTenant(former);
    const ownArn = server.createKey();
    await change({ ...house, tenant: own }, 'rotateKmsKey', toArn(ownArn));
    await work(former.deps);

    const arn = server.createKey();
    expect(await doctorOf(house, server.defaultKeyArn)).not.toContain('rest on');
    expect(await doctorOf(house, arn)).toMatch(/records rest on the old KMS key/);
    const next = await house.openProcess(await house.openKms(arn));
    // The tenant and the installation.
    expect(await followDefaultKey(next.deps, signal)).toBe(2);
    expect(await followDefaultKey(next.deps, signal)).toBe(0);
    // A process that still has the former key leaves the work to others, and undoes none of it.
    await work(former.deps);
    expect((await statusOf(house)).rotations).toMatchObject([{ to: arn, state: 'RUNNING', remaining: 10 }]);
    await work(next.deps);
    await work(former.deps);
    expect((await statusOf(house)).kmsKeys).toMatchObject([{ kmsKeyRef: arn, secrets: 6, credentials: 4 }]);
    clock.advance(16 * MINUTE);
    await work(next.deps);
    expect((await statusOf(house)).rotations).toMatchObject([{ to: arn, state: 'DONE' }]);
    for (const gateway of [former, next]) {
      expect(await openAll(gateway, tenant, sealed.keys())).toEqual(sealed);
    }
    expect((await statusOf({ ...house, tenant: own })).kmsKeyArn).toBe(ownArn);
    expect(await doctorOf(house, arn)).not.toContain('rest on');
  });
});
