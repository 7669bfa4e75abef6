/** The budget on virtual time against servers that count as Zendesk may: by fixed or by sliding minutes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runAccount, type SimulatedAccount, type SimulatedRun } from './simulated-account.ts';

const EVERYTHING = Infinity;

const account = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  window: fc.constantFrom('fixed' as const, 'sliding' as const),
  limit: fc.integer({ min: 60, max: 700 }),
  minutes: fc.constant(3),
  processes: fc.integer({ min: 1, max: 4 }),
  othersPerMinute: fc.constant(0),
  latency: fc.constantFrom([5, 30] as const, [30, 400] as const, [5, 1_500] as const),
  tellsReset: fc.boolean(),
  phase: fc.integer({ min: 0, max: 59_999 }),
});

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Our share of what was left in the last two minutes. */
function used({ taken }: SimulatedRun, { limit, othersPerMinute }: SimulatedAccount): number {
  const counted = taken.slice(1);
  return sum(counted) / (counted.length * (limit - othersPerMinute));
}

const check = (property: Parameters<typeof fc.assert>[0], numRuns: number): unknown =>
  fc.assert(property, { numRuns, seed: 20_261_121 });

describe('alone with its account', () => {
  it('never calls too often, whatever it wants, however long calls take', () => {
    const demands = fc.constantFrom(
      [{ lane: 'INTERACTIVE' as const, perSecond: EVERYTHING }],
      [{ lane: 'BACKGROUND' as const, perSecond: EVERYTHING }],
      [
        { lane: 'INTERACTIVE' as const, perSecond: 3 },
        { lane: 'MUTATION' as const, perSecond: 2 },
        { lane: 'BACKGROUND' as const, perSecond: EVERYTHING },
      ],
    );
    check(
      fc.property(account, demands, (options, wanted) => {
        expect(runAccount({ ...options, demands: wanted }).refused).toBe(0);
      }),
      20,
    );
  });

  it.each([
    'fixed',
    'sliding',
  ] as const)('uses at least 19 of 20 calls of a %s window in any lane', (window) => {
    for (const lane of ['INTERACTIVE', 'MUTATION', 'BACKGROUND'] as const) {
      const options: SimulatedAccount = {
        seed: 7,
        window,
        limit: 700,
        minutes: 4,
        processes: 4,
        demands: [{ lane, perSecond: EVERYTHING }],
        othersPerMinute: 0,
        latency: [10, 60],
        tellsReset: true,
        phase: 23_000,
      };
      expect(used(runAccount(options), options)).toBeGreaterThanOrEqual(0.95);
    }
  });

  it('lets interactive calls pass while a background job wants everything', () => {
    const run = runAccount({
      seed: 3,
      window: 'sliding',
      limit: 700,
      minutes: 3,
      processes: 4,
      demands: [
        { lane: 'BACKGROUND', perSecond: EVERYTHING },
        { lane: 'INTERACTIVE', perSecond: 0.7 },
      ],
      othersPerMinute: 0,
      latency: [10, 60],
      tellsReset: true,
      phase: 0,
    });
    const waits = run.waits.INTERACTIVE.toSorted((a, b) => a - b);
    expect(waits.length).toBeGreaterThan(400);
    expect(waits[Math.floor(waits.length * 0.95)]).toBeLessThanOrEqual(300);
    expect(run.refused).toBe(0);
  });
});

describe('beside another consumer', () => {
  it.each([
    'fixed',
    'sliding',
  ] as const)('uses what is left of a %s window and leaves the other most of what it wants', (window) => {
    for (const seed of [11, 12, 13]) {
      const options: SimulatedAccount = {
        seed,
        window,
        limit: 700,
        minutes: 5,
        processes: 4,
        demands: [{ lane: 'INTERACTIVE', perSecond: EVERYTHING }],
        othersPerMinute: 200,
        latency: [10, 60],
        tellsReset: true,
        phase: seed * 1_000,
      };
      const run = runAccount(options);
      expect(used(run, options)).toBeGreaterThanOrEqual(0.95);
      expect(run.refused).toBeLessThanOrEqual(2);
      expect(run.others.taken / (run.others.taken + run.others.refused)).toBeGreaterThanOrEqual(0.7);
    }
  });
});
