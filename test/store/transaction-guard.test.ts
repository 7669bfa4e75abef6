import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createId } from '../../src/base/index.ts';
import { assertOutsideTransaction, createStatement, type SystemPurpose } from '../../src/store/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';

describeOnBothDatabases('Inside a transaction', (kind) => {
  let opened: TestStore;
  const tenantId = createId('tenant');
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  test('every use of the store throws at once', async () => {
    const { store } = opened;
    const uses = [
      () => store.withTenant(tenantId, async () => null),
      () => store.withSystem('health', async () => null),
      () => store.runAtOnce(tenantId, [[createStatement('test_guard', 'SELECT 1'), []]]).then(() => null),
    ];
    const outers = [
      (use: () => Promise<null>) => store.withTenant(tenantId, use),
      (use: () => Promise<null>) => store.withSystem('health', use),
      // Also from work that was handed on before it asks.
      (use: () => Promise<null>) => store.withSystem('health', () => Promise.resolve().then(use)),
    ];
    for (const outer of outers) for (const use of uses) await expect(outer(use)).rejects.toThrow(TypeError);
  });

  test('the refusal undoes what the transaction did', async () => {
    const { store } = opened;
    const id = createId('tenant');
    const nested = store.withSystem('tenant-administration', async (tx) => {
      await tx.insertInto('tenants').values({ id, kind: 'CUSTOMER', name: 'Test' }).execute();
      await store.withSystem('health', async () => null);
    });
    await expect(nested).rejects.toThrow('only its "tx" is reachable');
    const found = await store.withSystem('tenant-administration', (tx) =>
      tx.selectFrom('tenants').select('id').where('id', '=', id).execute(),
    );
    expect(found).toEqual([]);
  });

  test('whatever else must stay outside can say so', async () => {
    const call = opened.store.withSystem('health', async () => assertOutsideTransaction('KMS'));
    await expect(call).rejects.toThrow(/"KMS" was used inside a transaction/);
    expect(() => assertOutsideTransaction('KMS')).not.toThrow();
  });

  test('the store is free again afterwards, also for work that was begun inside', async () => {
    const { store } = opened;
    const released = Promise.withResolvers<void>();
    let later: Promise<string> = Promise.resolve('');
    await store.withSystem('health', async () => {
      later = released.promise.then(() => store.withSystem('health', async () => 'done'));
    });
    released.resolve();
    expect(await later).toBe('done');
    expect(await store.withSystem('health', async () => 1)).toBe(1);
  });

  test('others wait for no transaction of this one, or only for its end', async () => {
    const { store } = opened;
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        store.withSystem('health', async (tx) => {
          const { rows } = await sql<{ at: number }>`SELECT ${at}::int AS at`.execute(tx);
          return rows[0]?.at;
        }),
      ),
    );
    expect(results).toEqual(Array.from({ length: 30 }, (_, at) => at));
  });

  test('no purpose but the listed ones opens one', async () => {
    for (const wrong of ['anything', '', 'toString', '__proto__']) {
      const opening = opened.store.withSystem(wrong as SystemPurpose, async () => null);
      await expect(opening, wrong).rejects.toThrow(TypeError);
    }
  });
});
