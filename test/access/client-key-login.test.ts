/** What a caller that logged in by its client key may still do, asked in the transaction that records it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  assertStillEntitled,
  assertStillPlaintext,
  assertStillValid,
  boundRecipient,
  callerOfKey,
  chooseRecipient,
  findEndedKeys,
  findLoginKey,
  mapClientKey,
  revokeClientKey,
  sweepLoginTokens,
} from '../../src/access/index.ts';
import type { Tx } from '../../src/store/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';
import { createConfirmedKey, createTenant, MINUTE, NOW, recorded } from './tenant.ts';

describeOnBothDatabases('A caller that logged in by its client key', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  async function openCaller(isGranted = true) {
    const { store } = opened;
    const tenantId = await createTenant(store);
    const clientKeyId = await createConfirmedKey(store, tenantId);
    const act = recorded(tenantId, clientKeyId);
    const login = isGranted ? ({ roles: ['AGENT'], allowedOperations: ['search'] } as const) : null;
    const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => store.withTenant(tenantId, work);
    await run((tx) => mapClientKey(tx, { ...act, login }));
    const found = await store.withSystem('client-key-lookup', (tx) => findLoginKey(tx, clientKeyId, NOW));
    if (found === null) throw new Error('The key was just mapped');
    const caller = callerOfKey(found);
    const recipient = { keyId: clientKeyId };
    return {
      caller,
      tenantId,
      clientKeyId,
      asked: [
        () => run((tx) => assertStillEntitled(tx, caller, recipient, NOW)),
        () => run((tx) => assertStillValid(tx, caller, NOW)),
      ],
      choose: (named: string) => run((tx) => chooseRecipient(tx, caller, named, NOW)),
      plaintext: () => run((tx) => assertStillPlaintext(tx, caller, NOW)),
      ended: () =>
        run((tx) => findEndedKeys(tx, tenantId, { apiKeyIds: [], clientKeyIds: [clientKeyId] }, NOW)),
      revoke: () => run((tx) => revokeClientKey(tx, { ...act, reason: 'KEY_COMPROMISE' })),
      use: (jti: string, expiresAt: number) =>
        run((tx) =>
          tx
            .insertInto('login_tokens')
            .values({ tenant_id: tenantId, client_key_id: clientKeyId, jti, expires_at: new Date(expiresAt) })
            .execute(),
        ),
      used: async () =>
        (await run((tx) => tx.selectFrom('login_tokens').select('jti').execute())).map(({ jti }) => jti),
    };
  }

  test('has the roles and operations of its grant, answers sealed to its own key, and nothing in the clear', async () => {
    const { caller, tenantId, clientKeyId, asked, choose, plaintext, ended } = await openCaller();
    expect(caller).toMatchObject({
      ...{ kind: 'CLIENT_KEY', id: clientKeyId, tenantId, tenantKind: 'CUSTOMER' },
      ...{ roles: ['AGENT'], allowedOperations: ['search'], clientKeyId, delivery: 'SEALED' },
      boundKey: { id: clientKeyId, status: 'ACTIVE' },
    });
    expect(boundRecipient(caller, null, NOW)).toMatchObject({ keyId: clientKeyId });
    await expect(choose('key_other')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    for (const ask of asked) await ask();
    await expect(plaintext()).rejects.toMatchObject({ code: 'SEALED_RESPONSE_REQUIRED' });
    expect(await ended()).toEqual(new Map());
  });

  test('may nothing any more once its key was revoked', async () => {
    const { asked, ended, revoke, clientKeyId } = await openCaller();
    await revoke();
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'KEY_REVOKED' });
    expect((await ended()).get(clientKeyId)).toMatchObject({ code: 'KEY_REVOKED' });
  });

  test('may nothing where its mapping granted no login', async () => {
    const { caller, asked } = await openCaller(false);
    expect(caller.roles).toEqual([]);
    for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('leaves used tokens behind that are forgotten ten minutes after their time', async () => {
    const { use, used } = await openCaller();
    await use('old', NOW - 10 * MINUTE - 1);
    await use('young', NOW - 10 * MINUTE);
    const sweep = () => opened.store.withSystem('login-token-sweep', (tx) => sweepLoginTokens(tx, NOW));
    expect(await sweep()).toBe(true);
    expect(await used()).toEqual(['young']);
  });
});
