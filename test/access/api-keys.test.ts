import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  authenticateApiKey,
  findApiKey,
  findInstallationTenant,
  findTenant,
  insertTenant,
  listApiKeys,
  listTenants,
  revokeApiKey,
} from '../../src/access/index.ts';
import { createId } from '../../src/base/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';
import { createApiKey, createConfirmedKey, createPendingKey, createTenant, MINUTE, NOW } from './tenant.ts';

describeOnBothDatabases('An API key', (kind) => {
  let opened: TestStore;
  let installation: string;
  beforeAll(async () => {
    opened = await openTestStore(kind);
    installation = await createTenant(opened.store, 'INSTALLATION');
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const authenticate = (text: string, now = NOW) =>
    opened.store.withSystem('api-key-lookup', (tx) => authenticateApiKey(tx, text, now));
  const refusal = (text: string, now = NOW) =>
    authenticate(text, now).then(
      () => null,
      (error: unknown) => error,
    );

  test('authenticates its caller with all that narrows it', async () => {
    const tenantId = await createTenant(opened.store);
    const clientKeyId = await createConfirmedKey(opened.store, tenantId);
    const { text, apiKey } = await createApiKey(opened.store, tenantId, {
      roles: ['AGENT', 'AUDITOR'],
      allowedOperations: ['search', 'get_ticket'],
      clientKeyId,
      requestsPerMinute: 30,
    });
    expect(await authenticate(text)).toEqual({
      kind: 'API_KEY',
      id: apiKey.id,
      tenantId,
      tenantKind: 'CUSTOMER',
      roles: ['AGENT', 'AUDITOR'],
      allowedOperations: ['search', 'get_ticket'],
      clientKeyId,
      boundKey: expect.objectContaining({ id: clientKeyId, tenantId, status: 'CONFIRMED' }),
      requestsPerMinute: 30,
      delivery: 'SEALED',
    });
  });

  test('allows every operation when it is not narrowed, and none when narrowed to none', async () => {
    const tenantId = await createTenant(opened.store);
    const free = await createApiKey(opened.store, tenantId);
    const shut = await createApiKey(opened.store, tenantId, { allowedOperations: [] });
    expect((await authenticate(free.text)).allowedOperations).toBeNull();
    expect((await authenticate(shut.text)).allowedOperations).toEqual([]);
  });

  test('is refused in the same words when unknown, malformed or wrong', async () => {
    const tenantId = await createTenant(opened.store);
    const { text } = await createApiKey(opened.store, tenantId);
    const secretOf = (other: string) => other.slice(35);
    const { text: otherText } = await createApiKey(opened.store, tenantId);
    const unknown = `sd_live_${createId('apiKey').slice(4)}_${secretOf(text)}`;
    const refusals = await Promise.all(
      [unknown, 'nonsense', '', text.slice(0, 35) + secretOf(otherText)].map((wrong) => refusal(wrong)),
    );
    for (const error of refusals) expect(error).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(new Set(refusals.map(String)).size).toBe(1);
  });

  test('is not matched by the stand-ins for a missing key', async () => {
    expect(await refusal(`sd_live_${'0'.repeat(26)}_${'A'.repeat(43)}`)).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  test('says that it is revoked or expired only to who has its secret', async () => {
    const tenantId = await createTenant(opened.store);
    const revoked = await createApiKey(opened.store, tenantId);
    await opened.store.withTenant(tenantId, (tx) => revokeApiKey(tx, tenantId, revoked.apiKey.id, NOW));
    const expiring = await createApiKey(opened.store, tenantId, { expiresAt: new Date(NOW + MINUTE) });
    expect(String(await refusal(revoked.text))).toContain('revoked');
    expect(await refusal(expiring.text, NOW + MINUTE - 1)).toBeNull();
    expect(String(await refusal(expiring.text, NOW + MINUTE))).toContain('expired');
    for (const { text } of [revoked, expiring]) {
      const wrong = `${text.slice(0, -43)}${'A'.repeat(43)}`;
      expect(String(await refusal(wrong, NOW + MINUTE))).toContain('not valid');
    }
  });

  test('stays revoked since the first time', async () => {
    const tenantId = await createTenant(opened.store);
    const { apiKey } = await createApiKey(opened.store, tenantId);
    const revoke = (now: number) =>
      opened.store.withTenant(tenantId, (tx) => revokeApiKey(tx, tenantId, apiKey.id, now));
    expect(await revoke(NOW)).toMatchObject({ revokedAt: new Date(NOW) });
    expect(await revoke(NOW + MINUTE)).toMatchObject({ revokedAt: new Date(NOW) });
    const other = await createTenant(opened.store);
    const foreign = opened.store.withTenant(other, (tx) => revokeApiKey(tx, other, apiKey.id, NOW));
    await expect(foreign).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('notes its last use at most once a minute', async () => {
    const tenantId = await createTenant(opened.store);
    const { text, apiKey } = await createApiKey(opened.store, tenantId);
    const lastUse = async () =>
      (
        await opened.store.withTenant(tenantId, (tx) => findApiKey(tx, tenantId, apiKey.id))
      )?.lastUsedAt?.getTime();
    expect(await lastUse()).toBeUndefined();
    await authenticate(text, NOW);
    expect(await lastUse()).toBe(NOW);
    await authenticate(text, NOW + MINUTE - 1);
    expect(await lastUse()).toBe(NOW);
    await authenticate(text, NOW + MINUTE);
    expect(await lastUse()).toBe(NOW + MINUTE);
  });

  test('holds operator roles in the installation and nowhere else', async () => {
    const tenantId = await createTenant(opened.store);
    for (const [where, roles] of [
      [tenantId, ['OPERATOR']],
      [tenantId, ['ADMIN', 'OPERATOR']],
      [installation, ['ADMIN']],
      [installation, ['OPERATOR', 'AGENT']],
      [tenantId, []],
      [tenantId, ['AGENT', 'AGENT']],
    ] as const) {
      await expect(createApiKey(opened.store, where, { roles })).rejects.toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { fields: [{ path: 'roles' }] },
      });
    }
    const { text } = await createApiKey(opened.store, installation, { roles: ['OPERATOR', 'AUDITOR'] });
    expect(await authenticate(text)).toMatchObject({
      tenantKind: 'INSTALLATION',
      roles: ['OPERATOR', 'AUDITOR'],
    });
  });

  test.each([
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: 'two\nlines' }],
    ['name', { name: ' padded' }],
    ['allowedOperations', { allowedOperations: ['Search!'] }],
    ['allowedOperations', { allowedOperations: ['search', 'search'] }],
    ['allowedOperations', { allowedOperations: Array.from({ length: 101 }, (_, at) => `op_${at}`) }],
    ['requestsPerMinute', { requestsPerMinute: 0 }],
    ['requestsPerMinute', { requestsPerMinute: 1.5 }],
    ['requestsPerMinute', { requestsPerMinute: 1_000_001 }],
    ['expiresAt', { expiresAt: new Date(NOW) }],
    ['expiresAt', { expiresAt: new Date(Number.NaN) }],
  ])('is not made with a wrong %s (%o)', async (path, members) => {
    const tenantId = await createTenant(opened.store);
    await expect(createApiKey(opened.store, tenantId, members)).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { fields: [{ path }] },
    });
  });

  test('is bound only to a confirmed client key of its tenant', async () => {
    const [tenantId, other] = [await createTenant(opened.store), await createTenant(opened.store)];
    const foreign = await createConfirmedKey(opened.store, other);
    const pending = await createPendingKey(opened.store, tenantId);
    const bind = (clientKeyId: string) => createApiKey(opened.store, tenantId, { clientKeyId });
    await expect(bind(foreign)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(bind(createId('clientKey'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(bind(pending)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('is listed by pages in both directions, to its own tenant only', async () => {
    const [tenantId, other] = [await createTenant(opened.store), await createTenant(opened.store)];
    const ids: string[] = [];
    for (let at = 0; at < 5; at += 1) {
      const id = createId('apiKey', NOW + at);
      await createApiKey(opened.store, tenantId, { id });
      ids.push(id);
    }
    await createApiKey(opened.store, other);
    const list = async (page: Parameters<typeof listApiKeys>[2], of = tenantId) =>
      (await opened.store.withTenant(of, (tx) => listApiKeys(tx, tenantId, page))).map((key) => key.id);
    expect(await list({ limit: 2 })).toEqual(ids.slice(0, 2));
    expect(await list({ limit: 2, after: ids[1] })).toEqual(ids.slice(2, 4));
    expect(await list({ limit: 9, after: ids[1], before: ids[4] })).toEqual(ids.slice(2, 4));
    expect(await list({ limit: 2, backwards: true })).toEqual([ids[4], ids[3]]);
    expect(await list({ limit: 9, before: ids[2], backwards: true })).toEqual([ids[1], ids[0]]);
    expect(await list({ limit: 9 }, other)).toEqual([]);
    for (const limit of [0, 102, 1.5]) await expect(list({ limit })).rejects.toThrow(RangeError);
  });

  test('is not shown to another tenant', async () => {
    const [tenantId, other] = [await createTenant(opened.store), await createTenant(opened.store)];
    const { apiKey } = await createApiKey(opened.store, tenantId);
    const find = (as: string, of: string) =>
      opened.store.withTenant(as, (tx) => findApiKey(tx, of, apiKey.id));
    expect(await find(tenantId, tenantId)).toEqual(apiKey);
    expect(await find(other, tenantId)).toBeNull();
    expect(await find(other, other)).toBeNull();
  });
});

describeOnBothDatabases('A tenant', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const asSystem = <T>(work: Parameters<typeof opened.store.withSystem<T>>[1]) =>
    opened.store.withSystem('tenant-administration', work);

  test('is the installation at most once', async () => {
    expect(await asSystem(findInstallationTenant)).toBeNull();
    const id = await createTenant(opened.store, 'INSTALLATION');
    expect(await asSystem(findInstallationTenant)).toMatchObject({ id, kind: 'INSTALLATION' });
    await expect(createTenant(opened.store, 'INSTALLATION')).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('is listed to operators and shows itself alone to its own', async () => {
    const ids = [await createTenant(opened.store), await createTenant(opened.store)];
    const all = (await asSystem((tx) => listTenants(tx, { limit: 100 }))).map((tenant) => tenant.id);
    expect(all).toEqual(expect.arrayContaining(ids));
    const [own = '', other = ''] = ids;
    const seen = await opened.store.withTenant(own, (tx) => listTenants(tx, { limit: 100 }));
    expect(seen.map((tenant) => tenant.id)).toEqual([own]);
    expect(await opened.store.withTenant(own, (tx) => findTenant(tx, other))).toBeNull();
  });

  test('needs a name and an id of its kind', async () => {
    const tenant = { id: createId('tenant'), kind: 'CUSTOMER', name: 'Test', now: NOW } as const;
    await expect(asSystem((tx) => insertTenant(tx, { ...tenant, name: '\u0000' }))).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    await expect(asSystem((tx) => insertTenant(tx, { ...tenant, id: createId('apiKey') }))).rejects.toThrow(
      TypeError,
    );
  });
});
