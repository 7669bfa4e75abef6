/** The coalescer on a loader of its own, with turns and a clock that move when told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Coalescer,
  createCoalescer,
  createUsageMeter,
  type Participant,
  type SharedTerms,
  ZendeskError,
} from '../../src/zendesk/index.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

interface Batch {
  readonly ids: readonly number[];
  readonly terms: SharedTerms;
  answer(): void;
  fail(error: unknown): void;
}

interface Desk {
  readonly coalescer: Coalescer<string>;
  readonly clock: ManualClock;
  readonly batches: readonly Batch[];
  /** Ends the turn in which batches collect. */
  endTurn(): void;
  participant(options?: Partial<Participant>): Participant;
}

/** Odd ids exist. */
const nameOf = (id: number): string | null => (id % 2 === 1 ? `object ${id}` : null);

function openDesk(limits: { readonly maxUnderWay?: number; readonly maxWaiting?: number } = {}): Desk {
  const clock = createManualClock();
  const batches: Batch[] = [];
  let turns: (() => void)[] = [];
  const coalescer = createCoalescer<string>({
    clock,
    ...limits,
    endTurn: (then) => turns.push(then),
    load: (ids, terms) => {
      const { promise, resolve, reject } = Promise.withResolvers<ReadonlyMap<number, string>>();
      terms.signal.addEventListener('abort', () => reject(terms.signal.reason));
      batches.push({
        ids,
        terms,
        answer: () => {
          terms.usage.record(null, 200);
          resolve(new Map(ids.flatMap((id) => (nameOf(id) === null ? [] : [[id, `object ${id}`]]))));
        },
        fail: reject,
      });
      return promise;
    },
  });
  return {
    coalescer,
    clock,
    batches,
    endTurn: () => {
      const due = turns;
      turns = [];
      for (const turn of due) turn();
    },
    participant: (options = {}) => ({ deadline: clock.now() + 30_000, lane: 'INTERACTIVE', ...options }),
  };
}

