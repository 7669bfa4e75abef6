/** What the feed does when a source fails: it says so, goes on with the other, and misses nothing afterwards. */
import { expect, test } from 'vitest';
import { describeOnBothDatabases } from '../../support/store.ts';
import { ALL_OPERATIONS, dataOf } from '../../support/tenant.ts';
import { eventually, openTicket, useSourceRigs } from './source-rig.ts';

const EXPORT = '/api/v2/incremental/tickets/cursor';
const REFUSAL = { kind: 'status', status: 422, body: '{"error":"InvalidValue"}' } as const;
const ALLOW = `mutation($id: ID!, $operations: [String!]!) {
  updateIntegration(input: { id: $id, allowedOperations: $operations }) { integration { id } }
}`;

describeOnBothDatabases('A feed', (kind) => {
  const open = useSourceRigs(kind);

  test('whose export is forbidden runs on webhooks, and reads the export once it may', async () => {
    await using rig = await open();
    const { simulator } = rig;
    simulator.faults.add({ path: EXPORT, effect: { kind: 'status', status: 403 } });
    await rig.enable();
    const follower = await rig.follow();
    rig.startWorker();
    const status = await eventually(rig.status, (one) => one.export.fault !== null);
    expect(status.export).toMatchObject({ state: 'FAULTY', fault: 'UPSTREAM_FORBIDDEN' });
    const id = openTicket(simulator);
    simulator.tickets.change(id, { tags: ['told'] });
    await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === id);
    simulator.faults.clear();
    await eventually(rig.status, (one) => one.export.state === 'CURRENT' && one.export.fault === null);
  });

  test('whose place in the export is refused reads it again from before, and tells nothing twice', async () => {
    await using rig = await open();
    const { simulator } = rig;
    await rig.enable();
    const follower = await rig.follow();
    rig.startWorker();
    const [first, second] = [openTicket(simulator, 0), openTicket(simulator, 1)];
    simulator.tickets.change(first, { tags: ['first'] });
    await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === first);
    await eventually(rig.status, (one) => one.export.state === 'CURRENT');
    const before = simulator.requests.total;
    simulator.faults.add({ path: EXPORT, count: 1, effect: REFUSAL });
    await simulator.waitForRequest(
      ({ path, query }) => path.startsWith(EXPORT) && query.includes('start_time'),
      {
        after: before,
      },
    );
    simulator.webhooks.disturb({ loss: 1 });
    simulator.tickets.change(second, { tags: ['second'] });
    await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === second);
    expect(follower.of(first)).toHaveLength(1);
    expect(follower.changes.some((change) => change.kind === 'GAP')).toBe(false);
  });

  test('whose export takes no earlier time either tells its streams that something may be missing', async () => {
    await using rig = await open();
    const { simulator, gateway, tenant } = rig;
    await rig.enable();
    const follower = await rig.follow();
    await gateway.store.withTenant(tenant.id, (tx) =>
      tx.updateTable('ticket_feeds').set({ export_start: 1_700_000_000 }).execute(),
    );
    // Twice may be a whim.
    simulator.faults.add({ path: EXPORT, count: 3, effect: REFUSAL });
    rig.startWorker();
    expect(await follower.until((change) => change.kind === 'GAP')).toEqual({
      ...{ v: 1, kind: 'GAP', reason: 'SOURCE_RESTARTED' },
    });
    await eventually(rig.status, (one) => one.export.state === 'CURRENT');
  });

  test('whose Zendesk is away says so, and has what happened meanwhile once it is back', async () => {
    await using rig = await open();
    const { simulator } = rig;
    await rig.enable();
    const follower = await rig.follow();
    rig.startWorker();
    simulator.faults.add({ path: '/api/v2/**', effect: { kind: 'close' } });
    const id = openTicket(simulator);
    simulator.tickets.change(id, { tags: ['meanwhile'] });
    const away = await eventually(rig.status, (one) => one.loadFault !== null && one.export.fault !== null);
    expect(away).toMatchObject({
      loadFault: 'UPSTREAM_UNAVAILABLE',
      export: { fault: 'UPSTREAM_UNAVAILABLE' },
    });
    expect(away.waiting).toBe(1);
    simulator.faults.clear();
    await follower.until((change) => change.kind === 'CHANGED' && change.ticket_id === id);
    await eventually(rig.status, (one) => one.loadFault === null && one.export.fault === null);
  });

  test('whose operation is taken out of the policy rests, and goes on when it is back', async () => {
    await using rig = await open();
    const { simulator, gateway, tenant } = rig;
    const allow = async (...operations: string[]) =>
      dataOf(
        await gateway.graphql(ALLOW, {
          ...{ apiKey: tenant.keys.admin, variables: { id: tenant.integrationId, operations } },
        }),
      );
    await rig.enable();
    rig.startWorker();
    await eventually(rig.status, (one) => one.export.state === 'CURRENT');
    await allow(...ALL_OPERATIONS);
    await eventually(rig.status, (one) => one.loadFault === 'OPERATION_NOT_ALLOWED');
    const id = openTicket(simulator);
    simulator.tickets.change(id, { tags: ['rested'] });
    await simulator.webhooks.untilDelivered();
    expect(await rig.status()).toMatchObject({ appended: 0, waiting: 1 });
    await allow(...ALL_OPERATIONS, 'subscribe_tickets');
    await eventually(rig.status, (one) => one.appended === 1 && one.loadFault === null);
  });

  test('has another process attend to it at once when the first one stops', async () => {
    await using rig = await open();
    await rig.enable();
    const first = rig.startWorker({ lease: 600_000 });
    await eventually(rig.status, ({ leaseHolder }) => leaseHolder === first.holder);
    const second = rig.startWorker({ lease: 600_000 });
    await first[Symbol.asyncDispose]();
    await eventually(rig.status, ({ leaseHolder }) => leaseHolder === second.holder);
    expect([first.held, second.held]).toEqual([0, 1]);
  });
});
