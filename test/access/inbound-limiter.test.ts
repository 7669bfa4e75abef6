import { describe, expect, test } from 'vitest';
import { assertRole, createInboundLimiter, isRole } from '../../src/access/index.ts';

function manualClock(start = 1_000_000) {
  const clock = {
    time: start,
    now: () => clock.time,
    wait: () => Promise.reject(new Error('Nobody waits here')),
  };
  return clock;
}

const caller = (id: string, requestsPerMinute: number | null = null) => ({
  id,
  requestsPerMinute,
});

function takeUntilRefused(take: () => void): { taken: number; error: unknown } {
  for (let taken = 0; taken < 10_000; taken += 1) {
    try {
      take();
    } catch (error) {
      return { taken, error };
    }
  }
  throw new Error('Nothing was ever refused');
}

describe('The inbound limit of an API key', () => {
  test('lets a minute of requests through at once, then tells how long to wait', () => {
    const clock = manualClock();
    const limiter = createInboundLimiter({ clock, defaultPerMinute: 6 });
    const { taken, error } = takeUntilRefused(() => limiter.take(caller('a')));
    expect(taken).toBe(6);
    expect(error).toMatchObject({ code: 'TOO_MANY_REQUESTS', details: { retryAfter: 10 } });
    clock.time += 9_000;
    expect(() => limiter.take(caller('a'))).toThrow(/Wait 1 s/);
    clock.time += 1_000;
    limiter.take(caller('a'));
    expect(() => limiter.take(caller('a'))).toThrow(/Wait 10 s/);
  });

  test('tells beforehand whether it would refuse, and counts nothing for that', () => {
    const clock = manualClock();
    const limiter = createInboundLimiter({ clock, defaultPerMinute: 1 });
    for (let asked = 0; asked < 3; asked += 1) limiter.assertLeft(caller('a'));
    limiter.take(caller('a'));
    expect(() => limiter.assertLeft(caller('a'))).toThrow(/Wait 60 s/);
    clock.time += 60_000;
    limiter.assertLeft(caller('a'));
    limiter.take(caller('a'));
  });

  test('never lets more than the limit gather', () => {
    const clock = manualClock();
    const limiter = createInboundLimiter({ clock, defaultPerMinute: 5 });
    limiter.take(caller('a'));
    clock.time += 3_600_000;
    expect(takeUntilRefused(() => limiter.take(caller('a'))).taken).toBe(5);
  });

  test('is the key’s own where it has one, and counts each key apart', () => {
    const limiter = createInboundLimiter({ clock: manualClock(), defaultPerMinute: 5 });
    expect(takeUntilRefused(() => limiter.take(caller('a', 2))).taken).toBe(2);
    expect(takeUntilRefused(() => limiter.take(caller('b'))).taken).toBe(5);
  });

  test('fills nothing when the clock is set back', () => {
    const clock = manualClock();
    const limiter = createInboundLimiter({ clock, defaultPerMinute: 2 });
    takeUntilRefused(() => limiter.take(caller('a')));
    clock.time -= 600_000;
    expect(() => limiter.take(caller('a'))).toThrow(/Wait/);
  });

  test('keeps the buckets of the keys used last, and no more than it may', () => {
    const limiter = createInboundLimiter({ clock: manualClock(), defaultPerMinute: 1, maxKeys: 2 });
    limiter.take(caller('a'));
    limiter.take(caller('b'));
    expect(() => limiter.take(caller('a'))).toThrow(/Wait/);
    limiter.take(caller('c'));
    expect(() => limiter.take(caller('a'))).toThrow(/Wait/);
    limiter.take(caller('b'));
  });

  test('is refused by its maker when it makes no sense', () => {
    for (const wrong of [0, -1, 1.5, Number.NaN]) {
      expect(() => createInboundLimiter({ clock: manualClock(), defaultPerMinute: wrong })).toThrow(
        RangeError,
      );
      expect(() => createInboundLimiter({ clock: manualClock(), maxKeys: wrong })).toThrow(RangeError);
    }
  });
});

describe('A role', () => {
  test('is enough when it is one of those asked for, and the refusal names them', () => {
    expect(() => assertRole({ roles: ['AGENT', 'AUDITOR'] }, 'ADMIN', 'AUDITOR')).not.toThrow();
    expect(() => assertRole({ roles: ['AGENT'] }, 'ADMIN', 'OPERATOR')).toThrow(
      /ADMIN or OPERATOR; this one has AGENT/,
    );
    expect(() => assertRole({ roles: ['AGENT'] }, 'ADMIN')).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    );
    expect(() => assertRole({ roles: ['ADMIN'] })).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  });

  test('has a name of the closed list', () => {
    expect(isRole('ADMIN')).toBe(true);
    for (const name of ['admin', 'ROOT', '', 'length']) expect(isRole(name)).toBe(false);
  });
});
