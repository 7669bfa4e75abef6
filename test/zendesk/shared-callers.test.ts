/** Whose turn in the account's budget makes a call that several callers share. */
import { describe, expect, it } from 'vitest';
import {
  createSharedFlight,
  type LimitedRequest,
  type RequestLimiter,
  type RequestOutcome,
  type RequestSlot,
} from '../../src/zendesk/index.ts';
import { createManualClock } from './manual-clock.ts';

interface Turn {
  readonly caller: string | undefined;
  readonly signal: AbortSignal;
  readonly outcomes: readonly RequestOutcome[];
  grant(): void;
  refuse(error: Error): void;
}

/** A read that three may share, before a limiter whose turns come when told. */
function openDesk() {
  const clock = createManualClock();
  const turns: Turn[] = [];
  const limiter: RequestLimiter = {
    enter({ caller, signal }: LimitedRequest) {
      const { promise, resolve, reject } = Promise.withResolvers<RequestSlot>();
      const outcomes: RequestOutcome[] = [];
      signal.addEventListener('abort', () => reject(signal.reason));
      turns.push({
        caller,
        signal,
        outcomes,
        grant: () => resolve({ leave: (outcome) => outcomes.push(outcome) }),
        refuse: reject,
      });
      return promise;
    },
  };
  const flight = createSharedFlight<string>({ clock });
  const deadline = clock.now() + 30_000;
  let calls = 0;
  const ask = (caller: string, signal?: AbortSignal): Promise<string> =>
    flight.share('page', { deadline, lane: 'INTERACTIVE', caller, signal }, async (terms) => {
      const request = { method: 'GET', path: '/api/v2/tickets.json', lane: terms.lane, deadline };
      const slot = await terms.callers.enter(limiter, { ...request, signal: terms.signal });
      calls += 1;
      slot.leave({ sent: true, reading: null });
      return `answer ${calls}`;
    });
  return { ask, turns, calls: () => calls };
}

/** Lets settled promises be noticed. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a call that several callers share', () => {
  it('has a turn for each of them, however many of it each asks for, and is made once at the first that comes', async () => {
    const { ask, turns, calls } = openDesk();
    const answers = [ask('flooder'), ask('flooder'), ask('victim'), ask('victim'), ask('third')];
    expect(turns.map(({ caller }) => caller)).toEqual(['flooder', 'victim', 'third']);
    turns[1]?.grant();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['answer 1']));
    expect(turns.map(({ signal }) => signal.aborted)).toEqual([true, false, true]);
    expect(calls()).toBe(1);
  });

  it('gives a second turn that came at the same moment back unused', async () => {
    const { ask, turns, calls } = openDesk();
    const answers = [ask('one'), ask('other')];
    for (const turn of turns) turn.grant();
    expect(await Promise.all(answers)).toEqual(['answer 1', 'answer 1']);
    expect(turns.map(({ outcomes }) => outcomes)).toEqual([
      [{ sent: true, reading: null }],
      [{ sent: false, reading: null }],
    ]);
    expect(calls()).toBe(1);
  });

  it('is refused once none of their turns can come, and not before', async () => {
    const { ask, turns } = openDesk();
    const first = ask('one');
    const second = ask('other');
    turns[0]?.refuse(new Error('no place for one'));
    await settle();
    const third = ask('third');
    turns[1]?.refuse(new Error('no place for the other'));
    await settle();
    turns[2]?.grant();
    expect(await Promise.all([first, second, third])).toEqual(['answer 1', 'answer 1', 'answer 1']);

    const failing = Promise.allSettled([ask('one'), ask('other')]);
    turns[3]?.refuse(new Error('no place'));
    turns[4]?.refuse(new Error('no place at all'));
    expect((await failing).map((one) => one.status === 'rejected' && String(one.reason))).toEqual([
      'Error: no place at all',
      'Error: no place at all',
    ]);
  });

  it('gives up the turn of a caller who has gone away, and all with the last', async () => {
    const { ask, turns, calls } = openDesk();
    const [gone, alsoGone] = [new AbortController(), new AbortController()];
    const first = ask('one', gone.signal);
    const second = ask('other', alsoGone.signal);
    gone.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    expect(turns.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    alsoGone.abort(new Error('also gone'));
    await expect(second).rejects.toThrow('also gone');
    expect(turns.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    expect(calls()).toBe(0);
  });

  it('fails for want of a place where the only caller with a turn left goes away', async () => {
    const { ask, turns } = openDesk();
    const gone = new AbortController();
    const staying = ask('one');
    const leaving = ask('other', gone.signal);
    turns[0]?.refuse(new Error('no place'));
    await settle();
    gone.abort(new Error('gone'));
    await expect(leaving).rejects.toThrow('gone');
    await expect(staying).rejects.toThrow('no place');
  });
});
