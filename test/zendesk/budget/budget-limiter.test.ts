import { describe, expect, it } from 'vitest';
import type { BudgetLedger, Lane, RequestSlot } from '../../../src/zendesk/index.ts';
import { createMemoryLedger } from '../../support/memory-ledger.ts';
import { createManualClock, type ManualClock } from '../manual-clock.ts';
import {
  type EnterOptions,
  isSettled,
  type LimiterRig,
  learn,
  openLimiterRig,
  pass,
  settle,
  tokensOut,
  told,
  UNTOLD,
} from './limiter-rig.ts';
import { seededRandom } from './simulated-account.ts';

const EXHAUSTED = { code: 'BUDGET_EXHAUSTED', status: 429, retryable: true };

/** Uses the account up, so that whoever comes waits until `rig.clock` has moved on by a window. */
async function exhaust(rig: LimiterRig, limit = 4): Promise<void> {
  await learn(rig, limit - 1, limit);
  await pass(rig.clock, 10_000);
  for (let remaining = limit - 2; remaining >= 0; remaining -= 1) {
    const slot = await rig.enter();
    slot.leave({ sent: true, reading: told(remaining, limit, rig.clock) });
    await pass(rig.clock, 150);
  }
}

/** Enters for each name and lists the names in the order in which they were let in. */
function enterAll(rig: LimiterRig, wishes: readonly (EnterOptions & { readonly name: string })[]) {
  const order: string[] = [];
  const slots: RequestSlot[] = [];
  for (const { name, ...options } of wishes) {
    rig.enter({ within: 600_000, ...options }).then(
      (slot) => {
        order.push(name);
        slots.push(slot);
      },
      () => undefined,
    );
  }
  return { order, slots };
}

describe('an account of which nothing is known', () => {
  it('gets a few calls under way, and the rest once an answer tells the limit', async () => {
    await using rig = openLimiterRig();
    const { order, slots } = enterAll(
      rig,
      Array.from({ length: 10 }, (_, index) => ({ name: `${index}` })),
    );
    await settle();
    expect(order).toEqual(['0', '1', '2', '3']);
    slots[0]?.leave({ sent: true, reading: told(699, 700, rig.clock) });
    await pass(rig.clock, 500);
    expect(order).toHaveLength(10);
  });

  it('is called with care where answers never tell a limit', async () => {
    await using rig = openLimiterRig();
    let made = 0;
    for (let count = 0; count < 300; count += 1) {
      rig.enter({ within: 10_000 }).then(
        (slot) => {
          made += 1;
          slot.leave({ sent: true, reading: UNTOLD });
        },
        () => undefined,
      );
    }
    await pass(rig.clock, 50_000, 100);
    expect(made).toBe(200);
  });
});

describe('a budget that is used up', () => {
  it('lets nobody in until our calls have left the window', async () => {
    await using rig = openLimiterRig();
    await exhaust(rig);
    const waiting = rig.enter({ within: 120_000 });
    await pass(rig.clock, 45_000, 100);
    expect(await isSettled(waiting)).toBe(false);
    await pass(rig.clock, 30_000, 100);
    (await waiting).leave({ sent: true, reading: null });
  });

  it('refuses at once who cannot wait so long, with the time to come back', async () => {
    await using rig = openLimiterRig();
    await exhaust(rig);
    const refused = rig.enter({ within: 5_000 });
    refused.catch(() => undefined);
    await settle();
    await expect(refused).rejects.toMatchObject(EXHAUSTED);
    const later = rig.enter({ within: 5_000 });
    await expect(later).rejects.toMatchObject({ ...EXHAUSTED, details: { retryAfter: expect.any(Number) } });
    const error = await later.catch((thrown) => thrown);
    expect(error.details.retryAfter).toBeGreaterThan(5);
  });

  it('refuses a waiter when its deadline passes, also by its own signal', async () => {
    await using rig = openLimiterRig({ maxUnderWay: 1 });
    await learn(rig, 600, 700);
    const busy = await rig.enter();
    const late = rig.enter({ within: 1_000 });
    late.catch(() => undefined);
    const deadline = new AbortController();
    const own = rig.enter({ within: 2_000, signal: deadline.signal });
    own.catch(() => undefined);
    await pass(rig.clock, 1_000);
    await expect(late).rejects.toMatchObject(EXHAUSTED);
    rig.clock.advance(1_000);
    deadline.abort(new DOMException('The deadline passed.', 'TimeoutError'));
    await expect(own).rejects.toMatchObject(EXHAUSTED);
    busy.leave({ sent: true, reading: null });
  });

  it('is not waited for by more than it may', async () => {
    await using rig = openLimiterRig({ maxUnderWay: 1, maxWaiting: 1 });
    const busy = await rig.enter();
    const waiting = rig.enter();
    await expect(rig.enter()).rejects.toMatchObject({ ...EXHAUSTED, details: { retryAfter: 1 } });
    busy.leave({ sent: true, reading: told(99, 100, rig.clock) });
    await waiting;
  });
});

