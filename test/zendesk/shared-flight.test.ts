import { describe, expect, it } from 'vitest';
import {
  createSharedFlight,
  createUsageMeter,
  type Participant,
  type SharedTerms,
  ZendeskError,
} from '../../src/zendesk/index.ts';
import { createManualClock } from './manual-clock.ts';

interface Call {
  readonly terms: SharedTerms;
  resolve(answer: string): void;
  reject(error: unknown): void;
}

function openDesk(maxUnderWay?: number) {
  const clock = createManualClock();
  const calls: Call[] = [];
  const flight = createSharedFlight<string>({ clock, ...(maxUnderWay === undefined ? {} : { maxUnderWay }) });
  const ask = (key: string, options: Partial<Participant> = {}): Promise<string> =>
    flight.share(key, { deadline: clock.now() + 30_000, lane: 'INTERACTIVE', ...options }, (terms) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      calls.push({ terms, resolve, reject });
      return promise;
    });
  return { clock, calls, flight, ask };
}

describe('identical reads', () => {
  it('share one call while it is under way, and nothing after it', async () => {
    const { ask, calls } = openDesk();
    const meters = [createUsageMeter(), createUsageMeter()];
    const first = ask('page', { meters: meters.slice(0, 1) });
    const second = ask('page', { meters: meters.slice(1) });
    const other = ask('another page');
    expect(calls).toHaveLength(2);
    calls[0]?.terms.usage.record(null, 200);
    calls[0]?.resolve('answer');
    calls[1]?.resolve('other answer');
    expect(await Promise.all([first, second, other])).toEqual(['answer', 'answer', 'other answer']);
    expect(meters.map((meter) => meter.read().calls)).toEqual([1, 1]);
    const third = ask('page');
    expect(calls).toHaveLength(3);
    calls[2]?.resolve('new answer');
    expect(await third).toBe('new answer');
  });

  it('share a failure, which is not kept', async () => {
    const { ask, calls } = openDesk();
    const both = Promise.allSettled([ask('page'), ask('page')]);
    calls[0]?.reject(new Error('failed'));
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = ask('page');
    calls[1]?.resolve('answer');
    expect(await next).toBe('answer');
  });

  it('let one leave by abort or deadline, and end with the last', async () => {
    const { ask, calls, clock } = openDesk();
    const gone = new AbortController();
    const first = ask('page', { signal: gone.signal });
    const second = ask('page', { deadline: clock.now() + 1_000 });
    const third = ask('page');
    gone.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    clock.advance(1_000);
    await expect(second).rejects.toMatchObject({ failure: 'TIMEOUT' });
    expect(calls[0]?.terms.signal.aborted).toBe(false);
    clock.advance(29_000);
    await expect(third).rejects.toMatchObject({ failure: 'TIMEOUT' });
    expect(calls[0]?.terms.signal.aborted).toBe(true);
    // What was aborted is not joined.
    const fourth = ask('page');
    calls[1]?.resolve('answer');
    expect(await fourth).toBe('answer');
    await expect(ask('page', { signal: AbortSignal.abort(new Error('was gone')) })).rejects.toThrow(
      'was gone',
    );
    await expect(ask('page', { deadline: clock.now() })).rejects.toMatchObject({ failure: 'TIMEOUT' });
    expect(calls).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('are asked anew for who still has the time that the call lacked', async () => {
    const { ask, calls, clock } = openDesk();
    const early = ask('page', { deadline: clock.now() + 1_000 });
    const late = ask('page', { deadline: clock.now() + 2_000 });
    const exhausted = new ZendeskError('UPSTREAM_RATE_LIMITED', 'No call is left.', {
      failure: 'RATE_LIMITED',
    });
    calls[0]?.reject(exhausted);
    await expect(early).rejects.toBe(exhausted);
    expect(calls).toHaveLength(2);
    calls[1]?.resolve('answer');
    expect(await late).toBe('answer');
  });

  it('are asked anew as often as calls with less time end too soon', async () => {
    const { ask, calls, clock, flight } = openDesk();
    const exhausted = new ZendeskError('UPSTREAM_RATE_LIMITED', 'No call is left.', {
      failure: 'RATE_LIMITED',
    });
    const short = () => ask('page', { deadline: clock.now() + 1_000 }).catch(() => null);
    const all = [short()];
    const late = ask('page', { deadline: clock.now() + 9_000 });
    for (const at of [0, 1]) {
      // The next short-lived call is under way before the joiner of this one comes back.
      flight.detach();
      all.push(short());
      calls[at]?.reject(exhausted);
      await Promise.all(all.slice(0, at + 1));
    }
    expect(calls).toHaveLength(3);
    calls[2]?.reject(exhausted);
    await Promise.all(all);
    expect(calls).toHaveLength(4);
    calls[3]?.resolve('answer');
    expect(await late).toBe('answer');
  });

  it('are not joined after a change, nor by the more urgent', async () => {
    const { ask, calls, flight } = openDesk();
    const slow = ask('page', { lane: 'BACKGROUND' });
    const urgent = ask('page');
    expect(calls.map(({ terms }) => terms.lane)).toEqual(['BACKGROUND', 'INTERACTIVE']);
    const joining = ask('page', { lane: 'BACKGROUND' });
    expect(calls).toHaveLength(2);
    flight.detach();
    const after = ask('page');
    expect(calls).toHaveLength(3);
    for (const [index, call] of calls.entries()) call.resolve(`answer ${index}`);
    expect(await Promise.all([slow, urgent, joining, after])).toEqual([
      'answer 0',
      'answer 1',
      'answer 1',
      'answer 2',
    ]);
  });

  it('keep to the bound of calls under way', async () => {
    const { ask, calls } = openDesk(1);
    const first = ask('page');
    await expect(ask('another page')).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { retryAfter: 1 },
    });
    const second = ask('page');
    calls[0]?.resolve('answer');
    expect(await Promise.all([first, second])).toEqual(['answer', 'answer']);
  });

  it('leave to others as many of those places as they take', async () => {
    const { ask, calls } = openDesk(4);
    const taken = [ask('one', { caller: 'flooder' }), ask('two', { caller: 'flooder' })];
    await expect(ask('three', { caller: 'flooder' })).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    taken.push(ask('three', { caller: 'other' }));
    expect(calls).toHaveLength(3);
    for (const call of calls) call.resolve('answer');
    await Promise.all(taken);
    const again = ask('four', { caller: 'flooder' });
    calls[3]?.resolve('answer');
    expect(await again).toBe('answer');
  });
});
