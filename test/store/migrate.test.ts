import { sql } from 'kysely';
import pg from 'pg';
import { expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import { createId } from '../../src/base/index.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { createTestDatabase, describeOnBothDatabases, openTestStore } from '../support/store.ts';
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

  test('waits for others longer than any other statement may take, and for none after it', async () => {
    await using opened = await openTestStore(kind);
    const connectionString = opened.connectionString ?? '';
    const limited = new URL(connectionString);
    limited.searchParams.set('statement_timeout', '300');
    const other = new pg.Client({ connectionString });
    await other.connect();
    try {
      await other.query('BEGIN; LOCK TABLE kysely_migration');
      const opening = openStore({ location: { kind: 'postgres', connectionString: limited.href } });
      await expect.poll(() => countWaiting(other), { timeout: 20_000 }).toBe(1);
      await other.query('COMMIT');
      await using store = await opening;
      const { rows } = await store.withSystem('health', (tx) => sql`SHOW statement_timeout`.execute(tx));
      expect(rows).toEqual([{ statement_timeout: '300ms' }]);
    } finally {
      await other.end();
    }
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

/** Who waits in the database of `client` for a lock, for more than a second. */
async function countWaiting(client: pg.Client): Promise<number> {
  // Within a transaction what was seen first is kept.
  await client.query('SELECT pg_stat_clear_snapshot()');
  const { rows } = await client.query(`SELECT FROM pg_stat_activity WHERE datname = current_database()
    AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '1 second'`);
  return rows.length;
}

async function dropRole(role: string): Promise<void> {
  await using database = await createTestDatabase('postgres');
  await using store = await openStore({ location: database.location });
  await store.withSystem('health', (tx) => sql.raw(`DROP ROLE IF EXISTS ${role}`).execute(tx));
}
