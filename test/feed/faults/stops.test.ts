/** Gateways that are stopped as operators stop them, `serve` and its own times: who was served there goes on elsewhere at once. */
import { expect, test } from 'vitest';
import { freePorts } from '../../cli/program.ts';
import { describeOnPostgres } from '../../support/store.ts';
import { type Cluster, DEADLINE_MS, openCluster } from './cluster.ts';
import { type GatewayProcess, openServeProcess } from './gateway-process.ts';

const STOPS = process.env['SLOW'] === '1' ? 10 : 2;
const SEED = Number(process.env['SEALDESK_TEST_SEED'] ?? Date.now() % 1_000_000);

async function serve({ parts: { spec } }: Cluster): Promise<GatewayProcess> {
  const [port = 0] = await freePorts(1);
  return openServeProcess({ ...spec, port });
}

describeOnPostgres('A gateway that is asked to stop', () => {
  test(`tells its subscriber to go elsewhere and gives the lease back (seed ${SEED})`, async () => {
    await using cluster = await openCluster({ seed: SEED, clockOffsetsMs: [0] });
    const { processes, routes, subscriber, rows, traffic } = cluster.parts;
    const [founder] = processes.splice(0, 1, await serve(cluster));
    await founder?.kill();
    traffic.start();
    for (let stop = 0; stop < STOPS; stop += 1) {
      const [old] = processes;
      if (old === undefined) throw new Error('One process runs');
      routes.ingester = old;
      expect(await cluster.server()).toBe(old);
      const { epoch } = await rows.until(
        (all) => all.lease(),
        ({ isOver, holder }) => !isOver && holder !== null,
        AbortSignal.timeout(DEADLINE_MS),
      );
      const next = await serve(cluster);
      processes.unshift(next);
      await traffic.makes(20);
      const { until } = await rows.lease();
      const states = subscriber.states.length;
      routes.ingester = next;
      // From now on nobody is sent there.
      processes.splice(processes.indexOf(old), 1);
      const stopped = old.stop();
      await rows.until(
        (all) => all.lease(),
        (lease) => lease.epoch > epoch && !lease.isOver,
        AbortSignal.timeout(DEADLINE_MS),
      );
      // Another has it before it would have been over: it was given back.
      expect(await rows.now()).toBeLessThan(until);
      expect(await cluster.server()).toBe(next);
      // What the SDK makes of close code 1012.
      expect(subscriber.states.slice(states).find(({ kind }) => kind === 'WAITING')).toMatchObject({
        error: { code: 'CONNECTION_LOST', message: 'The gateway stops.' },
      });
      await cluster.getsNews();
      expect(await stopped).toBe(0);
    }
    // It is read once a minute.
    await cluster.settle({ readings: 1 });
  }, 600_000);
});
