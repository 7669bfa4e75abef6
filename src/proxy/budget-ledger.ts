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
      return store.withTenant(account.tenantId, async (tx) => {
        const stored = await lockRows(tx, account, names);
        const { rows, answer } = compute(stored, await readClock(tx));
        await storeRows(tx, account, rows);
        return answer;
      });
    },
  });
}

/** The buckets `names`, made where missing, locked in the order of their names. */
async function lockRows(tx: Tx, account: BudgetAccount, names: readonly string[]): Promise<BudgetRows> {
  await sql`SELECT set_config('synchronous_commit', 'off', true)`.execute(tx);
  const found = await selectRows(tx, account, names);
  if (found.size === names.length) return Object.fromEntries(found);
  await tx
    .insertInto('zendesk_budgets')
    .values(
      names
        .toSorted()
        .map((bucket) => ({ tenant_id: account.tenantId, origin: account.origin, bucket, state: null })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return Object.fromEntries(await selectRows(tx, account, names));
}

async function selectRows(
  tx: Tx,
  { tenantId, origin }: BudgetAccount,
  names: readonly string[],
): Promise<ReadonlyMap<string, unknown>> {
  const rows = await tx
    .selectFrom('zendesk_budgets')
    .select(['bucket', 'state'])
    .where('tenant_id', '=', tenantId)
    .where('origin', '=', origin)
    .where('bucket', 'in', names)
    .orderBy(sql`bucket COLLATE "C"`)
    .forUpdate()
    .execute();
  return new Map(rows.map(({ bucket, state }) => [bucket, state]));
}

/** After the locks were had, so that times rise from one update to the next. */
async function readClock(tx: Tx): Promise<number> {
  const { rows } = await sql<{ now: number }>`
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`.execute(tx);
  const [row] = rows;
  if (row === undefined) throw new Error('The database told no time');
  return row.now;
}

async function storeRows(tx: Tx, { tenantId, origin }: BudgetAccount, rows: BudgetRows): Promise<void> {
  const values = Object.entries(rows).map(
    ([bucket, state]) => sql`(${bucket}, ${JSON.stringify(state)}::jsonb)`,
  );
  await sql`UPDATE zendesk_budgets b SET state = v.state, updated_at = now()
    FROM (VALUES ${sql.join(values)}) AS v (bucket, state)
    WHERE b.tenant_id = ${tenantId} AND b.origin = ${origin} AND b.bucket = v.bucket`.execute(tx);
}
