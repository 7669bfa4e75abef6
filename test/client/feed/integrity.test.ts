/** Whatever somebody on the way does to a stream: nothing of it is handed over, and it is told what was found. */
import { describe, expect, it } from 'vitest';
import { FeedIntegrityError, type TicketChange } from '../../../src/client/index.ts';
import { changed } from './feed-log.ts';
import type { FeedScript } from './feed-server.ts';
import { MANIPULATIONS } from './manipulations.ts';
import { type FeedRig, openRig, placeOf, reasonsOf, TRANSPORTS, take } from './rig.ts';

const LENGTH = 6;
/** Where manipulations happen, so that there is something before and after. */
const PLACE = 3;

async function openLoggedRig(transport: (typeof TRANSPORTS)[number] = 'WEBSOCKET'): Promise<FeedRig> {
  const rig = await openRig(transport);
  rig.log.append(...Array.from({ length: LENGTH }, (_, index) => changed(index + 1)));
  return rig;
}

/** Honest up to PLACE, then manipulated. */
function manipulated(rig: FeedRig, name: keyof typeof MANIPULATIONS): FeedScript {
  return async (serving) => {
    const { log, deliver } = rig;
    const place = placeOf(serving, log);
    await deliver(serving, await log.position(place));
    for (let sequence = place + 1; sequence <= PLACE; sequence += 1) {
      await deliver(serving, await log.change(sequence));
    }
    const events = (await MANIPULATIONS[name]?.forge(log, PLACE)) ?? [];
    for (const event of events) await deliver(serving, event);
  };
}

const sequencesOf = (changes: readonly TicketChange[]): number[] => changes.map(({ sequence }) => sequence);
const upTo = (end: number): number[] => Array.from({ length: end }, (_, index) => index + 1);

describe.each(TRANSPORTS)('over %s', (transport) => {
  it.each(Object.keys(MANIPULATIONS))('%s is found and comes to nothing', async (name) => {
    const rig = await openLoggedRig(transport);
    rig.server.scripts = [manipulated(rig, name), rig.serveAll];
    await using changes = rig.follow();
    const taken = await take(changes, LENGTH);
    expect(taken.map(({ content }) => content)).toEqual(upTo(LENGTH).map((n) => rig.log.content(n)));
    expect(reasonsOf(rig.states)).toEqual([MANIPULATIONS[name]?.violation]);
    expect(rig.server.failures).toEqual([]);
  });
});

describe('a stream that is manipulated again and again', () => {
  it.each(Object.keys(MANIPULATIONS))('ends the iteration: %s', async (name) => {
    const rig = await openLoggedRig();
    rig.server.scripts = [manipulated(rig, name)];
    await using changes = rig.follow();
    const taken: TicketChange[] = [];
    const following = (async () => {
      for await (const change of changes) taken.push(change);
    })();
    const error = await following.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FeedIntegrityError);
    const { violation } = MANIPULATIONS[name] ?? {};
    // What is repeated is taken once in each connection, and then it is another place that is forged at.
    const last = changes.cursor;
    expect(error).toMatchObject({ code: 'FEED_INTEGRITY', cursor: last });
    expect(sequencesOf(taken)).toEqual(upTo(taken.length));
    expect(last).toBe(rig.log.cursor(taken.length));
    if (taken.length === PLACE) expect(error).toMatchObject({ violation });
    expect(await changes.next()).toEqual({ done: true, value: undefined });
  });
});
