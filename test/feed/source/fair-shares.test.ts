/** One tenant with much to do does not keep a process from the others. */
import { expect, test } from 'vitest';
import { findUnattendedFeeds } from '../../../src/feed/index.ts';
import { Slots } from '../../../src/service/feed/slots.ts';
import { openFeedWorker } from '../../../src/service/index.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { ALL_OPERATIONS, createTestTenant } from '../../support/tenant.ts';
import { eventually, openSourceRig, QUICK } from './source-rig.ts';

const { signal } = new AbortController();

test('Of the places to work, one tenant has a quarter, and others come before what it asks for beyond', async () => {
  const slots = new Slots(8);
  const order: string[] = [];
  const works = ['a', 'a', 'a', 'a', 'b', 'c'].map((tenant) => {
    const { promise, resolve: end } = Promise.withResolvers<void>();
    const begin = async (): Promise<void> => {
      order.push(tenant);
      await promise;
    };
    return { end, over: slots.use(tenant, begin, signal) };
  });
  const endOf = async (index: number): Promise<void> => {
    works[index]?.end();
    await works[index]?.over;
  };
  await Promise.resolve();
  expect(order).toEqual(['a', 'a', 'b', 'c']);
  await endOf(4);
  expect(order).toEqual(['a', 'a', 'b', 'c']);
  await endOf(0);
  expect(order).toEqual(['a', 'a', 'b', 'c', 'a']);
  for (const { end } of works) end();
  await Promise.all(works.map(({ over }) => over));
  expect(order).toEqual(['a', 'a', 'b', 'c', 'a', 'a']);
});

test('What waits for a place is not begun once it is aborted', async () => {
  const slots = new Slots(1);
  const stop = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = slots.use('a', () => promise, signal);
  const second = slots.use('b', async () => 'begun', stop.signal);
  stop.abort(new Error('stopped'));
  resolve();
  await first;
  await expect(second).rejects.toThrow('stopped');
  await expect(slots.use('a', async () => 'free', signal)).resolves.toBe('free');
});

describeOnBothDatabases('A process that holds all it does for one tenant', (kind) => {
  test('takes more of its feeds only where no other tenant’s are unattended', async () => {
    await using rig = await openSourceRig(kind);
    const { gateway, services } = rig;
    await rig.enable();
    const other = await createTestTenant(gateway, {
      name: 'Globex',
      allowedOperations: [...ALL_OPERATIONS, 'subscribe_tickets'],
    });
    const admin = await rig.callOf(other.keys.admin);
    await services.enableTicketFeed(admin, { integrationId: other.integrationId });
    const unattended = await gateway.store.withSystem('feed-leases', (tx) =>
      findUnattendedFeeds(tx, 10, [rig.tenant.id]),
    );
    expect(unattended).toEqual([{ tenantId: other.id, integrationId: other.integrationId }]);
    await using worker = openFeedWorker(rig.deps, { times: QUICK, maxFeedsOfTenant: 1 });
    await eventually(
      async () => worker.held,
      (held) => held === 2,
    );
    // Nobody else wants it.
    await rig.disable();
    await rig.enable();
    await eventually(rig.status, ({ leaseHolder }) => leaseHolder === worker.holder);
  });
});
