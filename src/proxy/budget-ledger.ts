/**
 * The request budgets of Zendesk accounts in the database. One update is one short transaction that
 * holds the account's rows, the account's own bucket first, and reads the database's clock once it has
 * them. It does not wait for the disk: what a crash of the database takes with it are grants of the last
 * moments, which the answers of Zendesk tell again.
 */
import { sql } from 'kysely';
import type { Store, Tx } from '../store/index.ts';
import type { BudgetAccount, BudgetLedger, BudgetRows, BudgetUpdate } from '../zendesk/index.ts';

export function createBudgetLedger(store: Store): BudgetLedger {
  return Object.freeze({
    update<T>(
      account: BudgetAccount,
      names: readonly string[],
      compute: (rows: BudgetRows, now: number) => BudgetUpdate<T>,
    ): Promise<T> {
      const attempt = (): Promise<{ readonly answer: T } | null> =>
        store.withTenant(account.tenantId, async (tx) => {
          const locked = await lockRows(tx, account, names);
          if (locked === null) return null;
          const { rows, answer } = compute(locked.stored, locked.now);
          await storeRows(tx, account, rows);
          return { answer };
        });
      return updateRows(attempt, () =>
        store.withTenant(account.tenantId, (tx) => insertRows(tx, account, names)),
      );
    },
  });
}

/** Missing rows are made in a transaction of their own: in one with the locks, two processes could wait for each other. */
async function updateRows<T>(
  attempt: () => Promise<{ readonly answer: T } | null>,
  insert: () => Promise<void>,
): Promise<T> {
  const done = await attempt();
  if (done !== null) return done.answer;
  await insert();
  const redone = await attempt();
  if (redone === null) throw new Error('The buckets of a budget could not be made');
  return redone.answer;
}

interface LockedRows {
  readonly stored: BudgetRows;
  /** The database's time once the locks were had, so that times rise from one update to the next. */
  readonly now: number;
}

/** In the order of their names, as they are locked. */
async function insertRows(tx: Tx, account: BudgetAccount, names: readonly string[]): Promise<void> {
  await tx
    .insertInto('zendesk_budgets')
    .values(
      names
        .toSorted()
        .map((bucket) => ({ tenant_id: account.tenantId, origin: account.origin, bucket, state: null })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * The buckets `names`, locked in their order, or `null` where not all of them are there. What is around
 * the locking query happens after it.
 */
async function lockRows(
  tx: Tx,
  { tenantId, origin }: BudgetAccount,
  names: readonly string[],
): Promise<LockedRows | null> {
  const { rows } = await sql<{ bucket: string; state: unknown; now: number }>`
    SELECT bucket, state, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
      set_config('synchronous_commit', 'off', true)
    FROM (
      SELECT bucket, state FROM zendesk_budgets
      WHERE tenant_id = ${tenantId} AND origin = ${origin} AND bucket = ANY(${names}::text[])
      ORDER BY bucket COLLATE "C" FOR UPDATE
    ) AS locked`.execute(tx);
  const [last] = rows.toReversed();
  if (last === undefined || rows.length < names.length) return null;
  return { stored: Object.fromEntries(rows.map(({ bucket, state }) => [bucket, state])), now: last.now };
}

async function storeRows(tx: Tx, { tenantId, origin }: BudgetAccount, rows: BudgetRows): Promise<void> {
  const values = Object.entries(rows).map(
    ([bucket, state]) => sql`(${bucket}, ${JSON.stringify(state)}::jsonb)`,
  );
  await sql`UPDATE zendesk_budgets b SET state = v.state, updated_at = now()
    FROM (VALUES ${sql.join(values)}) AS v (bucket, state)
    WHERE b.tenant_id = ${tenantId} AND b.origin = ${origin} AND b.bucket = v.bucket`.execute(tx);
}
