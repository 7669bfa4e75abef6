import { once } from 'node:events';
import { createServer } from 'node:net';
import { sql } from 'kysely';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import { describeOnBothDatabases, openTestStore } from '../support/store.ts';

/** A port of this machine on which nothing listens. */
async function findClosedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('A database that does not answer', () => {
  test('is AUDIT_UNAVAILABLE at start, without its address or password', async () => {
    const connectionString = `postgres://someone:hidden@127.0.0.1:${await findClosedPort()}/none`;
    const error = await openStore({ location: { kind: 'postgres', connectionString } }).catch(
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: 'AUDIT_UNAVAILABLE', retryable: true });
    expect(String(error)).not.toMatch(/hidden|127\.0\.0\.1/);
  });
});

describeOnBothDatabases('A transaction', (kind) => {
  test('passes on the errors of its work as they are', async () => {
    await using opened = await openTestStore(kind);
    const own = new Error('mine');
    await expect(opened.store.withSystem('health', () => Promise.reject(own))).rejects.toBe(own);
    const wrong = opened.store.withSystem('health', (tx) => sql`SELECT nonsense`.execute(tx));
    await expect(wrong).rejects.toMatchObject({ code: '42703' });
  });

  if (kind !== 'postgres') return;

  test('whose connection is cut is AUDIT_UNAVAILABLE, and the next one works again', async () => {
    await using opened = await openTestStore(kind);
    const { store } = opened;
    const cut = store.withSystem('health', async (tx) => {
      const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
      await sql`SELECT pg_terminate_backend(${rows[0]?.pid ?? 0}::int)`.execute(tx);
    });
    await expect(cut).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    const { rows } = await store.withSystem('health', (tx) =>
      sql<{ one: number }>`SELECT 1 AS one`.execute(tx),
    );
    expect(rows).toEqual([{ one: 1 }]);
  });

  test('whose connection was cut between two of its queries is AUDIT_UNAVAILABLE too', async () => {
    await using opened = await openTestStore(kind);
    const beside = new pg.Client({ connectionString: opened.connectionString ?? '' });
    await beside.connect();
    const cut = opened.store.withSystem('health', async (tx) => {
      const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
      const pid = rows[0]?.pid ?? 0;
      await beside.query('SELECT pg_terminate_backend($1, 60000)', [pid]);
      // The end of the connection is known here before this answer is.
      await beside.query('SELECT 1');
      await sql`SELECT 1`.execute(tx);
    });
    await expect(cut).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    await beside.end();
  });

  test('that stands still gives its locks back before a lease would be over twice', async () => {
    await using opened = await openTestStore(kind);
    const { rows } = await opened.store.withSystem('health', (tx) =>
      sql<{ limit: string }>`SELECT current_setting('idle_in_transaction_session_timeout') AS limit`.execute(
        tx,
      ),
    );
    expect(rows).toEqual([{ limit: '10s' }]);
  });
});
