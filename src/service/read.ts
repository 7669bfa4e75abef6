import { assertRole, type Role } from '../access/index.ts';
import { type AuthenticatedCall, assertAuthenticated, type Call } from '../proxy/index.ts';
import type { Tx } from '../store/index.ts';
import type { ServiceDeps } from './service-deps.ts';

/**
 * Reads of the caller's own tenant for one of `roles`. They leave no entry of their own: they are part
 * of a GraphQL operation, whose entry tells what was read and how it ended.
 */
export async function readOwn<T>(
  { store }: Pick<ServiceDeps, 'store'>,
  call: Call,
  roles: readonly Role[],
  work: (tx: Tx, tenantId: string, call: AuthenticatedCall) => Promise<T>,
): Promise<T> {
  assertAuthenticated(call);
  assertRole(call.caller, ...roles);
  const { tenantId } = call.caller;
  return store.withTenant(tenantId, (tx) => work(tx, tenantId, call));
}