describe('a caller that goes away', () => {
  it('gives up its place to the next', async () => {
    await using rig = openLimiterRig({ maxUnderWay: 1 });
    const busy = await rig.enter();
    const leaving = new AbortController();
    const reason = new Error('gone');
    const gone = rig.enter({ signal: leaving.signal });
    const next = rig.enter();
    leaving.abort(reason);
    await expect(gone).rejects.toBe(reason);
    busy.leave({ sent: true, reading: told(99, 100, rig.clock) });
    await next;
    await expect(rig.enter({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('gives its token back to the account, and so does a call that was never sent', async () => {
    await using rig = openLimiterRig();
    await learn(rig, 600, 700);
    const leaving = new AbortController();
    const gone = rig.enter({ signal: leaving.signal });
    gone.catch(() => undefined);
    await Promise.resolve();
    leaving.abort(new Error('gone'));
    await settle();
    (await rig.enter()).leave({ sent: false, reading: null });
    await pass(rig.clock, 4_000);
    expect(await tokensOut(rig)).toBe(0);
  });
});

describe('lanes', () => {
  it('let interactive calls before the background, and changes not wait for ever', async () => {
    await using rig = openLimiterRig({ maxUnderWay: 1000, random: seededRandom(1) });
    await exhaust(rig, 40);
    const order: Lane[] = [];
    for (const lane of ['BACKGROUND', 'MUTATION', 'INTERACTIVE'] as const) {
      for (let count = 0; count < 50; count += 1) {
        rig.enter({ lane, within: 600_000 }).then(
          (slot) => {
            order.push(lane);
            slot.leave({ sent: true, reading: told(Math.max(0, 40 - order.length), 40, rig.clock) });
          },
          () => undefined,
        );
      }
    }
    await pass(rig.clock, 75_000, 100);
    const first = order.slice(0, 36);
    expect(first.filter((lane) => lane === 'BACKGROUND')).toEqual([]);
    expect(first.filter((lane) => lane === 'MUTATION').length).toBeGreaterThanOrEqual(5);
    expect(first.filter((lane) => lane === 'INTERACTIVE').length).toBeGreaterThanOrEqual(18);
  });

  it('keep places for interactive calls while the background fills its own', async () => {
    await using rig = openLimiterRig({ maxUnderWay: 8 });
    await learn(rig, 90_000, 100_000);
    const { order } = enterAll(
      rig,
      Array.from({ length: 20 }, () => ({ name: 'B', lane: 'BACKGROUND' as const })),
    );
    await pass(rig.clock, 2_000);
    expect(order).toHaveLength(6);
    await rig.enter();
    await rig.enter();
  });

  it('leave the background a reserve to respect, and all else to use', async () => {
    await using rig = openLimiterRig({ maxUnderWay: 1000 });
    await learn(rig, 199, 200);
    await pass(rig.clock, 10_000);
    let remaining = 199;
    for (let count = 0; count < 400; count += 1) {
      rig.enter({ lane: 'BACKGROUND', within: 40_000 }).then(
        (slot) => {
          remaining -= 1;
          slot.leave({ sent: true, reading: told(remaining, 200, rig.clock) });
        },
        () => undefined,
      );
    }
    await pass(rig.clock, 48_000, 100);
    expect(remaining).toBeLessThanOrEqual(50);
    expect(remaining).toBeGreaterThanOrEqual(4);
    await rig.enter();
  });
});

describe('callers of one lane', () => {
  it('take turns, however many calls one of them has waiting', async () => {
    await using rig = openLimiterRig({ maxUnderWay: 1 });
    await learn(rig, 600, 700);
    const busy = await rig.enter();
    const greedy = Array.from({ length: 5 }, (_, index) => ({ name: `greedy ${index}`, caller: 'greedy' }));
    const { order, slots } = enterAll(rig, [...greedy, { name: 'modest', caller: 'modest' }]);
    await settle();
    busy.leave({ sent: true, reading: told(599, 700, rig.clock) });
    for (let count = 0; count < 6; count += 1) {
      await settle();
      slots[count]?.leave({ sent: true, reading: told(598 - count, 700, rig.clock) });
    }
    await pass(rig.clock, 500);
    expect(order.slice(0, 3)).toEqual(['greedy 0', 'modest', 'greedy 1']);
    expect(order).toHaveLength(6);
  });
});

describe('two processes over one ledger', () => {
  const openBoth = () => {
    const clock = createManualClock();
    const ledger = createMemoryLedger(clock);
    return [openLimiterRig({ clock, ledger }), openLimiterRig({ clock, ledger })] as const;
  };

  it('share one budget', async () => {
    const [one, other] = openBoth();
    await using _one = one;
    await using _other = other;
    await learn(one, 9, 10);
    await pass(one.clock, 10_000);
    await learn(one, 8, 10);
    const wishes = Array.from({ length: 9 }, (_, index) => ({ name: `${index}` }));
    const all = [enterAll(one, wishes), enterAll(other, wishes)];
    await pass(one.clock, 1_000);
    expect(all[0]?.order.length ?? 0).toBeGreaterThan(0);
    expect(all.reduce((sum, { order }) => sum + order.length, 0)).toBe(8);
  });

  it('keep the pauses of the account and its endpoints together, and those of objects apart', async () => {
    const [one, other] = openBoth();
    await using _one = one;
    await using _other = other;
    await learn(one, 600, 700);
    const reading = told(599, 700, one.clock);
    const ticket = { method: 'PUT', path: '/api/v2/tickets/7.json' };
    (await one.enter(ticket)).leave({ sent: true, reading, pause: { scope: 'OBJECT', milliseconds: 9_000 } });
    await settle();
    expect(await isSettled(one.enter({ ...ticket, within: 20_000 }))).toBe(false);
    await other.enter(ticket);
    const comments = '/api/v2/tickets/7/comments.json';
    (await one.enter({ path: comments })).leave({
      sent: true,
      reading,
      pause: { scope: 'ENDPOINT', milliseconds: 9_000 },
    });
    await settle();
    (await other.enter()).leave({ sent: true, reading: told(598, 700, one.clock) });
    await expect(other.enter({ path: comments, within: 2_000 })).rejects.toMatchObject(EXHAUSTED);
    (await one.enter()).leave({ sent: true, reading, pause: { scope: 'ACCOUNT', milliseconds: 30_000 } });
    await settle();
    const held = other.enter({ path: '/api/v2/organizations.json', within: 5_000 });
    held.catch(() => undefined);
    await pass(one.clock, 3_000);
    await expect(held).rejects.toMatchObject(EXHAUSTED);
  });

  it('are two consumers and no more to each other where two tenants name one account', async () => {
    const clock = createManualClock();
    const ledger = createMemoryLedger(clock);
    await using victim = openLimiterRig({ clock, ledger });
    await using stranger = openLimiterRig({ clock, ledger, tenantId: 'stranger' });
    (await stranger.enter()).leave({
      sent: true,
      reading: told(0, 700, clock),
      pause: { scope: 'ACCOUNT', milliseconds: 60_000 },
    });
    await pass(clock, 500);
    await victim.enter();
  });

  it('get back what a process held that died, when its calls have left the window', async () => {
    const [dead, alive] = openBoth();
    await using _alive = alive;
    await learn(alive, 9, 10);
    await pass(alive.clock, 10_000);
    await Promise.all(Array.from({ length: 6 }, () => dead.enter()));
    expect(await tokensOut(alive)).toBe(6);
    const { clock } = alive;
    clock.advance(200_000);
    const { order } = enterAll(alive, [{ name: 'next' }]);
    await settle();
    expect(order).toEqual(['next']);
    expect(await tokensOut(alive)).toBe(1);
  });
});

describe('an answer that tells nonsense', () => {
  it.each([
    ['a limit of nothing', (clock: ManualClock) => told(0, 0, clock)],
    ['an end in years', (clock: ManualClock) => ({ ...told(0, 700, clock), resetsAt: clock.now() + 1e12 })],
  ])('of %s does not end all calls', async (_, read) => {
    await using rig = openLimiterRig();
    (await rig.enter()).leave({ sent: true, reading: read(rig.clock) });
    const next = rig.enter({ within: 90_000 });
    await pass(rig.clock, 70_000, 100);
    await next;
  });
});

describe('an endpoint class', () => {
  it('has a limit of its own, which does not hold up other calls', async () => {
    await using rig = openLimiterRig();
    await learn(rig, 600, 700);
    await pass(rig.clock, 10_000);
    const list = { path: '/api/v2/tickets.json' };
    const tickets = (remaining: number) => ({
      ...told(599, 700, rig.clock),
      endpoints: [{ name: 'tickets-index', limit: 2, remaining, resetsAt: rig.clock.now() + 60_000 }],
    });
    (await rig.enter(list)).leave({ sent: true, reading: tickets(1) });
    await pass(rig.clock, 500);
    (await rig.enter(list)).leave({ sent: true, reading: tickets(0) });
    await pass(rig.clock, 500);
    await expect(rig.enter({ ...list, within: 5_000 })).rejects.toMatchObject(EXHAUSTED);
    await rig.enter();
  });

  it('is begun with the documented limit where that holds for every account', async () => {
    await using rig = openLimiterRig();
    await learn(rig, 600, 700);
    await pass(rig.clock, 10_000);
    const wishes = Array.from({ length: 15 }, (_, index) => ({
      name: `${index}`,
      path: '/api/v2/incremental/tickets/cursor.json',
      lane: 'BACKGROUND' as const,
    }));
    const { order } = enterAll(rig, wishes);
    await pass(rig.clock, 5_000);
    expect(order).toHaveLength(10);
  });
});

describe('a ledger that cannot be reached', () => {
  it('fails the calls that need it with its own error, and none runs uncounted', async () => {
    const clock = createManualClock();
    const memory = createMemoryLedger(clock);
    let outage: Error | null = null;
    const ledger: BudgetLedger = {
      update: (...terms) => (outage === null ? memory.update(...terms) : Promise.reject(outage)),
    };
    await using rig = openLimiterRig({ clock, ledger });
    await learn(rig, 600, 700);
    const slot = await rig.enter();
    outage = new Error('The database does not answer');
    await expect(rig.enter()).rejects.toBe(outage);
    slot.leave({ sent: true, reading: told(599, 700, clock) });
    await pass(clock, 3_000);
    outage = null;
    await pass(clock, 3_000);
    expect(await tokensOut(rig)).toBe(0);
    await rig.enter();
  });
});

describe('a limiter that is disposed', () => {
  it('gives back what it holds, refuses who waits, and everybody after', async () => {
    const clock = createManualClock();
    const ledger = createMemoryLedger(clock);
    await using watch = openLimiterRig({ clock, ledger });
    const rig = openLimiterRig({ clock, ledger, maxUnderWay: 1 });
    await learn(rig, 600, 700);
    const busy = await rig.enter();
    const waiting = rig.enter();
    waiting.catch(() => undefined);
    await settle();
    busy.leave({ sent: false, reading: null });
    await rig[Symbol.asyncDispose]();
    await rig[Symbol.asyncDispose]();
    await expect(rig.enter()).rejects.toThrow(TypeError);
    expect(await tokensOut(watch)).toBeLessThanOrEqual(1);
  });
});
