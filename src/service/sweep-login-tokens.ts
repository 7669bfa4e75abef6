import { sweepLoginTokens as sweepRows } from '../access/index.ts';
import type { ServiceDeps } from './service-deps.ts';

/** Forgets the login tokens that are too old to be used again, in portions. */
export async function sweepLoginTokens({
  store,
  clock,
}: Pick<ServiceDeps, 'store' | 'clock'>): Promise<void> {
  const sweep = (): Promise<boolean> =>
    store.withSystem('login-token-sweep', (tx) => sweepRows(tx, clock.now()));
  let isDone = false;
  while (!isDone) isDone = await sweep();
}
