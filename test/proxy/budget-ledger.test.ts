/** The ledger of request budgets in the database. */
import { expect, it } from 'vitest';
import { createId, systemClock } from '../../src/base/index.ts';
import { createBudgetLedger } from '../../src/proxy/index.ts';
import type { Store } from '../../src/store/index.ts';
import { type BudgetRows, openAccountLimiters, type RequestSlot } from '../../src/zendesk/index.ts';
import { describeOnBothDatabases, openTestStore } from '../support/store.ts';

const ORIGIN = 'https://acme.zendesk.com';

async function createTenant(store: Store): Promise<string> {
  const id = createId('tenant');
  await store.withSystem('tenant-administration', (tx) =>
    tx.insertInto('tenants').values({ id, kind: 'CUSTOMER', name: 'Test' }).execute(),
  );
  return id;
}

const counted = (rows: BudgetRows, name: string): number =>
  (rows[name] as { readonly count: number } | null)?.count ?? 0;

describeOnBothDatabases('The ledger of budgets', (kind) => {
  it('keeps what is stored by tenant, account and bucket', async () => {
    await using opened = await openTestStore(kind);
    const ledger = createBudgetLedger(opened.store);
    const account = { tenantId: await createTenant(opened.store), origin: ORIGIN };
    const read = (of: typeof account, names: readonly string[]) =>
      ledger.update(of, names, (rows) => ({ rows, answer: rows }));
    const first = await ledger.update(account, ['account', 'tickets-index'], (rows) => ({
      rows: { account: { count: 1 }, 'tickets-index': { count: 2 } },
      answer: rows,
    }));
    expect(first).toEqual({ account: null, 'tickets-index': null });
    expect(await read(account, ['account', 'search-index'])).toEqual({
      account: { count: 1 },
      'search-index': null,
    });
    const other = { ...account, tenantId: await createTenant(opened.store) };
    expect(await read(other, ['account'])).toEqual({ account: null });
    expect(await read({ ...account, origin: 'https://other.zendesk.com' }, ['account'])).toEqual({
      account: null,
    });
  });

  it('lets one update follow the other, each at a later time', async () => {
    await using opened = await openTestStore(kind);
    const ledger = createBudgetLedger(opened.store);
    const account = { tenantId: await createTenant(opened.store), origin: ORIGIN };
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        ledger.update(account, index % 2 === 0 ? ['account'] : ['account', 'tickets-index'], (rows, now) => {
          const count = counted(rows, 'account') + 1;
          const next = Object.fromEntries(Object.keys(rows).map((name) => [name, { count }]));
          return { rows: next, answer: { count, now } };
        }),
      ),
    );
    const inOrder = answers.toSorted((a, b) => a.count - b.count);
    expect(inOrder.map(({ count }) => count)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(inOrder.map(({ now }) => now)).toEqual(inOrder.map(({ now }) => now).toSorted((a, b) => a - b));
    expect(Math.abs((inOrder[0]?.now ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('changes nothing when what decides fails', async () => {
    await using opened = await openTestStore(kind);
    const ledger = createBudgetLedger(opened.store);
    const account = { tenantId: await createTenant(opened.store), origin: ORIGIN };
    await ledger.update(account, ['account'], () => ({ rows: { account: { count: 1 } }, answer: null }));
    const failing = ledger.update(account, ['account'], () => {
      throw new Error('undecided');
    });
    await expect(failing).rejects.toThrow('undecided');
    expect(await ledger.update(account, ['account'], (rows) => ({ rows, answer: rows }))).toEqual({
      account: { count: 1 },
    });
  });

  it('shares one budget between two processes', async () => {
    await using opened = await openTestStore(kind);
    const tenantId = await createTenant(opened.store);
    await using one = openAccountLimiters({ ledger: createBudgetLedger(opened.store), clock: systemClock });
    await using other = openAccountLimiters({ ledger: createBudgetLedger(opened.store), clock: systemClock });
    const limiters = [one, other].map((limiters) => limiters.of({ tenantId, origin: ORIGIN }));
    const LIMIT = 200;
    let remaining = LIMIT;
    const made = [0, 0];
    const call = async (index: number): Promise<void> => {
      const slot: RequestSlot | undefined = await limiters[index]?.enter({
        method: 'GET',
        path: '/api/v2/users/1.json',
        lane: 'INTERACTIVE',
        caller: undefined,
        deadline: Date.now() + 10_000,
        signal: new AbortController().signal,
      });
      made[index] = (made[index] ?? 0) + 1;
      remaining -= 1;
      const reading = { limit: LIMIT, remaining, resetsAt: Date.now() + 60_000, endpoints: [] };
      slot?.leave({ sent: true, reading });
    };
    await Promise.all(Array.from({ length: 60 }, (_, index) => call(index % 2)));
    expect(made).toEqual([30, 30]);
    // What one process used the other knows of.
    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    const rows = await createBudgetLedger(opened.store).update(
      { tenantId, origin: ORIGIN },
      ['account'],
      (stored) => ({
        rows: stored,
        answer: stored,
      }),
    );
    const { bucket } = rows['account'] as { bucket: { limit: number; log: [number, number][] } };
    expect(bucket.limit).toBe(LIMIT);
    expect(bucket.log.reduce((sum, [, calls]) => sum + calls, 0)).toBe(60);
  });
});
