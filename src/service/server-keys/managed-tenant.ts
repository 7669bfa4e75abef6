/** Whose keys an act is about: an ADMIN acts in its own tenant, an OPERATOR in any. */
import { type Caller, findTenant, type Role } from '../../access/index.ts';
import { isId } from '../../base/index.ts';
import type { AuthenticatedCall, Call } from '../../proxy/index.ts';
import { type AuditedStep, audited, notFound } from '../audited.ts';
import type { ServiceDeps } from '../service-deps.ts';

export const KEY_MANAGERS: readonly Role[] = ['ADMIN', 'OPERATOR'];

/** The tenant that `wanted` names, the caller's own where it names none; `null` where the caller may not see it. */
export async function managedTenant(
  { store }: Pick<ServiceDeps, 'store'>,
  caller: Caller,
  wanted: string | null,
): Promise<string | null> {
  if (wanted === null || wanted === caller.tenantId) return caller.tenantId;
  if (!caller.roles.includes('OPERATOR') || !isId('tenant', wanted)) return null;
  const tenant = await store.withTenant(wanted, (tx) => findTenant(tx, wanted));
  return tenant?.id ?? null;
}

export interface KeyAct {
  readonly action: string;
  readonly roles: readonly Role[];
  readonly tenantId: string | null;
}

/** An audited change of a tenant's keys, recorded in that tenant's log; one of a tenant that is not found, in the caller's. */
export async function changeKeys<T>(
  deps: ServiceDeps,
  call: Call,
  { action, roles, tenantId: wanted }: KeyAct,
  work: (step: AuditedStep, call: AuthenticatedCall) => Promise<T>,
): Promise<T> {
  const { caller } = call;
  const tenantId = caller === null ? null : await managedTenant(deps, caller, wanted);
  const act = { action, roles, ...(tenantId === null ? {} : { tenantId, resource: tenantId }) };
  return audited(deps, call, act, async (step, authenticated) => {
    if (tenantId === null) throw notFound('tenant');
    return work(step, authenticated);
  });
}
