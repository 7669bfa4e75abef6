import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import { createId } from '../../src/base/index.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { createTestDatabase, describeOnBothDatabases } from '../support/store.ts';
import { startChild } from './child.ts';

const ALL = Object.keys(migrations);

async function assertUsable(store: Store): Promise<void> {
  const id = createId('tenant');
  await store.withSystem('tenant-administration', (tx) =>
    tx.insertInto('tenants').values({ id, kind: 'CUSTOMER', name: 'Test' }).execute(),
  );
  const seen = await store.withTenant(id, (tx) => tx.selectFrom('tenants').select('id').execute());
  expect(seen).toEqual([{ id }]);
}

describeOnBothDatabases('Opening a store', (kind) => {
  test('applies the whole history to an empty database and nothing to a current one', async () => {
    await using database = await createTestDatabase(kind);
    await using first = await openStore({ location: database.location });
    expect(first.applied).toEqual(ALL);
    await assertUsable(first);
    if (kind === 'postgres') {
      await using second = await openStore({ location: database.location });
      expect(second.applied).toEqual([]);
      await assertUsable(second);
    }
  });

  test('may be disposed twice and refuses use afterwards', async () => {
    await using database = await createTestDatabase(kind);
    const store = await openStore({ location: database.location });
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    await expect(store.withSystem('health', (tx) => sql`SELECT 1`.execute(tx))).rejects.toThrow();
  });

  if (kind !== 'postgres') return;

  test('ends well for twenty at once', async () => {
    await using database = await createTestDatabase(kind);
    await using stores = new AsyncDisposableStack();
    const opened = await Promise.all(
      Array.from({ length: 20 }, async () => stores.use(await openStore({ location: database.location }))),
    );
    expect(opened.flatMap((store) => store.applied)).toEqual(ALL);
    await Promise.all(opened.map(assertUsable));
  });

  test('ends well for several databases of one cluster at once that share a new role', async () => {
    const tenantRole = `sealdesk_test_${createId('tenant').slice(-12)}`;
    await using resources = new AsyncDisposableStack();
    // Deferred first, done last: a role stays as long as a database grants it something.
    resources.defer(() => dropRole(tenantRole));
    const databases = await Promise.all(
      Array.from({ length: 4 }, async () => resources.use(await createTestDatabase(kind))),
    );
    const stores = await Promise.all(
      databases.flatMap(({ location }) =>
        Array.from({ length: 5 }, async () => resources.use(await openStore({ location, tenantRole }))),
      ),
    );
    expect(stores.flatMap((store) => store.applied)).toEqual(databases.flatMap(() => ALL));
    await Promise.all(stores.map(assertUsable));
  });

  test('ends well for real processes at once', async () => {
    await using database = await createTestDatabase(kind);
    const children = Array.from({ length: 4 }, () =>
      startChild(
        `await using store = await openStore({ location: input });
         console.log(JSON.stringify(store.applied));`,
        database.location,
      ),
    );
    const lines = await Promise.all(children.map((child) => child.nextLine()));
    const ends = await Promise.all(children.map((child) => child.ended));
    expect(ends.map((end) => end.code)).toEqual([0, 0, 0, 0]);
    expect(lines.flatMap((line) => JSON.parse(line ?? 'null'))).toEqual(ALL);
    await using store = await openStore({ location: database.location });
    await assertUsable(store);
  });
});

async function dropRole(role: string): Promise<void> {
  await using database = await createTestDatabase('postgres');
  await using store = await openStore({ location: database.location });
  await store.withSystem('health', (tx) => sql.raw(`DROP ROLE IF EXISTS ${role}`).execute(tx));
}
