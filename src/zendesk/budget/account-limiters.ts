import { randomUUID } from 'node:crypto';
import { type Clock, type Log, silentLog } from '../../base/index.ts';
import type { RequestLimiter } from '../request-limiter.ts';
import type { BudgetAccount, BudgetLedger } from './budget-ledger.ts';
import { BudgetLimiter } from './budget-limiter.ts';

export interface AccountLimitersOptions {
  readonly ledger: BudgetLedger;
  readonly clock: Clock;
  readonly log?: Log;
  /** 0 ≤ x < 1. */
  readonly random?: () => number;
  /** Calls under way at once for one account; default 32. */
  readonly maxUnderWay?: number;
  /** Calls waiting for one account; default 1 000. */
  readonly maxWaiting?: number;
}

/** The budgets of all accounts as this process uses them: all clients of one tenant and account share one. */
export interface AccountLimiters extends AsyncDisposable {
  of(account: BudgetAccount): RequestLimiter;
}

const MAX_ACCOUNTS = 10_000;

/**
 * Holds at most 10 000 accounts; the one asked for longest ago gives way, and is settled when its calls
 * end. Disposing gives back what is in hand.
 */
export function openAccountLimiters(options: AccountLimitersOptions): AccountLimiters {
  const { ledger, clock, log = silentLog, random = Math.random } = options;
  const { maxUnderWay = 32, maxWaiting = 1000 } = options;
  const process = randomUUID();
  const limiters = new Map<string, BudgetLimiter>();
  return Object.freeze({
    of(account: BudgetAccount): RequestLimiter {
      const key = `${account.tenantId} ${account.origin}`;
      const limiter =
        limiters.get(key) ??
        new BudgetLimiter({ account, ledger, process, clock, log, random, maxUnderWay, maxWaiting });
      limiters.delete(key);
      limiters.set(key, limiter);
      const oldest = limiters.keys().next().value;
      if (limiters.size > MAX_ACCOUNTS && oldest !== undefined) limiters.delete(oldest);
      return limiter;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all([...limiters.values()].map((limiter) => limiter[Symbol.asyncDispose]()));
    },
  });
}
