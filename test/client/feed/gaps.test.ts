/** Places where changes may be missing: the program takes a new snapshot, and misses nothing around it. */
import { describe, expect, it } from 'vitest';
import { type FeedGap, FeedGapError, type TicketChangeContent } from '../../../src/client/index.ts';
import { changed } from './feed-log.ts';
import type { FeedScript } from './feed-server.ts';
import { openRig, reasonsOf, TRANSPORTS, take } from './rig.ts';

const GAPS: readonly TicketChangeContent[] = [
  { v: 1, kind: 'GAP', reason: 'NO_ACTIVE_KEY' },
  { v: 1, kind: 'GAP', reason: 'SOURCE_RESTARTED' },
];

const expired: FeedScript = async (serving) => serving.fail('CURSOR_EXPIRED', { subject: 'b2xk' });

describe('a gap in the stream', () => {
  it.each(GAPS)('is told before what comes after it: %j', async (gap) => {
    const rig = await openRig();
    rig.log.append(changed(1), gap, changed(3));
    const told: unknown[] = [];
    await using changes = rig.follow({
      onGap: async (one) => {
        // While the snapshot is taken, the place is still the one before.
        told.push(one, changes.cursor);
      },
    });
    const taken = await take(changes, 2);
    expect(taken.map(({ sequence }) => sequence)).toEqual([1, 3]);
    const { reason } = gap as Extract<TicketChangeContent, { kind: 'GAP' }>;
    expect(told).toEqual([{ reason, cursor: rig.log.cursor(2) }, rig.log.cursor(1)]);
  });

  it('ends the iteration where nobody takes a snapshot, and tells where to go on', async () => {
    const rig = await openRig();
    rig.log.append(GAPS[0] as TicketChangeContent, changed(2));
    const changes = rig.follow();
    const error = await changes.next().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FeedGapError);
    expect(error).toMatchObject({ code: 'FEED_GAP', reason: 'NO_ACTIVE_KEY', cursor: rig.log.cursor(1) });
    await using after = rig.follow({ after: (error as FeedGapError).cursor });
    expect((await take(after, 1))[0]?.sequence).toBe(2);
  });

  it('is met again where the snapshot failed', async () => {
    const rig = await openRig();
    rig.log.append(GAPS[0] as TicketChangeContent, changed(2));
    const failure = new Error('no snapshot');
    const changes = rig.follow({ onGap: () => Promise.reject(failure) });
    await expect(changes.next()).rejects.toBe(failure);
    expect(changes.cursor).toBe(rig.log.cursor(0));
  });
});

describe.each(TRANSPORTS)('a cursor that has expired, over %s,', (transport) => {
  it('leads to the newest place, a snapshot, and then to all that changed meanwhile', async () => {
    const rig = await openRig(transport);
    rig.log.append(changed(1), changed(2));
    const told: FeedGap[] = [];
    rig.server.scripts = [
      expired,
      async (serving) => {
        expect(serving.after).toBeNull();
        serving.send(await rig.log.position(2));
        // The snapshot is being taken: what comes now must not be lost.
        rig.log.append(changed(3));
        serving.send(await rig.log.change(3));
      },
    ];
    await using changes = rig.follow({
      after: rig.log.cursor(1),
      onGap: async (gap) => {
        told.push(gap);
        expect(changes.cursor).toBe(rig.log.cursor(1));
      },
    });
    const [change] = await take(changes, 1);
    expect(change?.sequence).toBe(3);
    expect(told).toEqual([{ reason: 'CURSOR_EXPIRED', cursor: rig.log.cursor(2) }]);
    expect(reasonsOf(rig.states)).toEqual(['CURSOR_EXPIRED']);
    expect(rig.server.cursors).toEqual([rig.log.cursor(1), null]);
  });
});

describe('a cursor that has expired', () => {
  it('ends the iteration where nobody takes a snapshot', async () => {
    const rig = await openRig();
    rig.log.append(changed(1), changed(2));
    rig.server.scripts = [expired, rig.serveAll];
    await using changes = rig.follow();
    await expect(changes.next()).rejects.toMatchObject({
      reason: 'CURSOR_EXPIRED',
      cursor: rig.log.cursor(2),
    });
  });

  it('is told by ready, too', async () => {
    const rig = await openRig();
    rig.log.append(changed(1));
    rig.server.scripts = [expired, rig.serveAll];
    const told: string[] = [];
    await using changes = rig.follow({ onGap: ({ reason }) => told.push(reason) });
    expect(await changes.ready()).toBe(rig.log.cursor(1));
    expect(told).toEqual(['CURSOR_EXPIRED']);
  });

  it('leads to one snapshot, however often the connection breaks meanwhile', async () => {
    const rig = await openRig();
    rig.log.append(changed(1), changed(2));
    const told: string[] = [];
    const breaks: FeedScript = async (serving) => serving.close(1006);
    rig.server.scripts = [expired, breaks, rig.serveAll];
    await using changes = rig.follow({
      onGap({ reason }) {
        told.push(reason);
        rig.log.append(changed(3));
      },
    });
    expect((await take(changes, 1))[0]?.sequence).toBe(3);
    expect(told).toEqual(['CURSOR_EXPIRED']);
    expect(rig.server.cursors).toEqual([rig.log.cursor(0), null, null]);
  });

  it('again and again is asked for later each time', async () => {
    const rig = await openRig();
    rig.log.append(changed(1));
    const pinned: FeedScript = async (serving) => {
      await rig.deliver(serving, await rig.log.position(1));
      serving.close(1006);
    };
    rig.server.scripts = [expired, pinned, expired, pinned, async () => void changes.return()];
    const told: string[] = [];
    await using changes = rig.follow({ onGap: ({ reason }) => told.push(reason) });
    await changes.next();
    expect(told).toHaveLength(2);
    expect(rig.clock.pauses).toEqual([500, 1_000, 2_000, 4_000]);
  });

  it('where none was given is no reason for a snapshot', async () => {
    const rig = await openRig();
    rig.log.append(changed(1));
    rig.server.scripts = [expired, rig.serveAll];
    await using changes = rig.follow({ after: null });
    expect(await changes.ready()).toBe(rig.log.cursor(1));
    expect(reasonsOf(rig.states)).toEqual(['CURSOR_EXPIRED']);
  });

  it('may lead to a place before it: the gateway was restored from a backup', async () => {
    const rig = await openRig();
    rig.log.append(changed(1), changed(2));
    const before = { sequence: 5 };
    rig.server.scripts = [
      async (serving) => {
        await rig.deliver(serving, await rig.log.position(2, before));
        serving.close(1006);
      },
      expired,
      async (serving) => {
        await rig.serveAll(serving);
        await rig.deliver(serving, await rig.log.position(2));
        rig.log.append(changed(3));
        await rig.deliver(serving, await rig.log.change(3));
      },
    ];
    const told: string[] = [];
    await using changes = rig.follow({
      after: rig.log.cursor(2),
      onGap: ({ reason }) => told.push(reason),
    });
    expect((await take(changes, 1))[0]?.cursor).toBe(rig.log.cursor(3));
    expect(told).toEqual(['CURSOR_EXPIRED']);
    expect(reasonsOf(rig.states)).toEqual(['CONNECTION_LOST', 'CURSOR_EXPIRED']);
  });
});
