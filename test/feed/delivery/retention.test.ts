import { expect, test } from 'vitest';
import { lockLog, type RetentionTerms, retireUnreadStreams, trimStreams } from '../../../src/feed/index.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { type FeedDesk, openFeedDesk, take, takeChanges } from './feed-desk.ts';

const KEEP: RetentionTerms = { keepMs: 3_600_000, maxStreamBytes: 2 ** 40 };

/** What the process that attends to the feed does now and then, at `now`. */
async function retain(desk: FeedDesk, terms: RetentionTerms, now: Date = new Date()): Promise<void> {
  const { id: tenantId, integrationId } = desk.tenant;
  for (let goesOn = true; goesOn; ) {
    goesOn = await desk.gateway.store.withTenant(tenantId, async (tx) => {
      await lockLog(tx, tenantId, integrationId);
      await retireUnreadStreams(tx, { tenantId, integrationId }, terms, now);
      return trimStreams(tx, { tenantId, integrationId }, terms, now);
    });
  }
}

const inTwoHours = () => new Date(Date.now() + 7_200_000);

async function follow(desk: FeedDesk, after: string | null = null) {
  const session = await desk.openSession();
  return session.subscribe({ integrationId: desk.tenant.integrationId, after }, new AbortController().signal);
}

const rowsOf = (desk: FeedDesk) =>
  desk.gateway.store.withTenant(desk.tenant.id, (tx) =>
    tx.selectFrom('feed_entries').select('sequence').orderBy('sequence').execute(),
  );
const streamOf = (desk: FeedDesk) =>
  desk.gateway.store.withTenant(desk.tenant.id, (tx) =>
    tx.selectFrom('feed_streams').selectAll().executeTakeFirstOrThrow(),
  );

describeOnBothDatabases('The log', (kind) => {
  test('lets go what is older than it keeps, and names the oldest cursor to who comes with an older one', async () => {
    await using desk = await openFeedDesk(kind);
    const events = await follow(desk);
    await take(events, 1);
    await desk.append(1, 2, 3);
    const [first, , third] = await takeChanges(events, 3);
    await desk.gateway.store.withTenant(desk.tenant.id, (tx) =>
      tx.updateTable('feed_streams').set({ read_at: inTwoHours() }).execute(),
    );
    await retain(desk, KEEP, inTwoHours());
    expect(await rowsOf(desk)).toEqual([]);
    expect(await streamOf(desk)).toMatchObject({ state: 'OPEN', sequence: 3, oldest: 3, bytes: 0 });
    await expect(follow(desk, first?.cursor ?? '')).rejects.toMatchObject({
      code: 'CURSOR_EXPIRED',
      details: { subject: third?.cursor },
    });
    const again = await follow(desk, third?.cursor ?? '');
    await take(again, 1);
    await desk.append(4);
    expect((await takeChanges(again, 1))[0]?.sequence).toBe(4);
  });

  test('holds no more of a stream than it may, and always its newest', async () => {
    await using desk = await openFeedDesk(kind);
    const events = await follow(desk);
    await take(events, 1);
    for (let round = 0; round < 4; round += 1) await desk.append(1, 2, 3);
    const { bytes } = await streamOf(desk);
    await retain(desk, { ...KEEP, maxStreamBytes: Math.ceil(bytes / 2) });
    const kept = (await rowsOf(desk)).map(({ sequence }) => sequence);
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThanOrEqual(6);
    expect(kept.at(-1)).toBe(12);
    expect(kept).toEqual(kept.map((_, index) => 13 - kept.length + index));
    const stream = await streamOf(desk);
    expect(stream.oldest).toBe(12 - kept.length);
    expect(stream.bytes).toBeLessThanOrEqual(Math.ceil(bytes / 2));
  });

  test('takes every subscription for a reading of its stream, however short', async () => {
    await using desk = await openFeedDesk(kind);
    await (await follow(desk)).return?.();
    const longAgo = new Date(Date.now() - 600_000);
    await desk.gateway.store.withTenant(desk.tenant.id, (tx) =>
      tx.updateTable('feed_streams').set({ read_at: longAgo }).execute(),
    );
    await (await follow(desk)).return?.();
    expect((await streamOf(desk)).read_at.getTime()).toBeGreaterThan(longAgo.getTime() + 300_000);
  });

  test('stops sealing for a stream that nobody reads, until somebody does', async () => {
    await using desk = await openFeedDesk(kind);
    const events = await follow(desk);
    await take(events, 1);
    await desk.append(1);
    const [seen] = await takeChanges(events, 1);
    await events.return?.();
    await retain(desk, KEEP, inTwoHours());
    const { sealer } = desk.gateway.deps.feed;
    const before = sealer.sealed;
    await desk.append(2);
    expect(sealer.sealed).toBe(before);
    // Who had read everything must not take the change that was not sealed for none.
    await expect(follow(desk, seen?.cursor ?? '')).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    const again = await follow(desk);
    const [position] = await take(again, 1);
    await desk.append(3);
    const [next] = await takeChanges(again, 1);
    expect(next?.sequence).toBe((position?.sequence ?? 0) + 1);
  });

  test('loses nothing to a subscriber that it overtakes: that one is told', async () => {
    await using desk = await openFeedDesk(kind);
    const slow = await follow(desk);
    await take(slow, 1);
    for (let start = 0; start < 320; start += 32) {
      await desk.append(...Array.from({ length: 32 }, (_, index) => start + index + 1));
    }
    await retain(desk, { ...KEEP, maxStreamBytes: 1 });
    await expect(
      (async () => {
        for await (const event of slow) expect(event.type).toBe('CHANGE');
      })(),
    ).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
  });
});
