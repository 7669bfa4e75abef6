import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CLIENT_KEY_MOVES,
  chooseRecipient,
  confirmClientKey,
  findClientKey,
  findTenantOfClientKey,
  insertClientKey,
  listClientKeys,
  MAX_PENDING_KEYS,
  mapClientKey,
  type NewClientKey,
  PENDING_LIFETIME_MS,
  revokeClientKey,
  touchClientKey,
} from '../../src/access/index.ts';
import { createId } from '../../src/base/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';
import {
  createConfirmedKey,
  createPendingKey,
  createTenant,
  MINUTE,
  NOW,
  newClientKey,
  recorded,
} from './tenant.ts';

describeOnBothDatabases('A client key', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  const insert = (key: NewClientKey) =>
    opened.store.withTenant(key.tenantId, (tx) => insertClientKey(tx, key));
  const acts = (tenantId: string, clientKeyId: string) => {
    const run = <T>(work: Parameters<typeof opened.store.withTenant<T>>[1]) =>
      opened.store.withTenant(tenantId, work);
    return {
      find: (now = NOW) => run((tx) => findClientKey(tx, tenantId, clientKeyId, now)),
      confirm: (now = NOW) => run((tx) => confirmClientKey(tx, { tenantId, clientKeyId, now })),
      map: (now = NOW, expiresAt: Date | null = null) =>
        run((tx) => mapClientKey(tx, { ...recorded(tenantId, clientKeyId, now), expiresAt })),
      revoke: (now = NOW) =>
        run((tx) => revokeClientKey(tx, { ...recorded(tenantId, clientKeyId, now), reason: 'KEY_LOST' })),
      retire: () =>
        run((tx) =>
          tx
            .updateTable('client_keys')
            .set({ status: 'RETIRED', ended_at: new Date(NOW), end_reason: 'SUPERSEDED' })
            .where('id', '=', clientKeyId)
            .execute(),
        ),
      choose: (bound: string | null, header: string | null, now = NOW) =>
        run((tx) => chooseRecipient(tx, { kind: 'API_KEY', tenantId, clientKeyId: bound }, header, now)),
    };
  };

  test('goes from PENDING over CONFIRMED and ACTIVE to REVOKED, keeping what it is', async () => {
    const tenantId = await createTenant(opened.store);
    const key = newClientKey(tenantId, { name: 'Dashboard' });
    const constant = { id: key.id, tenantId, lineageId: key.id, name: 'Dashboard', kemKid: key.kemKid };
    expect(await insert(key)).toMatchObject({
      ...constant,
      status: 'PENDING',
      pendingUntil: new Date(NOW + PENDING_LIFETIME_MS),
    });
    const act = acts(tenantId, key.id);
    expect(await act.confirm(NOW + 1)).toMatchObject({
      ...constant,
      status: 'CONFIRMED',
      confirmedAt: new Date(NOW + 1),
    });
    expect(await act.map(NOW + 2)).toMatchObject({
      ...constant,
      status: 'ACTIVE',
      confirmedAt: new Date(NOW + 1),
      mappedAt: new Date(NOW + 2),
      mappedBy: 'admin',
    });
    expect(await act.revoke(NOW + 3)).toMatchObject({
      ...constant,
      status: 'REVOKED',
      endedAt: new Date(NOW + 3),
      endReason: 'KEY_LOST',
    });
    const found = await act.find();
    expect(found && Buffer.from(found.kemPublicKey)).toEqual(Buffer.from(key.kemPublicKey));
    expect(found && Buffer.from(found.sigPublicKey)).toEqual(Buffer.from(key.sigPublicKey));
  });

  test('makes the moves of the table and refuses every other', async () => {
    const tenantId = await createTenant(opened.store);
    const into = {
      async PENDING() {
        return acts(tenantId, await createPendingKey(opened.store, tenantId));
      },
      async CONFIRMED() {
        return acts(tenantId, await createConfirmedKey(opened.store, tenantId));
      },
      async ACTIVE() {
        const act = await into.CONFIRMED();
        await act.map();
        return act;
      },
      async RETIRED() {
        const act = await into.ACTIVE();
        await act.retire();
        return act;
      },
      async REVOKED() {
        const act = await into.CONFIRMED();
        await act.revoke();
        return act;
      },
    };
    for (const from of ['PENDING', 'CONFIRMED', 'ACTIVE', 'RETIRED', 'REVOKED'] as const) {
      for (const [to, verb] of [
        ['CONFIRMED', 'confirm'],
        ['ACTIVE', 'map'],
        ['REVOKED', 'revoke'],
      ] as const) {
        const act = await into[from]();
        const repeats = verb === 'confirm' && (from === 'CONFIRMED' || from === 'ACTIVE');
        if (repeats) {
          expect(await act.confirm(), `${from} ${verb}`).toMatchObject({ status: from });
        } else if (CLIENT_KEY_MOVES[from].includes(to)) {
          expect(await act[verb](), `${from} ${verb}`).toMatchObject({ status: to });
        } else {
          const code = from === 'REVOKED' ? 'KEY_REVOKED' : 'CONFLICT';
          await expect(act[verb](), `${from} ${verb}`).rejects.toMatchObject({ code });
          expect(await act.find()).toMatchObject({ status: from });
        }
      }
    }
  });

  test('that is PENDING cannot be mapped, and the refusal says what to do', async () => {
    const tenantId = await createTenant(opened.store);
    const act = acts(tenantId, await createPendingKey(opened.store, tenantId));
    await expect(act.map()).rejects.toThrow(/confirm/);
  });

  test('cannot be confirmed after 24 hours, and is purged by the next registration', async () => {
    const tenantId = await createTenant(opened.store);
    const key = newClientKey(tenantId);
    await insert(key);
    const act = acts(tenantId, key.id);
    await expect(act.confirm(NOW + PENDING_LIFETIME_MS)).rejects.toMatchObject({ code: 'CONFLICT' });
    const again = { ...key, id: createId('clientKey') };
    await expect(insert({ ...again, now: NOW + PENDING_LIFETIME_MS - 1 })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await insert({ ...again, now: NOW + PENDING_LIFETIME_MS })).toMatchObject({ status: 'PENDING' });
    expect(await act.find()).toBeNull();
  });

  test('is refused when either half is known in its tenant, and only there', async () => {
    const tenantId = await createTenant(opened.store);
    const key = newClientKey(tenantId);
    await insert(key);
    await acts(tenantId, key.id).revoke();
    for (const half of [{ kemKid: key.kemKid }, { sigKid: key.sigKid }]) {
      await expect(insert(newClientKey(tenantId, half))).rejects.toMatchObject({
        code: 'CONFLICT',
        details: { subject: key.id },
      });
    }
    const other = await createTenant(opened.store);
    expect(await insert({ ...key, tenantId: other, id: createId('clientKey') })).toMatchObject({
      tenantId: other,
    });
  });

  test(`waits to be confirmed with at most ${MAX_PENDING_KEYS - 1} others, however many register at once`, async () => {
    const tenantId = await createTenant(opened.store);
    const results = await Promise.allSettled(
      Array.from({ length: MAX_PENDING_KEYS + 5 }, () => insert(newClientKey(tenantId))),
    );
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(refused).toHaveLength(5);
    for (const reason of refused) expect(reason).toMatchObject({ code: 'CONFLICT' });
    await createTenant(opened.store).then((other) => insert(newClientKey(other)));
    const later = await insert(newClientKey(tenantId, { now: NOW + PENDING_LIFETIME_MS }));
    expect(later.status).toBe('PENDING');
  });

  test('is out of reach for another tenant', async () => {
    const [tenantId, other] = [await createTenant(opened.store), await createTenant(opened.store)];
    const clientKeyId = await createConfirmedKey(opened.store, tenantId);
    const act = acts(other, clientKeyId);
    expect(await act.find()).toBeNull();
    for (const verb of ['confirm', 'map', 'revoke'] as const) {
      await expect(act[verb]()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    await expect(act.choose(null, clientKeyId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const owner = (id: string) =>
      opened.store.withSystem('client-key-lookup', (tx) => findTenantOfClientKey(tx, id));
    expect(await owner(clientKeyId)).toBe(tenantId);
    expect(await owner(createId('clientKey'))).toBeNull();
  });

  test('is listed by pages in both directions', async () => {
    const tenantId = await createTenant(opened.store);
    const ids: string[] = [];
    for (let at = 0; at < 3; at += 1) {
      const id = createId('clientKey', NOW + at);
      await insert(newClientKey(tenantId, { id }));
      ids.push(id);
    }
    const list = async (page: Parameters<typeof listClientKeys>[2]) =>
      (await opened.store.withTenant(tenantId, (tx) => listClientKeys(tx, tenantId, page, NOW))).map(
        (key) => key.id,
      );
    expect(await list({ limit: 2 })).toEqual(ids.slice(0, 2));
    expect(await list({ limit: 2, after: ids[0] })).toEqual(ids.slice(1));
    expect(await list({ limit: 2, backwards: true })).toEqual([ids[2], ids[1]]);
  });

  test('notes its last use at most once a minute', async () => {
    const tenantId = await createTenant(opened.store);
    const clientKeyId = await createConfirmedKey(opened.store, tenantId);
    const touch = async (now: number) => {
      await opened.store.withTenant(tenantId, (tx) => touchClientKey(tx, { tenantId, clientKeyId, now }));
      return (await acts(tenantId, clientKeyId).find())?.lastUsedAt?.getTime();
    };
    expect(await touch(NOW)).toBe(NOW);
    expect(await touch(NOW + MINUTE - 1)).toBe(NOW);
    expect(await touch(NOW + MINUTE)).toBe(NOW + MINUTE);
  });

  test('receives answers when it is ACTIVE and bound or named', async () => {
    const tenantId = await createTenant(opened.store);
    const key = newClientKey(tenantId);
    await insert(key);
    const act = acts(tenantId, key.id);
    await act.confirm();
    await act.map();
    for (const [bound, header] of [
      [key.id, null],
      [null, key.id],
      [key.id, key.id],
    ] as const) {
      const recipient = await act.choose(bound, header);
      expect(recipient).toMatchObject({ keyId: key.id, lineageId: key.id, kemKid: key.kemKid });
      expect(Buffer.from(recipient.kemPublicKey)).toEqual(Buffer.from(key.kemPublicKey));
    }
  });

  test('receives nothing in any other state, bound or named, and the refusal says why', async () => {
    const tenantId = await createTenant(opened.store);
    const pending = await createPendingKey(opened.store, tenantId);
    const confirmed = await createConfirmedKey(opened.store, tenantId);
    const revoked = await createConfirmedKey(opened.store, tenantId);
    await acts(tenantId, revoked).revoke();
    const retired = await createConfirmedKey(opened.store, tenantId);
    await acts(tenantId, retired).retire();
    const { choose } = acts(tenantId, pending);
    for (const [id, code, words] of [
      [pending, 'CLIENT_KEY_NOT_MAPPED', 'confirm'],
      [confirmed, 'CLIENT_KEY_NOT_MAPPED', 'mapClientKey'],
      [retired, 'CLIENT_KEY_NOT_MAPPED', 'successor'],
      [revoked, 'KEY_REVOKED', 'revoked'],
    ] as const) {
      for (const [bound, header] of [
        [id, null],
        [null, id],
      ] as const) {
        await expect(choose(bound, header)).rejects.toMatchObject({
          code,
          message: expect.stringContaining(words),
          details: { subject: id },
        });
      }
    }
  });

  test('cannot be named over the one that the API key is bound to, nor be left out', async () => {
    const tenantId = await createTenant(opened.store);
    const [bound, named] = [
      await createConfirmedKey(opened.store, tenantId),
      await createConfirmedKey(opened.store, tenantId),
    ];
    const { choose } = acts(tenantId, bound);
    await expect(choose(bound, named)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(choose(null, null)).rejects.toMatchObject({ code: 'SEALED_RESPONSE_REQUIRED' });
    await expect(choose(null, createId('clientKey'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(choose(null, "' OR 1=1 --")).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