/** Lets settled promises be noticed. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the coalescer', () => {
  it('sends what one turn asked for as one call, each id once', async () => {
    const desk = openDesk();
    const loads = [3, 1, 2, 3, 1].map((id) => desk.coalescer.load(id, desk.participant()));
    expect(desk.batches).toHaveLength(0);
    desk.endTurn();
    expect(desk.batches.map(({ ids }) => ids)).toEqual([[3, 1, 2]]);
    desk.batches[0]?.answer();
    expect(await Promise.all(loads)).toEqual(['object 3', 'object 1', null, 'object 3', 'object 1']);
  });

  it('sends a hundred at once, before the turn ends', async () => {
    const desk = openDesk();
    const ids = Array.from({ length: 150 }, (_, index) => index + 1);
    const loading = desk.coalescer.loadMany(ids, desk.participant());
    expect(desk.batches.map((batch) => batch.ids.length)).toEqual([100]);
    desk.endTurn();
    expect(desk.batches.map((batch) => batch.ids.length)).toEqual([100, 50]);
    for (const batch of desk.batches) batch.answer();
    expect(await loading).toEqual(ids.map(nameOf));
  });

  it('joins an id that is on its way, and asks anew after its answer', async () => {
    const desk = openDesk();
    const first = desk.coalescer.load(5, desk.participant());
    desk.endTurn();
    const second = desk.coalescer.load(5, desk.participant());
    desk.endTurn();
    expect(desk.batches).toHaveLength(1);
    desk.batches[0]?.answer();
    expect(await Promise.all([first, second])).toEqual(['object 5', 'object 5']);
    const third = desk.coalescer.load(5, desk.participant());
    desk.endTurn();
    expect(desk.batches).toHaveLength(2);
    desk.batches[1]?.answer();
    expect(await third).toBe('object 5');
  });

  it('joins nothing that may not show a change', async () => {
    const desk = openDesk();
    const before = desk.coalescer.load(5, desk.participant());
    desk.endTurn();
    desk.coalescer.detach();
    const after = desk.coalescer.load(5, desk.participant());
    desk.endTurn();
    expect(desk.batches).toHaveLength(2);
    for (const batch of desk.batches) batch.answer();
    expect(await Promise.all([before, after])).toEqual(['object 5', 'object 5']);
  });

  it('fails the ids of a failed call only', async () => {
    const desk = openDesk();
    const failing = desk.coalescer.loadMany([1, 3], desk.participant());
    desk.endTurn();
    const succeeding = desk.coalescer.loadMany([3, 5], desk.participant());
    desk.endTurn();
    desk.batches[0]?.fail(new TypeError('broken'));
    desk.batches[1]?.answer();
    expect(await failing).toEqual([new TypeError('broken'), new TypeError('broken')]);
    expect(await succeeding).toEqual([new TypeError('broken'), 'object 5']);
    await expect(
      desk.coalescer.load(1, desk.participant({ signal: AbortSignal.abort('left') })),
    ).rejects.toBe('left');
  });

  it('lets an aborted waiter leave, does not ask for what nobody waits for, and aborts what all have left', async () => {
    const desk = openDesk();
    const gone = new AbortController();
    const lost = desk.coalescer.loadMany([1, 3], desk.participant({ signal: gone.signal }));
    const kept = desk.coalescer.load(3, desk.participant());
    gone.abort(new Error('gone'));
    expect(await lost).toEqual([new Error('gone'), new Error('gone')]);
    await settle();
    desk.endTurn();
    expect(desk.batches.map(({ ids }) => ids)).toEqual([[3]]);
    desk.batches[0]?.answer();
    expect(await kept).toBe('object 3');

    const last = new AbortController();
    const alone = desk.coalescer.load(7, desk.participant({ signal: last.signal }));
    desk.endTurn();
    expect(desk.batches[1]?.terms.signal.aborted).toBe(false);
    last.abort(new Error('nobody is left'));
    await expect(alone).rejects.toThrow('nobody is left');
    expect(desk.batches[1]?.terms.signal.aborted).toBe(true);
    // What was aborted is not joined.
    const next = desk.coalescer.load(7, desk.participant());
    desk.endTurn();
    desk.batches[2]?.answer();
    expect(await next).toBe('object 7');
  });

  it('asks for nothing where all have left before the turn ended', async () => {
    const desk = openDesk();
    const gone = new AbortController();
    const lost = desk.coalescer.load(1, desk.participant({ signal: gone.signal }));
    gone.abort(new Error('gone'));
    await expect(lost).rejects.toThrow('gone');
    await settle();
    desk.endTurn();
    expect(desk.batches).toHaveLength(0);
  });

  it('keeps each waiter’s own deadline, and gives the call the latest', async () => {
    const desk = openDesk();
    const now = desk.clock.now();
    const hasty = desk.coalescer.load(1, desk.participant({ deadline: now + 1_000 }));
    const patient = desk.coalescer.load(1, desk.participant({ deadline: now + 9_000 }));
    desk.endTurn();
    expect(desk.batches[0]?.terms.deadline).toBe(now + 9_000);
    desk.clock.advance(1_000);
    await expect(hasty).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', failure: 'TIMEOUT' });
    expect(desk.batches[0]?.terms.signal.aborted).toBe(false);
    desk.batches[0]?.answer();
    expect(await patient).toBe('object 1');
    expect(desk.clock.pending).toBe(0);
  });

  it('asks again for who joined a call that ended for want of time they still have', async () => {
    const desk = openDesk();
    const now = desk.clock.now();
    const early = desk.coalescer.load(1, desk.participant({ deadline: now + 1_000 }));
    desk.endTurn();
    const late = desk.coalescer.load(1, desk.participant({ deadline: now + 9_000 }));
    const exhausted = new ZendeskError('UPSTREAM_RATE_LIMITED', 'No call is left.', {
      failure: 'RATE_LIMITED',
    });
    desk.batches[0]?.fail(exhausted);
    await expect(early).rejects.toBe(exhausted);
    await settle();
    desk.endTurn();
    expect(desk.batches).toHaveLength(2);
    expect(desk.batches[1]?.terms.deadline).toBe(now + 9_000);
    desk.batches[1]?.fail(exhausted);
    await expect(late).rejects.toBe(exhausted);
    expect(desk.batches).toHaveLength(2);
  });

  it('asks again as often as calls with less time end too soon', async () => {
    const desk = openDesk();
    const now = desk.clock.now();
    const noTime = () => new ZendeskError('UPSTREAM_UNAVAILABLE', 'No time.', { failure: 'TIMEOUT' });
    const short = () => {
      const gaveUp = desk.coalescer.load(1, desk.participant({ deadline: now + 1_000 })).catch(() => null);
      desk.endTurn();
      return gaveUp;
    };
    const all: Promise<unknown>[] = [short()];
    const late = desk.coalescer.load(1, desk.participant({ deadline: now + 9_000 }));
    for (const at of [0, 1]) {
      // The next short-lived call is under way before the joiner of this one comes back.
      desk.coalescer.detach();
      all.push(short());
      desk.batches[at]?.fail(noTime());
      await settle();
    }
    expect(desk.batches.map(({ terms }) => terms.deadline - now)).toEqual([1_000, 1_000, 1_000]);
    desk.batches[2]?.fail(noTime());
    await settle();
    desk.endTurn();
    expect(desk.batches[3]?.terms.deadline).toBe(now + 9_000);
    desk.batches[3]?.answer();
    expect(await late).toBe('object 1');
    await Promise.all(all);
  });

  it('asks in halves for what is too large together, and fails only what is too large alone', async () => {
    const desk = openDesk();
    const oversize = () => new ZendeskError('UPSTREAM_UNAVAILABLE', 'Too large.', { failure: 'OVERSIZE' });
    const large = desk.coalescer.loadMany([1, 3, 5], desk.participant({ caller: 'one' }));
    const small = desk.coalescer.loadMany([7, 9, 8], desk.participant({ caller: 'other' }));
    desk.endTurn();
    for (let answered = 0; answered < desk.batches.length; answered += 1) {
      const batch = desk.batches[answered];
      if (batch?.ids.includes(3)) batch.fail(oversize());
      else batch?.answer();
      await settle();
    }
    expect(desk.batches.map(({ ids }) => ids)).toEqual([
      [1, 3, 5, 7, 9, 8],
      [1, 3, 5],
      [1, 3],
      [1],
      [3],
      [5],
      [7, 9, 8],
    ]);
    const [first, failed, third] = await large;
    expect([first, third]).toEqual(['object 1', 'object 5']);
    expect(failed).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', failure: 'OVERSIZE' });
    expect(String(failed)).toContain('This object of Zendesk is larger than the gateway reads.');
    expect(await small).toEqual(['object 7', 'object 9', null]);
  });

  it('fails only the half that fails for another reason, and stops where nobody waits any more', async () => {
    const desk = openDesk();
    const gone = new AbortController();
    const loading = desk.coalescer.loadMany([1, 3], desk.participant());
    desk.endTurn();
    desk.batches[0]?.fail(new ZendeskError('UPSTREAM_UNAVAILABLE', 'Too large.', { failure: 'OVERSIZE' }));
    await settle();
    desk.batches[1]?.fail(new TypeError('broken'));
    await settle();
    desk.batches[2]?.answer();
    expect(await loading).toEqual([new TypeError('broken'), 'object 3']);

    const lost = desk.coalescer.loadMany([5, 7], desk.participant({ signal: gone.signal }));
    desk.endTurn();
    desk.batches[3]?.fail(new ZendeskError('UPSTREAM_UNAVAILABLE', 'Too large.', { failure: 'OVERSIZE' }));
    await settle();
    expect(desk.batches[4]?.ids).toEqual([5]);
    gone.abort(new Error('gone'));
    expect(await lost).toEqual([new Error('gone'), new Error('gone')]);
    await settle();
    expect(desk.batches).toHaveLength(5);
  });

  it('runs in the highest lane of those who wait, and is not joined by the more urgent', async () => {
    const desk = openDesk();
    const loads = [
      desk.coalescer.load(1, desk.participant({ lane: 'BACKGROUND', caller: 'a job' })),
      desk.coalescer.load(3, desk.participant({ lane: 'MUTATION', caller: 'a person' })),
    ];
    desk.endTurn();
    expect(desk.batches[0]?.terms.lane).toBe('MUTATION');
    expect([...(desk.batches[0]?.terms.callers.names ?? [])]).toEqual(['a job', 'a person']);
    loads.push(desk.coalescer.load(1, desk.participant({ lane: 'INTERACTIVE' })));
    loads.push(desk.coalescer.load(3, desk.participant({ lane: 'BACKGROUND' })));
    desk.endTurn();
    expect(desk.batches.map(({ ids, terms }) => [ids, terms.lane])).toEqual([
      [[1, 3], 'MUTATION'],
      [[1], 'INTERACTIVE'],
    ]);
    for (const batch of desk.batches) batch.answer();
    expect(await Promise.all(loads)).toEqual(['object 1', 'object 3', 'object 1', 'object 3']);
  });

  it('counts a call once for each of those who took part, however many objects they wanted', async () => {
    const desk = openDesk();
    const [one, other, idle] = [createUsageMeter(), createUsageMeter(), createUsageMeter()];
    const loads = [
      desk.coalescer.loadMany([1, 3, 5], desk.participant({ meters: [one] })),
      desk.coalescer.load(3, desk.participant({ meters: [one, other] })),
      desk.coalescer
        .load(7, desk.participant({ signal: AbortSignal.abort('left'), meters: [idle] }))
        .catch(() => null),
    ];
    desk.endTurn();
    desk.batches[0]?.answer();
    await Promise.all(loads);
    expect([one, other, idle].map((meter) => meter.read().calls)).toEqual([1, 1, 0]);
  });

  it('keeps to its bounds: calls under way, the most urgent first, and ids waiting', async () => {
    const desk = openDesk({ maxUnderWay: 1, maxWaiting: 3 });
    const loads = [desk.coalescer.load(1, desk.participant())];
    desk.endTurn();
    loads.push(desk.coalescer.load(3, desk.participant({ lane: 'BACKGROUND' })));
    desk.endTurn();
    loads.push(desk.coalescer.load(5, desk.participant({ lane: 'INTERACTIVE' })));
    desk.endTurn();
    expect(desk.batches).toHaveLength(1);
    await expect(desk.coalescer.load(7, desk.participant())).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { retryAfter: 1 },
    });
    // What waits already is joined all the same.
    loads.push(desk.coalescer.load(3, desk.participant()));
    desk.batches[0]?.answer();
    await settle();
    expect(desk.batches).toHaveLength(2);
    desk.batches[1]?.answer();
    await settle();
    desk.batches[2]?.answer();
    expect(await Promise.all(loads)).toEqual(['object 1', 'object 3', 'object 5', 'object 3']);
  });

  it('refuses who would take what is left to others, and nobody else', async () => {
    const desk = openDesk({ maxUnderWay: 1, maxWaiting: 1_000 });
    const idsFrom = (first: number) => Array.from({ length: 990 }, (_, index) => first + index);
    const flood = desk.coalescer.loadMany(idsFrom(1_000), desk.participant({ caller: 'flooder' }));
    const second = desk.coalescer.loadMany(idsFrom(2_000), desk.participant({ caller: 'second flooder' }));
    const alone = desk.coalescer.load(5, desk.participant({ caller: 'victim' }));
    desk.endTurn();
    for (let answered = 0; answered < desk.batches.length; answered += 1) {
      desk.batches[answered]?.answer();
      await settle();
    }
    expect(await alone).toBe('object 5');
    const refused = (loaded: readonly unknown[]) =>
      loaded.filter((one) => one instanceof ZendeskError).length;
    // The first has half of a thousand places, and a hundred ids of it are under way; the second has half of the rest.
    expect(refused(await flood)).toBe(490);
    expect(refused(await second)).toBe(690);
  });

  it('lets callers take turns, and none have all that is under way', async () => {
    const desk = openDesk({ maxUnderWay: 4 });
    const idsFrom = (first: number) => Array.from({ length: 100 }, (_, index) => first + index);
    const loads = [1_000, 2_000, 3_000, 4_000, 5_000].map((first) =>
      desk.coalescer.loadMany(idsFrom(first), desk.participant({ caller: 'flooder' })),
    );
    const begun = () => desk.batches.map(({ ids }) => ids[0]);
    expect(begun()).toEqual([1_000, 2_000]);
    loads.push(
      desk.coalescer.loadMany(idsFrom(6_000), desk.participant({ caller: 'victim' })),
      desk.coalescer.loadMany(idsFrom(7_000), desk.participant({ caller: 'victim' })),
    );
    expect(begun()).toEqual([1_000, 2_000, 6_000]);
    // Who asks for what the flooder has waiting takes it along in its own turn.
    loads.push(desk.coalescer.loadMany([5_001], desk.participant({ caller: 'third' })));
    expect(begun()).toEqual([1_000, 2_000, 6_000, 5_000]);
    for (let answered = 0; answered < desk.batches.length; answered += 1) {
      desk.batches[answered]?.answer();
      await settle();
    }
    expect(begun()).toEqual([1_000, 2_000, 6_000, 5_000, 3_000, 7_000, 4_000]);
    expect((await Promise.all(loads)).flat().filter((one) => one instanceof Error)).toEqual([]);
  });

  it('gives everybody what they asked for, whatever the order of events', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('load' as const),
        ids: fc.array(fc.integer({ min: 1, max: 130 }), { minLength: 1, maxLength: 120 }),
      }),
      fc.record({ kind: fc.constant('turn' as const) }),
      fc.record({ kind: fc.constant('answer' as const), which: fc.nat(20) }),
      fc.record({ kind: fc.constant('fail' as const), which: fc.nat(20) }),
      fc.record({ kind: fc.constant('abort' as const), which: fc.nat(20) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 25 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, maxUnderWay) => {
          const desk = openDesk({ maxUnderWay });
          const waiters: {
            ids: readonly number[];
            gone: AbortController;
            loading: Promise<readonly unknown[]>;
          }[] = [];
          const over = new Set<Batch>();
          const underWay = () =>
            desk.batches.filter((batch) => !over.has(batch) && !batch.terms.signal.aborted);
          for (const one of steps) {
            if (one.kind === 'load') {
              const gone = new AbortController();
              const caller = `caller ${waiters.length % 3}`;
              const loading = desk.coalescer.loadMany(
                one.ids,
                desk.participant({ signal: gone.signal, caller }),
              );
              waiters.push({ ids: one.ids, gone, loading });
            } else if (one.kind === 'turn') desk.endTurn();
            else if (one.kind === 'abort') waiters[one.which]?.gone.abort(new Error('gone'));
            else {
              const batch = underWay()[one.which];
              if (batch !== undefined) {
                over.add(batch);
                if (one.kind === 'answer') batch.answer();
                else batch.fail(new Error('failed'));
              }
            }
            await settle();
            // No id is on its way twice, no batch is too large, no more are under way than may be.
            const ids = underWay().flatMap((batch) => batch.ids);
            expect(new Set(ids).size).toBe(ids.length);
            expect(underWay().length).toBeLessThanOrEqual(maxUnderWay);
            for (const batch of desk.batches) expect(batch.ids.length).toBeLessThanOrEqual(100);
          }
          for (let rest = 0; rest < 200 && (rest === 0 || underWay().length > 0); rest += 1) {
            desk.endTurn();
            for (const batch of underWay()) {
              over.add(batch);
              batch.answer();
            }
            await settle();
          }
          for (const { ids, gone, loading } of waiters) {
            const loaded = await loading;
            expect(loaded).toHaveLength(ids.length);
            for (const [index, value] of loaded.entries()) {
              if (value instanceof Error)
                expect(['failed', ...(gone.signal.aborted ? ['gone'] : [])]).toContain(value.message);
              else expect(value).toBe(nameOf(ids[index] ?? 0));
            }
          }
          expect(desk.clock.pending).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
