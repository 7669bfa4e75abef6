import type {
  BudgetLedger,
  RateLimitReading,
  RequestLimiter,
  RequestSlot,
} from '../../../src/zendesk/index.ts';
import { type AccountLimitersOptions, type Lane, openAccountLimiters } from '../../../src/zendesk/index.ts';
import { createMemoryLedger } from '../../support/memory-ledger.ts';
import { createManualClock, type ManualClock } from '../manual-clock.ts';

export const ACCOUNT = { tenantId: 'tenant', origin: 'https://acme.zendesk.com' } as const;

export interface EnterOptions {
  readonly lane?: Lane;
  readonly caller?: string;
  readonly method?: string;
  readonly path?: string;
  readonly within?: number;
  readonly signal?: AbortSignal;
}

/** A gateway process as far as its limiter goes. */
export interface LimiterRig extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly ledger: BudgetLedger;
  readonly limiter: RequestLimiter;
  enter(options?: EnterOptions): Promise<RequestSlot>;
}

/** Answers that tell `remaining` of `limit` calls, and a whole minute until the window ends. */
export function told(remaining: number, limit: number, clock: ManualClock): RateLimitReading {
  return { limit, remaining, resetsAt: clock.now() + 60_000, endpoints: [] };
}

export const UNTOLD: RateLimitReading = { limit: null, remaining: null, resetsAt: null, endpoints: [] };

export function openLimiterRig(
  options: Partial<AccountLimitersOptions> & {
    readonly clock?: ManualClock;
    readonly tenantId?: string;
  } = {},
): LimiterRig {
  const clock = options.clock ?? createManualClock();
  const ledger = options.ledger ?? createMemoryLedger(clock);
  const { tenantId = ACCOUNT.tenantId, ...rest } = options;
  const limiters = openAccountLimiters({ random: () => 0.5, ...rest, ledger, clock });
  const limiter = limiters.of({ ...ACCOUNT, tenantId });
  return {
    clock,
    ledger,
    limiter,
    enter: ({
      lane = 'INTERACTIVE',
      caller,
      method = 'GET',
      path = '/api/v2/users/1.json',
      within = 30_000,
      signal = new AbortController().signal,
    } = {}) => limiter.enter({ method, path, lane, caller, deadline: clock.now() + within, signal }),
    [Symbol.asyncDispose]: () => limiters[Symbol.asyncDispose](),
  };
}

/** Lets all work at hand be done. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

/** Moves the clock in small steps, work being done between them. */
export async function pass(clock: ManualClock, milliseconds: number, step = 50): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += step) {
    clock.advance(Math.min(step, milliseconds - passed));
    await settle();
  }
}

export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  promise.then(mark, mark);
  await settle();
  return settled;
}

/** Makes one call that is told what remains, so that the budget is known. */
export async function learn(rig: LimiterRig, remaining: number, limit: number): Promise<void> {
  const slot = await rig.enter();
  slot.leave({ sent: true, reading: told(remaining, limit, rig.clock) });
  await pass(rig.clock, 150);
}

/** Tokens granted and not settled, of all processes. */
export async function tokensOut(rig: LimiterRig, tenantId: string = ACCOUNT.tenantId): Promise<number> {
  const rows = await rig.ledger.update({ ...ACCOUNT, tenantId }, ['account'], (stored) => ({
    rows: stored,
    answer: stored,
  }));
  const { bucket } = rows['account'] as { bucket: { holders: Record<string, { out: number }> } };
  return Object.values(bucket.holders).reduce((sum, { out }) => sum + out, 0);
}
