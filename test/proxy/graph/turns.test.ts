import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/proxy/graph/turns.ts';

describe('turns', () => {
  it('run so many at a time and in order, also after failures and departures', async () => {
    const turns = new Turns(2);
    const begun: number[] = [];
    const works = Array.from({ length: 6 }, () => Promise.withResolvers<string>());
    const leaving = new AbortController();
    const { signal } = new AbortController();
    const runs = works.map(({ promise }, index) =>
      turns.run(index === 2 ? leaving.signal : signal, () => {
        begun.push(index);
        return promise;
      }),
    );
    const settled = Promise.allSettled(runs);
    const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await soon();
    expect(begun).toEqual([0, 1]);
    leaving.abort(new Error('left'));
    works[1]?.reject(new Error('failed'));
    await soon();
    expect(begun).toEqual([0, 1, 3]);
    works[0]?.resolve('first');
    await soon();
    expect(begun).toEqual([0, 1, 3, 4]);
    for (const { resolve } of works) resolve('done');
    expect(
      (await settled).map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message)),
    ).toEqual(['first', 'failed', 'left', 'done', 'done', 'done']);
    expect(begun).toEqual([0, 1, 3, 4, 5]);
    await expect(turns.run(leaving.signal, async () => 'never')).rejects.toThrow('left');
    // Nobody's place was lost on the way.
    const all = await Promise.all([1, 2, 3].map((index) => turns.run(signal, async () => index)));
    expect(all).toEqual([1, 2, 3]);
  });

  it('pass on a turn that came in the moment its owner left', async () => {
    const turns = new Turns(1);
    const first = Promise.withResolvers<void>();
    const leaving = new AbortController();
    const { signal } = new AbortController();
    const running = turns.run(signal, () => first.promise);
    const leaver = turns.run(leaving.signal, async () => 'late');
    const next = turns.run(signal, async () => 'next');
    first.resolve();
    await running;
    leaving.abort(new Error('left'));
    await Promise.allSettled([leaver]);
    expect(await next).toBe('next');
    expect(await turns.run(signal, async () => 'free again')).toBe('free again');
  });
});
