/** The database goes away in mid-stream, and comes back: nothing is missing at the subscriber, nothing comes twice. */
import { describe, expect, test } from 'vitest';
import { isCi } from '../../support/store.ts';
import { openCluster } from './cluster.ts';
import { findPostgresPrograms, openPostgresServer } from './postgres-server.ts';
import { createRandom } from './traffic.ts';

const RESTARTS = process.env['SLOW'] === '1' ? 40 : 10;
const SEED = Number(process.env['SEALDESK_TEST_SEED'] ?? Date.now() % 1_000_000);
const programs = findPostgresPrograms();

describe.skipIf(programs === null && !isCi)('A database that is restarted, and one that crashes,', () => {
  test(`costs the subscriber nothing (seed ${SEED})`, async () => {
    if (programs === null) throw new Error('No PostgreSQL server is installed');
    await using server = await openPostgresServer(programs);
    const { connectionString: databaseUrl } = server;
    await using cluster = await openCluster({ seed: SEED, databaseUrl, clockOffsetsMs: [0, 0] });
    const { traffic, subscriber } = cluster.parts;
    const random = createRandom(SEED);
    traffic.start();
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      await traffic.makes(1 + Math.floor(random() * 30));
      await server.restart(random() < 0.5 ? 'immediate' : 'fast');
      await cluster.getsNews();
    }
    await cluster.settle();
    expect(subscriber.received).toBeGreaterThan(RESTARTS);
  }, 900_000);
});
