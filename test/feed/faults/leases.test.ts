/** Leases under processes that stand still, and under clocks that are wrong. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeOnPostgres } from '../../support/store.ts';
import { type Cluster, DEADLINE_MS, openCluster } from './cluster.ts';
import { createRandom } from './traffic.ts';

const FREEZES = process.env['SLOW'] === '1' ? 30 : 3;
const KILLS = process.env['SLOW'] === '1' ? 20 : 3;
const SEED = Number(process.env['SEALDESK_TEST_SEED'] ?? Date.now() % 1_000_000);
const TEN_MINUTES_MS = 600_000;

describeOnPostgres('A process that stands still while it holds the lease', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await openCluster({ seed: SEED });
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  test(`appends nothing once another took over, though it believes to hold it still (seed ${SEED})`, async () => {
    const { traffic, rows } = cluster.parts;
    const random = createRandom(SEED);
    traffic.start();
    for (let freeze = 0; freeze < FREEZES; freeze += 1) {
      const old = await cluster.holder();
      const { epoch } = await rows.lease();
      await traffic.makes(1 + Math.floor(random() * 20));
      old.freeze();
      const taken = await rows.until(
        (all) => all.lease(),
        (lease) => lease.epoch > epoch && lease.holder !== old.holder,
        AbortSignal.timeout(DEADLINE_MS),
      );
      // It wakes up in the midst of what it was doing, beside the one that took over.
      old.thaw();
      await cluster.getsNews();
      expect((await rows.lease()).epoch).toBeGreaterThanOrEqual(taken.epoch);
    }
    await cluster.settle();
  }, 600_000);
});

describeOnPostgres('Processes whose clocks are ten minutes before and behind', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    // The first one takes webhooks in, whose time counts.
    cluster = await openCluster({
      seed: SEED,
      clockOffsetsMs: [0, TEN_MINUTES_MS, -TEN_MINUTES_MS],
      maxClockSkewSeconds: (TEN_MINUTES_MS / 1_000) * 2,
    });
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  test(`take the lease from nobody who lives, and keep the order (seed ${SEED})`, async () => {
    const { rows, routes, traffic } = cluster.parts;
    traffic.start();
    let losses = 0;
    const offsets = new Set<number>();
    // Until each of them held it once.
    let kills = 0;
    for (; kills < KILLS || offsets.size < 3; kills += 1) {
      const holder = await cluster.holder();
      const { epoch } = await rows.lease();
      await traffic.makes(60);
      losses += (await rows.lease()).epoch - epoch;
      offsets.add(holder.clockOffsetMs);
      await holder.kill();
      const [made] = await Promise.all([cluster.replace(holder), cluster.getsNews()]);
      if (routes.ingester === holder) routes.ingester = made;
    }
    await cluster.settle();
    // Who went by a wrong clock would take it at each look, several times a second; a busy machine costs one at times.
    expect(losses).toBeLessThan(kills * 2);
  }, 600_000);
});
