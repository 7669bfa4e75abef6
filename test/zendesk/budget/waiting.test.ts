/** Callers that wait, whatever holds them up. */
import { describe, expect, it } from 'vitest';
import type { BudgetLedger } from '../../../src/zendesk/index.ts';
import { createMemoryLedger } from '../../support/memory-ledger.ts';
import { createManualClock } from '../manual-clock.ts';
import { isSettled, openLimiterRig, pass, settle, told } from './limiter-rig.ts';

const EXHAUSTED = { code: 'BUDGET_EXHAUSTED', status: 429, retryable: true };

describe('a ledger that hangs', () => {
  it('keeps nobody waiting beyond the deadline', async () => {
    const clock = createManualClock();
    const memory = createMemoryLedger(clock);
    const released = Promise.withResolvers<void>();
    const ledger: BudgetLedger = {
      update: (...terms) => released.promise.then(() => memory.update(...terms)),
    };
    await using rig = openLimiterRig({ clock, ledger });
    const waiting = rig.enter({ within: 2_000 });
    waiting.catch(() => undefined);
    await pass(clock, 1_900);
    expect(await isSettled(waiting)).toBe(false);
    const later = rig.enter({ within: 1_000 });
    later.catch(() => undefined);
    await pass(clock, 100);
    await expect(waiting).rejects.toMatchObject(EXHAUSTED);
    await pass(clock, 900);
    await expect(later).rejects.toMatchObject(EXHAUSTED);
    released.resolve();
  });
});

describe('a thousand calls that enter in one turn', () => {
  it('are looked at together, also while a pause holds them', async () => {
    await using rig = openLimiterRig();
    const slot = await rig.enter();
    const pause = { scope: 'ENDPOINT', milliseconds: 8_000 } as const;
    slot.leave({ sent: true, reading: told(600, 700, rig.clock), pause });
    await pass(rig.clock, 300);
    const timers = rig.clock.waits.length;
    for (let count = 0; count < 1_000; count += 1) rig.enter().catch(() => undefined);
    await settle();
    expect(rig.clock.waits.length - timers).toBeLessThanOrEqual(3);
    expect(rig.clock.pending).toBe(1);
  });
});
