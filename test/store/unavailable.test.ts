import { once } from 'node:events';
import { createServer } from 'node:net';
import { sql } from 'kysely';
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
});
