/** Processes that die at any moment, kill -9, while tickets change: nothing is missing at the subscriber, nothing comes twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeOnPostgres } from '../../support/store.ts';
import { type Cluster, openCluster } from './cluster.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { createRandom, workableTickets } from './traffic.ts';

const KILLS = process.env['SLOW'] === '1' ? 100 : 10;
/** Of each kill: what the one did is not made good by what follows. */
const TICKETS = 8;
const SEED = Number(process.env['SEALDESK_TEST_SEED'] ?? Date.now() % 1_000_000);

type Role = 'takes webhooks in' | 'holds the lease' | 'serves the subscriber';

function victimOf(cluster: Cluster, role: Role): Promise<GatewayProcess> {
  switch (role) {
    case 'takes webhooks in': {
      const { ingester } = cluster.parts.routes;
      if (ingester === null) throw new Error('Webhooks go somewhere');
      return Promise.resolve(ingester);
    }
    case 'holds the lease':
      return cluster.holder();
    case 'serves the subscriber':
      return cluster.server();
    default:
      return role satisfies never;
  }
}

describeOnPostgres('Killing, again and again, the process that', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await openCluster({ seed: SEED });
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  test.each<Role>(['takes webhooks in', 'holds the lease', 'serves the subscriber'])(
    `%s costs the subscriber nothing (seed ${SEED})`,
    async (role) => {
      const { traffic, routes, simulator, subscriber } = cluster.parts;
      const random = createRandom(SEED);
      const tickets = workableTickets(simulator);
      const before = subscriber.received;
      traffic.start();
      for (let kill = 0; kill < KILLS; kill += 1) {
        const begin = Math.floor(random() * (tickets.length - TICKETS));
        traffic.turnTo(tickets.slice(begin, begin + TICKETS));
        routes.losesWebhooks = random() < 0.5;
        const victim = await victimOf(cluster, role);
        await traffic.makes(1 + Math.floor(random() * 30));
        await victim.kill();
        const [made] = await Promise.all([cluster.replace(victim), cluster.getsNews()]);
        if (routes.ingester === victim) routes.ingester = made;
      }
      await cluster.settle();
      expect(subscriber.received).toBeGreaterThan(before + KILLS);
    },
    KILLS * 60_000,
  );
});
