import type { Clock } from '../../src/base/index.ts';
import type { BudgetLedger, BudgetRows } from '../../src/zendesk/index.ts';

/** A ledger in memory, for what runs on a clock of its own: its time is that clock's. */
export function createMemoryLedger(clock: Clock): BudgetLedger {
  const stored = new Map<string, Record<string, unknown>>();
  return {
    async update({ tenantId, origin }, names, compute) {
      const key = `${tenantId} ${origin}`;
      const rows = stored.get(key) ?? {};
      const asked: BudgetRows = Object.fromEntries(names.map((name) => [name, rows[name] ?? null]));
      const update = compute(asked, clock.now());
      // As the database keeps it: JSON.
      stored.set(key, { ...rows, ...JSON.parse(JSON.stringify(update.rows)) });
      return update.answer;
    },
  };
}
