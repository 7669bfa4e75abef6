/** A feed whose integration has to be connected again: it waits without asking Zendesk, and goes on when it is. */
import { expect, it } from 'vitest';
import { updateIntegration } from '../../refresh/pair.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { eventually, openTicket, useSourceRigs } from './source-rig.ts';

describeOnBothDatabases('a feed whose credential Zendesk refuses', (database) => {
  const openRig = useSourceRigs(database);

  it('waits until an admin connects the integration again, and misses nothing', async () => {
    await using rig = await openRig();
    const { simulator, gateway, tenant } = rig;
    await rig.enable();
    const worker = rig.startWorker();
    await eventually(rig.status, ({ export: { polledAt } }) => polledAt !== null);
    simulator.faults.add({
      path: '/api/v2/**',
      effect: { kind: 'status', status: 401, body: '{"error":"invalid_token"}' },
    });
    const id = openTicket(simulator);
    simulator.tickets.change(id, { priority: 'urgent' });
    const waiting = await eventually(rig.status, ({ loadFault }) => loadFault === 'NEEDS_RECONNECT');
    expect(waiting).toMatchObject({ status: 'ENABLED', leaseHolder: worker.holder });
    simulator.faults.clear();

    // What was under way when it turned has ended by then.
    let leaseUntil = waiting.leaseUntil?.getTime() ?? 0;
    const renewed = async () => {
      const { leaseUntil: next } = await eventually(
        rig.status,
        (status) => (status.leaseUntil?.getTime() ?? 0) > leaseUntil,
      );
      leaseUntil = next?.getTime() ?? 0;
    };
    for (let renewals = 0; renewals < 3; renewals += 1) await renewed();
    const asked = simulator.requests.total;
    for (let renewals = 0; renewals < 5; renewals += 1) await renewed();
    expect(simulator.requests.total).toBe(asked);
    expect(await rig.status()).toMatchObject({ leaseHolder: worker.holder, loadFault: 'NEEDS_RECONNECT' });

    await updateIntegration(gateway, tenant, { credentialId: tenant.credentialId });
    await eventually(rig.status, ({ loadFault, waiting: left }) => loadFault === null && left === 0);
    const follower = await rig.follow();
    simulator.tickets.change(id, { priority: 'low' });
    const change = await follower.until((one) => one.kind === 'CHANGED' && one.ticket_id === id);
    expect(change).toMatchObject({ previous: { priority: 'urgent' } });
  });
});
