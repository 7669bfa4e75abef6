/** Signed positions: how withheld changes are noticed when nothing comes after them, and how old ones are. */
import { describe, expect, it } from 'vitest';
import { createId, encodeFeedCursor, streamName } from '../../../src/base/index.ts';
import { FeedIntegrityError } from '../../../src/client/index.ts';
import { changed } from './feed-log.ts';
import type { FeedScript } from './feed-server.ts';
import { type FeedRig, openRig, placeOf, reasonsOf, take } from './rig.ts';

async function openLoggedRig(): Promise<FeedRig> {
  const rig = await openRig();
  rig.log.append(changed(1), changed(2));
  return rig;
}

/** The first connection is `script`, the rest are honest. */
async function reasonsAfter(rig: FeedRig, script: FeedScript, maxClockSkewSeconds = 300): Promise<string[]> {
  rig.server.scripts = [script, rig.serveAll];
  await using changes = rig.follow({ maxClockSkewSeconds });
  const taken = await take(changes, 2);
  expect(taken.map(({ sequence }) => sequence)).toEqual([1, 2]);
  expect(rig.server.failures).toEqual([]);
  return reasonsOf(rig.states);
}

const seconds = (rig: FeedRig): number => Math.floor(rig.clock.now() / 1000);

describe('a position', () => {
  it('is what a connection begins with', async () => {
    const rig = await openLoggedRig();
    const script: FeedScript = async (serving) => rig.deliver(serving, await rig.log.change(1));
    expect(await reasonsAfter(rig, script)).toEqual(['NO_POSITION']);
  });

  it.each([
    [361, 'STALE'],
    [360, null],
    [-300, null],
    [-301, 'STALE'],
  ])('of %i seconds ago is %s', async (age, expected) => {
    const rig = await openLoggedRig();
    const script: FeedScript = async (serving) => {
      await rig.deliver(serving, await rig.log.position(0, { issued_at: seconds(rig) - age }));
      if (!serving.signal.aborted) serving.complete();
    };
    expect(await reasonsAfter(rig, script)).toEqual([expected ?? 'CONNECTION_LOST']);
  });

  it('is held against the clock as exactly as the program asks', async () => {
    const rig = await openLoggedRig();
    const script: FeedScript = async (serving) =>
      rig.deliver(serving, await rig.log.position(0, { issued_at: seconds(rig) + 6 }));
    expect(await reasonsAfter(rig, script, 5)).toEqual(['STALE']);
  });

  it('is not older than the one before it in its connection', async () => {
    const rig = await openLoggedRig();
    const script: FeedScript = async (serving) => {
      await rig.serveAll(serving);
      await rig.deliver(serving, await rig.log.position(2, { issued_at: seconds(rig) - 1 }));
    };
    rig.server.scripts = [script, rig.serveAll];
    await using changes = rig.follow();
    await take(changes, 2);
    const waiting = changes.next();
    await expect.poll(() => reasonsOf(rig.states)).toEqual(['REPLAYED']);
    await changes.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it('may be somewhat older in the next connection, since another process may have sealed it', async () => {
    const rig = await openLoggedRig();
    rig.server.scripts = [
      async (serving) => {
        await rig.deliver(serving, await rig.log.position(0));
        serving.complete();
      },
      async (serving) => {
        await rig.deliver(serving, await rig.log.position(0, { issued_at: seconds(rig) - 20, sequence: 1 }));
        await rig.deliver(serving, await rig.log.change(1));
        await rig.deliver(serving, await rig.log.change(2));
      },
    ];
    await using changes = rig.follow();
    await take(changes, 2);
    expect(reasonsOf(rig.states)).toEqual(['CONNECTION_LOST']);
  });

  it('is of the integration that was asked for, also where no stream is known yet', async () => {
    const rig = await openLoggedRig();
    const stream = streamName(createId('integration'), rig.gateway.fake.keyId);
    rig.server.scripts = [
      async (serving) => {
        const position = await rig.log.position(2, { stream });
        await rig.deliver(serving, { ...position, cursor: encodeFeedCursor({ stream, sequence: 2 }) });
      },
      rig.serveAll,
    ];
    await using changes = rig.follow({ after: null });
    expect(await changes.ready()).toBe(rig.log.cursor(2));
    expect(reasonsOf(rig.states)).toEqual(['FORGED']);
  });

  it('that announces what another connection of the gateway has not read yet is believed until the next', async () => {
    const rig = await openLoggedRig();
    const script: FeedScript = async (serving) => {
      await rig.serveAll(serving);
      await rig.deliver(serving, await rig.log.position(2, { sequence: 3 }));
      rig.log.append(changed(3));
      await rig.deliver(serving, await rig.log.change(3));
      await rig.deliver(serving, await rig.log.position(3));
    };
    rig.server.scripts = [script];
    await using changes = rig.follow();
    await take(changes, 3);
    expect(reasonsOf(rig.states)).toEqual([]);
  });

  it('is told, with what the gateway knows to be complete', async () => {
    const rig = await openLoggedRig();
    rig.server.scripts = [
      async (serving) => {
        await rig.deliver(serving, await rig.log.position(2, {}, { v: 1, complete_until: null }));
      },
    ];
    await using changes = rig.follow({ after: null });
    expect(await changes.ready()).toBe(rig.log.cursor(2));
    expect(changes.position).toEqual({
      sequence: 2,
      issuedAt: new Date(rig.clock.now()),
      completeUntil: null,
    });
  });
});

describe('changes that were announced and do not come', () => {
  const announceOnly =
    (rig: FeedRig): FeedScript =>
    async (serving) => {
      await rig.deliver(serving, await rig.log.position(placeOf(serving, rig.log)));
      rig.clock.advance(75_001);
    };

  it('are noticed by silence', async () => {
    const rig = await openLoggedRig();
    expect(await reasonsAfter(rig, announceOnly(rig))).toEqual(['WITHHELD']);
  });

  it('end the iteration the third time, however the connections ended between', async () => {
    const rig = await openLoggedRig();
    const breaks: FeedScript = async (serving) => serving.close(1006);
    const withholds = announceOnly(rig);
    rig.server.scripts = [withholds, breaks, withholds, breaks, breaks, withholds];
    await using changes = rig.follow();
    const error = await changes.next().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FeedIntegrityError);
    expect(error).toMatchObject({ violation: 'WITHHELD', cursor: rig.log.cursor(0) });
    expect(String(error)).toContain('did not come (WITHHELD)');
  });

  it('are noticed also where an older position of the next connection knows nothing of them', async () => {
    const rig = await openLoggedRig();
    rig.server.scripts = [
      async (serving) => {
        await rig.deliver(serving, await rig.log.position(0));
        serving.close(1006);
      },
      async (serving) => {
        await rig.deliver(serving, await rig.log.position(0, { sequence: 1 }));
        await rig.deliver(serving, await rig.log.change(1));
        await rig.deliver(serving, await rig.log.position(1, { sequence: 1 }));
      },
      rig.serveAll,
    ];
    await using changes = rig.follow();
    await take(changes, 2);
    expect(reasonsOf(rig.states)).toEqual(['CONNECTION_LOST', 'WITHHELD']);
  });

  it('are not counted against a connection that merely broke', async () => {
    const rig = await openLoggedRig();
    const breaks: FeedScript = async (serving) => {
      await rig.deliver(serving, await rig.log.position(0));
      serving.close(1006);
    };
    rig.server.scripts = [breaks, breaks, breaks, breaks, breaks, rig.serveAll];
    await using changes = rig.follow();
    expect(await take(changes, 2)).toHaveLength(2);
    expect(reasonsOf(rig.states)).toEqual(Array(5).fill('CONNECTION_LOST'));
  });
});

describe('silence', () => {
  it('after all that was announced is a dead connection, and nothing worse', async () => {
    const rig = await openLoggedRig();
    const script: FeedScript = async (serving) => {
      await rig.serveAll(serving);
      rig.log.append(changed(3));
      rig.clock.advance(75_001);
    };
    rig.server.scripts = [script, rig.serveAll];
    await using changes = rig.follow();
    await take(changes, 3);
    expect(reasonsOf(rig.states)).toEqual(['CONNECTION_LOST']);
    // graphql-ws's own code for a socket that is given up.
    expect(rig.server.closes).toEqual([1000]);
  });

  it('before the first event is borne for half a minute', async () => {
    const rig = await openLoggedRig();
    rig.server.scripts = [async () => rig.clock.advance(30_001), rig.serveAll];
    await using changes = rig.follow();
    await take(changes, 2);
    expect(reasonsOf(rig.states)).toEqual(['CONNECTION_LOST']);
  });
});
