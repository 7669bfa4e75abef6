import { describe, expect, it } from 'vitest';
import {
  createAccountLimiters,
  createRequestLimiter,
  type RequestLimiter,
  type RequestSlot,
} from '../../src/zendesk/index.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

const READING = { limit: null, remaining: null, resetsAt: null, endpoints: [] };
const NONE = { reading: READING };
const pause = (scope: 'ACCOUNT' | 'ENDPOINT' | 'OBJECT', milliseconds: number) => ({
  reading: READING,
  pause: { scope, milliseconds },
});

interface Setup {
  readonly clock: ManualClock;
  readonly limiter: RequestLimiter;
  enter(
    path?: string,
    options?: { within?: number; signal?: AbortSignal; method?: string },
  ): Promise<RequestSlot>;
}

function setUp(options: { maxUnderWay?: number; maxWaiting?: number } = {}): Setup {
  const clock = createManualClock();
  const limiter = createRequestLimiter({ clock, ...options });
  return {
    clock,
    limiter,
    enter: (
      path = '/api/v2/tickets.json',
      { within = 60_000, signal = new AbortController().signal, method = 'GET' } = {},
    ) =>
      limiter.enter({
        method,
        path,
        lane: 'INTERACTIVE',
        caller: undefined,
        deadline: clock.now() + within,
        signal,
      }),
  };
}

/** Whether `promise` is settled once all work at hand is done. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  promise.then(mark, mark);
  await new Promise(setImmediate);
  return settled;
}

describe('the limiter of an account', () => {
  it('admits calls in order, no more at once than it may', async () => {
    const { enter } = setUp({ maxUnderWay: 2 });
    const [first, second] = await Promise.all([enter(), enter()]);
    const third = enter();
    const fourth = enter();
    expect(await isSettled(third)).toBe(false);
    first?.leave(NONE);
    first?.leave(NONE);
    expect(await isSettled(third)).toBe(true);
    expect(await isSettled(fourth)).toBe(false);
    second?.leave(NONE);
    expect(await isSettled(fourth)).toBe(true);
  });

  it('refuses a caller when too many wait, with a time to come back', async () => {
    const { enter } = setUp({ maxUnderWay: 1, maxWaiting: 1 });
    await enter();
    const waiting = enter();
    await expect(enter()).rejects.toMatchObject({
      code: 'UPSTREAM_RATE_LIMITED',
      details: { retryAfter: 1 },
    });
    expect(await isSettled(waiting)).toBe(false);
  });

  it('holds every call of a paused account until the pause is over', async () => {
    const { clock, enter } = setUp();
    (await enter()).leave(pause('ACCOUNT', 5_000));
    const held = enter('/api/v2/users.json');
    clock.advance(4_999);
    expect(await isSettled(held)).toBe(false);
    clock.advance(1);
    await held;
    expect(clock.pending).toBe(0);
  });

  it('keeps the longer of two pauses', async () => {
    const { clock, enter } = setUp();
    const slots = await Promise.all([enter(), enter()]);
    slots[0]?.leave(pause('ACCOUNT', 9_000));
    slots[1]?.leave(pause('ACCOUNT', 2_000));
    const held = enter();
    clock.advance(8_999);
    expect(await isSettled(held)).toBe(false);
    clock.advance(1);
    await held;
  });

  it('refuses at once who cannot wait until the pause is over, also those already waiting', async () => {
    const { enter } = setUp({ maxUnderWay: 1 });
    const slot = await enter();
    const short = enter(undefined, { within: 1_000 });
    short.catch(() => undefined);
    const long = enter(undefined, { within: 9_000 });
    slot.leave(pause('ACCOUNT', 5_000));
    await expect(short).rejects.toMatchObject({ code: 'UPSTREAM_RATE_LIMITED', details: { retryAfter: 5 } });
    await expect(enter(undefined, { within: 1_000 })).rejects.toMatchObject({ failure: 'RATE_LIMITED' });
    expect(await isSettled(long)).toBe(false);
  });

  it('lets an aborted caller leave the queue and takes the next', async () => {
    const { enter } = setUp({ maxUnderWay: 1 });
    const slot = await enter();
    const cancel = new AbortController();
    const reason = new Error('gone');
    const aborted = enter(undefined, { signal: cancel.signal });
    const next = enter();
    cancel.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    slot.leave(NONE);
    await next;
    await expect(enter(undefined, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('pauses one endpoint for all its objects, and no other', async () => {
    const { enter } = setUp();
    (await enter('/api/v2/tickets/7.json', { method: 'PUT' })).leave(pause('ENDPOINT', 5_000));
    const same = enter('/api/v2/tickets/8', { method: 'PUT' });
    expect(await isSettled(same)).toBe(false);
    await enter('/api/v2/tickets/7.json', { method: 'GET' });
    await enter('/api/v2/tickets/8/comments.json', { method: 'PUT' });
  });

  it('pauses one object, and no other of its endpoint', async () => {
    const { enter } = setUp();
    (await enter('/api/v2/tickets/7.json', { method: 'PUT' })).leave(pause('OBJECT', 5_000));
    const same = enter('/api/v2/tickets/7', { method: 'PUT' });
    expect(await isSettled(same)).toBe(false);
    await enter('/api/v2/tickets/8', { method: 'PUT' });
  });

  it('turns a flood of pauses into one of the account', async () => {
    const { enter } = setUp({ maxUnderWay: 2000 });
    for (let id = 1; id <= 1001; id += 1) {
      (await enter(`/api/v2/tickets/${id}`)).leave(pause('OBJECT', 5_000));
    }
    expect(await isSettled(enter('/api/v2/users'))).toBe(false);
  });
});

describe('the limiters of all accounts', () => {
  it('are one for each origin', () => {
    const limiters = createAccountLimiters({ clock: createManualClock() });
    expect(limiters.of('https://a.zendesk.com')).toBe(limiters.of('https://a.zendesk.com'));
    expect(limiters.of('https://a.zendesk.com')).not.toBe(limiters.of('https://b.zendesk.com'));
  });
});
