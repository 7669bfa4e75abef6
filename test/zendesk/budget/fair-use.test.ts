/** Callers beside one that asks for far more than there is. */
import { describe, expect, it } from 'vitest';
import { createBucket, type WindowKind } from '../../../simulator/rate-limit.ts';
import type { Lane } from '../../../src/zendesk/index.ts';
import { createMemoryLedger } from '../../support/memory-ledger.ts';
import { createManualClock } from '../manual-clock.ts';
import { openLimiterRig, settle } from './limiter-rig.ts';
import { seededRandom } from './simulated-account.ts';

const LIMIT = 700;
/** Milliseconds that a call takes, and between two looks at the clock. */
const STEP = 100;

interface Wish {
  readonly caller: string;
  readonly perSecond: number;
  /** Seconds after the start. */
  readonly from?: number;
  readonly until?: number;
  readonly lane?: Lane;
  /** Of which process it comes; the first by default. */
  readonly process?: number;
}

interface Count {
  asked: number;
  served: number;
}

/** What each caller asked for and got in `seconds`, and the calls that the server took in the last minute. */
async function run(
  wishes: readonly Wish[],
  { seconds, window, maxWaiting = 1000 }: { seconds: number; window: WindowKind; maxWaiting?: number },
) {
  const clock = createManualClock();
  const ledger = createMemoryLedger(clock);
  const random = seededRandom(5);
  await using first = openLimiterRig({ clock, ledger, random, maxWaiting });
  await using second = openLimiterRig({ clock, ledger, random, maxWaiting });
  const rigs = [first, second];
  const server = createBucket(window, LIMIT, 60_000);
  const counts = new Map<string, Count>();
  let refused = 0;
  let lastMinute = 0;
  let over = false;
  const call = ({ caller, lane = 'INTERACTIVE', process = 0 }: Wish): void => {
    const count = counts.get(caller) ?? { asked: 0, served: 0 };
    counts.set(caller, count);
    count.asked += 1;
    rigs[process]?.enter({ caller, lane, within: 25_000 }).then(
      async (slot) => {
        if (over) return;
        count.served += 1;
        if (!server.take(clock.now())) refused += 1;
        else if (clock.now() >= end - 60_000) lastMinute += 1;
        const { remaining, resets } = server.state(clock.now());
        const resetsAt = clock.now() + resets * 1000;
        await clock.wait(STEP);
        slot.leave({ sent: true, reading: { limit: LIMIT, remaining, resetsAt, endpoints: [] } });
      },
      () => undefined,
    );
  };
  const end = clock.now() + seconds * 1000;
  const due = wishes.map(({ from = 0 }) => from * 1000);
  for (let passed = 0; passed < seconds * 1000; passed += STEP) {
    for (const [index, wish] of wishes.entries()) {
      while ((due[index] ?? 0) <= passed && passed < (wish.until ?? seconds) * 1000) {
        call(wish);
        due[index] = (due[index] ?? 0) + 1000 / wish.perSecond;
      }
    }
    await settle();
    clock.advance(STEP);
    await settle();
  }
  over = true;
  const shareOf = (caller: string): number => {
    const { asked, served } = counts.get(caller) ?? { asked: 0, served: 0 };
    return served / asked;
  };
  return { counts, shareOf, refused, lastMinute };
}

describe('a queue that is full', () => {
  it('makes room for a caller with little waiting: the newest call of who has most gives way', async () => {
    await using rig = openLimiterRig({ maxUnderWay: 1, maxWaiting: 4 });
    const busy = await rig.enter();
    const greedy = Array.from({ length: 4 }, () => rig.enter({ caller: 'greedy' }));
    const served: string[] = [];
    for (const [index, call] of greedy.entries())
      call.then(
        () => served.push(`greedy ${index}`),
        () => undefined,
      );
    rig.enter({ caller: 'modest' }).then(
      () => served.push('modest'),
      () => undefined,
    );
    await expect(greedy[3]).rejects.toMatchObject({ code: 'BUDGET_EXHAUSTED', details: { retryAfter: 1 } });
    await expect(rig.enter({ caller: 'greedy' })).rejects.toMatchObject({ code: 'BUDGET_EXHAUSTED' });
    expect(served).toEqual([]);
    const leaving = { sent: true, reading: { limit: LIMIT, remaining: 600, resetsAt: null, endpoints: [] } };
    busy.leave(leaving);
    (await greedy[0])?.leave(leaving);
    await settle();
    expect(served).toEqual(['greedy 0', 'modest']);
  });
});

describe('a caller that asks for far more than there is', () => {
  it.each([
    ['sliding', 0],
    ['fixed', 0],
    ['sliding', 1],
  ] as const)('leaves another what it wants of its share, by a %s window, from process %i', async (window, process) => {
    const outcome = await run(
      [
        { caller: 'greedy', perSecond: 150, from: 0 },
        { caller: 'modest', perSecond: 2, from: 1, process },
      ],
      { seconds: 125, window },
    );
    expect(outcome.shareOf('modest')).toBeGreaterThanOrEqual(0.9);
    expect(outcome.lastMinute).toBeGreaterThanOrEqual(LIMIT * 0.95);
    expect(outcome.refused).toBe(0);
  });

  it('has everything while it is alone, and nearly so beside one that asks once', async () => {
    const alone = await run([{ caller: 'greedy', perSecond: 30 }], { seconds: 125, window: 'sliding' });
    const beside = await run(
      [
        { caller: 'greedy', perSecond: 30 },
        { caller: 'rare', perSecond: 0.05 },
      ],
      { seconds: 125, window: 'sliding' },
    );
    expect(alone.lastMinute).toBeGreaterThanOrEqual(LIMIT * 0.95);
    expect(beside.lastMinute).toBeGreaterThanOrEqual(LIMIT * 0.9);
    expect(beside.shareOf('rare')).toBe(1);
  });

  it('shares evenly with another of its kind, and both together use everything', async () => {
    const outcome = await run(
      [
        { caller: 'one', perSecond: 30 },
        { caller: 'other', perSecond: 60, from: 5, lane: 'MUTATION' },
        { caller: 'modest', perSecond: 1 },
      ],
      { seconds: 185, window: 'sliding' },
    );
    expect(outcome.lastMinute).toBeGreaterThanOrEqual(LIMIT * 0.95);
    expect(outcome.shareOf('modest')).toBeGreaterThanOrEqual(0.9);
  });
});
