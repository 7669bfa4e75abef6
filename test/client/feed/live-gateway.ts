/** A whole gateway behind a port whose change feed is on, over a simulated Zendesk that the test changes. */
import { openFeedWorker } from '../../../src/service/index.ts';
import { QUICK } from '../../feed/source/source-rig.ts';
import {
  type ListeningGateway,
  type OpenListeningGatewayOptions,
  openListeningGateway,
} from '../../support/listening-gateway.ts';
import { ALL_OPERATIONS, createTestTenant, dataOf, type TestTenant } from '../../support/tenant.ts';

export interface LiveGateway extends AsyncDisposable {
  readonly listening: ListeningGateway;
  readonly tenant: TestTenant;
  /** A new ticket at Zendesk; its id. */
  createTicket(subject: string): number;
}

const ENABLE = 'mutation ($id: ID!) { enableTicketFeed(integrationId: $id) { auditEventId } }';

export async function openLiveGateway(options: OpenListeningGatewayOptions = {}): Promise<LiveGateway> {
  await using resources = new AsyncDisposableStack();
  const listening = resources.use(
    await openListeningGateway({
      tailTimes: { pollMs: 50 },
      simulator: {
        ...{ tickets: 12, history: true, exportLagSeconds: 0, accountLimit: 100_000 },
        endpointLimits: { 'incremental-exports': 100_000, webhooks: 100_000 },
      },
      ...options,
    }),
  );
  const { gateway } = listening;
  const tenant = await createTestTenant(gateway, {
    allowedOperations: [...ALL_OPERATIONS, 'subscribe_tickets'],
  });
  dataOf(
    await gateway.graphql(ENABLE, {
      apiKey: tenant.keys.admin,
      variables: { id: tenant.integrationId },
    }),
  );
  resources.use(openFeedWorker(gateway.deps, { times: QUICK }));
  const kept = resources.move();
  return {
    listening,
    tenant,
    createTicket: (subject) => gateway.simulator.tickets.create({ subject, comment: { body: 'Live.' } }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
