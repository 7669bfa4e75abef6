/** A tenant with an audit log, on a store of its own: what the benchmarks of the log stand on. */
import { createAuditHead } from '../src/audit/index.ts';
import { createId } from '../src/base/index.ts';
import { openStore, type Store } from '../src/store/index.ts';
import { openBenchDatabase } from './database.ts';

export interface BenchLog extends AsyncDisposable {
  readonly store: Store;
  readonly connectionString: string;
  readonly tenantId: string;
  readonly headKey: Uint8Array;
}

export async function openBenchLog(): Promise<BenchLog> {
  await using resources = new AsyncDisposableStack();
  const { connectionString } = resources.use(await openBenchDatabase());
  const store = resources.use(await openStore({ location: { kind: 'postgres', connectionString } }));
  const tenantId = createId('tenant');
  const headKey = new Uint8Array(64).fill(7);
  await store.withSystem('tenant-administration', async (tx) => {
    await tx.insertInto('tenants').values({ id: tenantId, kind: 'CUSTOMER', name: 'Bench' }).execute();
    await createAuditHead(tx, { tenantId, headKey });
  });
  const kept = resources.move();
  return { store, connectionString, tenantId, headKey, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
