/** The budget on virtual time against servers that count as Zendesk may: by fixed or by sliding minutes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Settlement } from '../../../src/zendesk/budget/bucket.ts';
import type { BudgetRows } from '../../../src/zendesk/budget/budget-ledger.ts';
import { ACCOUNT } from '../../../src/zendesk/budget/endpoint-class.ts';
import { type BudgetAsk, exchangeBudget } from '../../../src/zendesk/budget/exchange.ts';
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

describe("a ledger's clock", () => {
  it.each([
    6_000, 3_600_000,
  ])('set back by %i ms does not stop the account, nor forget what is in the window', (back) => {
    const limit = 200;
    let rows: BudgetRows = {};
    let now = 1_800_000_000_000;
    let remaining = limit;
    const exchange = (calls: number, settled: ReadonlyMap<string, Settlement> = new Map()) => {
      const byCaller = [{ caller: '', calls }];
      const asks: BudgetAsk[] =
        calls === 0 ? [] : [{ lane: 'INTERACTIVE', endpointClass: null, calls, callers: 1, byCaller }];
      const request = { process: 'p', asks, ahead: [], settled, holding: [], pauses: [], callers: [] };
      const update = exchangeBudget(rows, request, now, () => 0.5);
      rows = JSON.parse(JSON.stringify(update.rows));
      return update.answer;
    };
    const useSeconds = (seconds: number, beforeEnd = () => {}): number => {
      let made = 0;
      for (let second = 0; second < seconds; second += 1) {
        const { granted, grantedAt } = exchange(10);
        const count = granted[0] ?? 0;
        made += count;
        remaining -= count;
        now += 500;
        if (second === seconds - 1) beforeEnd();
        const told = { least: remaining, greatest: remaining + count - 1, limit, resetsIn: 60_000 };
        const readings = { count, ...told, newestGrant: grantedAt };
        if (count > 0) exchange(0, new Map([[ACCOUNT, { finished: count, returned: 0, readings }]]));
        now += 500;
      }
      return made;
    };
    const before = useSeconds(20, () => {
      now -= back;
    });
    expect(before).toBeGreaterThan(limit / 2);
    expect(before + useSeconds(35)).toBeLessThanOrEqual(limit);
    remaining = limit;
    now += 30_000;
    expect(useSeconds(30)).toBeGreaterThanOrEqual(limit * 0.9);
  });
});
