/** Zendesk that is away, and webhooks that are lost, repeated and out of order: nothing is missing at the subscriber, nothing comes twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FaultRule } from '../../../simulator/index.ts';
import { describeOnPostgres } from '../../support/store.ts';
import { type Cluster, openCluster } from './cluster.ts';

const CHANGES_PER_SECOND = 20;
/** For so long Zendesk is away, by what is changed there meanwhile. */
const SECONDS_AWAY = process.env['SLOW'] === '1' ? 60 : 4;
const DISTURBANCES = process.env['SLOW'] === '1' ? 20 : 4;
const SEED = Number(process.env['SEALDESK_TEST_SEED'] ?? Date.now() % 1_000_000);

const EVERYTHING = '/api/v2/**';
type Absence = 'refuses connections' | 'hangs up without an answer' | 'answers that it is not to be had';

/** Begins it; how to end it. */
async function begin(
  absence: Absence,
  { parts: { zendesk, simulator } }: Cluster,
): Promise<() => Promise<void>> {
  const spoil = (effect: FaultRule['effect']) => {
    const rule = simulator.faults.add({ path: EVERYTHING, effect });
    return async () => {
      simulator.faults.remove(rule);
    };
  };
  switch (absence) {
    case 'refuses connections':
      await zendesk.refuse();
      return () => zendesk.listen();
    case 'hangs up without an answer':
      return spoil({ kind: 'close' });
    case 'answers that it is not to be had':
      return spoil({ kind: 'status', status: 503, retryAfter: 1 });
    default:
      return absence satisfies never;
  }
}

describeOnPostgres('The feed', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    const changesPerSecond = CHANGES_PER_SECOND;
    cluster = await openCluster({ seed: SEED, clockOffsetsMs: [0, 0], changesPerSecond });
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  test.each<Absence>([
    'refuses connections',
    'hangs up without an answer',
    'answers that it is not to be had',
  ])(`catches up on a Zendesk that for a while %s, though all webhooks of that time are lost (seed ${SEED})`, async (absence) => {
    const { traffic, simulator, rows } = cluster.parts;
    traffic.start();
    await traffic.makes(CHANGES_PER_SECOND);
    const { repaired } = await rows.feed();
    const end = await begin(absence, cluster);
    simulator.webhooks.disturb({ loss: 1, seed: SEED });
    await traffic.makes(SECONDS_AWAY * CHANGES_PER_SECOND);
    simulator.webhooks.calm();
    await end();
    await cluster.settle();
    expect((await rows.feed()).repaired).toBeGreaterThan(repaired);
  }, 600_000);

  test(`repairs what webhooks lose, repeat and disorder, and counts it (seed ${SEED})`, async () => {
    const { traffic, simulator, rows } = cluster.parts;
    const { repaired } = await rows.feed();
    traffic.start();
    for (let round = 0; round < DISTURBANCES; round += 1) {
      simulator.webhooks.disturb({ loss: 0.3, duplicate: 0.3, disorder: 0.5, seed: SEED + round });
      await traffic.makes(4 * CHANGES_PER_SECOND);
    }
    await cluster.settle();
    simulator.webhooks.calm();
    expect((await rows.feed()).repaired).toBeGreaterThan(repaired);
  }, 600_000);
});
