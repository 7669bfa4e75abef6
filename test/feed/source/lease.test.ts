/** One process attends to a feed at a time, and a former holder that does not know of its loss can write nothing. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createId } from '../../../src/base/index.ts';
import {
  claimLease,
  disableFeed,
  enableFeed,
  type FeedLease,
  findUnattendedFeeds,
  LeaseLostError,
  lockHead,
  releaseLease,
  renewLease,
} from '../../../src/feed/index.ts';
import type { Store, Tx } from '../../../src/store/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../../support/store.ts';

const HOUR = 3_600_000;

interface Desk {
  readonly store: Store;
  readonly key: { readonly tenantId: string; readonly integrationId: string };
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  claim(holder: string, lifetimeMs?: number): Promise<FeedLease | null>;
}

/** A feed of a new tenant. */
async function openDesk(store: Store): Promise<Desk> {
  const key = { tenantId: createId('tenant'), integrationId: createId('integration') };
  await store.withSystem('tenant-administration', async (tx) => {
    const at = new Date();
    await tx
      .insertInto('tenants')
      .values({ id: key.tenantId, kind: 'CUSTOMER', name: 'Acme', created_at: at })
      .execute();
    await tx
      .insertInto('integrations')
      .values({
        ...{ id: key.integrationId, tenant_id: key.tenantId, name: 'acme', system_type: 'ZENDESK' },
        ...{ subdomain: 'acme', credential_id: null, allowed_operations: [], status: 'ACTIVE' },
        ...{ created_at: at, updated_at: at },
      })
      .execute();
  });
  const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => store.withTenant(key.tenantId, work);
  await run((tx) =>
    enableFeed(tx, {
      ...key,
      ...{ at: new Date(), webhook: null, webhookVersion: 1, webhookFault: null, exportStart: 0 },
    }),
  );
  return {
    ...{ store, key, run },
    claim: (holder, lifetimeMs = HOUR) => run((tx) => claimLease(tx, { ...key, holder, lifetimeMs })),
  };
}

describeOnBothDatabases('The lease on a feed', (kind) => {
  let opened: TestStore | undefined;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());
  const store = (): Store => {
    if (opened === undefined) throw new Error('The store opens before the first test');
    return opened.store;
  };

  test('is held by one of two, until it is given back', async () => {
    const desk = await openDesk(store());
    const free = () => desk.store.withSystem('feed-leases', (tx) => findUnattendedFeeds(tx, 100));
    const [first, second] = await Promise.all([desk.claim('a'), desk.claim('b')]);
    const [held, refused] = first === null ? [second, first] : [first, second];
    expect(held).toMatchObject({ integrationId: desk.key.integrationId, epoch: 1 });
    expect(refused).toBeNull();
    const lease = held as FeedLease;
    expect(await free()).not.toContainEqual(desk.key);
    await desk.run((tx) => releaseLease(tx, lease));
    expect(await free()).toContainEqual(desk.key);
    expect(await desk.claim('c')).toMatchObject({ holder: 'c', epoch: 2 });
  });

  test('that ran out is another’s, and the former holder can neither write, renew nor give it back', async () => {
    const desk = await openDesk(store());
    const old = (await desk.claim('a', 0)) as FeedLease;
    // Nobody came: the holder is late and holds on.
    await desk.run((tx) => lockHead(tx, old));
    const lease = (await desk.claim('b')) as FeedLease;
    expect(lease).toMatchObject({ holder: 'b', epoch: 2 });
    await expect(desk.run((tx) => lockHead(tx, old))).rejects.toThrow(LeaseLostError);
    expect(await desk.run((tx) => renewLease(tx, old, HOUR))).toBe(false);
    await desk.run((tx) => releaseLease(tx, old));
    await desk.run((tx) => lockHead(tx, lease));
    expect(await desk.run((tx) => renewLease(tx, lease, HOUR))).toBe(true);
  });

  test('of the same holder is another one under a new epoch', async () => {
    const desk = await openDesk(store());
    const old = (await desk.claim('a')) as FeedLease;
    expect(await desk.claim('a')).toMatchObject({ epoch: 2 });
    await expect(desk.run((tx) => lockHead(tx, old))).rejects.toThrow(LeaseLostError);
  });

  // An embedded database has the clock of its one process.
  if (kind === 'postgres') {
    test('lasts by the clock of the database, whatever those of the processes say', async () => {
      const desk = await openDesk(store());
      const now = Date.now;
      try {
        Date.now = () => now() + 24 * HOUR;
        expect(await desk.claim('ahead')).not.toBeNull();
        Date.now = () => now() - 24 * HOUR;
        expect(await desk.claim('behind')).toBeNull();
        Date.now = () => now() + 48 * HOUR;
        expect(await desk.claim('far-ahead')).toBeNull();
      } finally {
        Date.now = now;
      }
    });
  }

  test('is lost when the feed is turned off, and not to be had before it is on again', async () => {
    const desk = await openDesk(store());
    const lease = (await desk.claim('a')) as FeedLease;
    await desk.run((tx) => disableFeed(tx, desk.key, null));
    await expect(desk.run((tx) => lockHead(tx, lease))).rejects.toThrow(LeaseLostError);
    expect(await desk.claim('b')).toBeNull();
  });
});
