/**
 * Who may plan and apply. Plans are for ADMIN; each of their steps needs its operation of the catalogue in the
 * policy of the integration and, where it is narrowed, of the API key, when the plan is made and again before each
 * step is sent.
 */
import { assertStillValid, type Caller, findApiKey, type Role } from '../../access/index.ts';
import { SealdeskError } from '../../base/index.ts';
import type { Plan } from '../../provisioning/index.ts';
import {
  type Asker,
  type AuthenticatedCall,
  assertPermitted,
  type ConnectionTarget,
  credentialOf,
  findIntegration,
  holdIntegration,
  type Integration,
  type OperationName,
} from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { notFound } from '../audited.ts';
import { restrictionOf } from '../integrations.ts';

export const PLANNERS: readonly Role[] = Object.freeze(['ADMIN']);

export interface AdmittedPlan {
  readonly integration: Integration;
  readonly target: ConnectionTarget;
}

/** Throws NOT_FOUND, FORBIDDEN, OPERATION_NOT_ALLOWED, CONFLICT, and what the choice of the recipient throws. */
export async function admitPlan(
  tx: Tx,
  call: AuthenticatedCall,
  integrationId: string,
  operations: readonly OperationName[],
  now: number,
): Promise<AdmittedPlan> {
  const { caller } = call;
  const restriction = await restrictionOf(tx, call, now);
  const integration = await findIntegration(tx, caller.tenantId, integrationId);
  for (const operation of operations) assertMayRun(integration, { caller, restriction }, operation);
  if (integration === null) throw notFound('integration');
  return { integration, target: targetOf(integration) };
}

/**
 * Plans hold people of the whole account, so nothing of them is for a client key that is restricted. Throws
 * OPERATION_NOT_ALLOWED, and what the choice of the recipient throws.
 */
export async function assertUnrestricted(tx: Tx, call: AuthenticatedCall, now: number): Promise<void> {
  if ((await restrictionOf(tx, call, now)) === null) return;
  throw new SealdeskError(
    'OPERATION_NOT_ALLOWED',
    'The client key is restricted to one organization or requester, and plans are about the whole account.',
  );
}

/** What {@link admitPlan} asks, once more, of whoever applied a plan and may have gone away since. Throws UNAUTHENTICATED, too. */
export async function assertMayStillApply(
  tx: Tx,
  plan: Pick<Plan, 'tenantId' | 'integrationId' | 'appliedBy'>,
  { operation, target }: { readonly operation: OperationName; readonly target: ConnectionTarget },
  now: number,
): Promise<void> {
  const { tenantId, integrationId, appliedBy } = plan;
  const id = appliedBy ?? '';
  await assertStillValid(tx, { kind: 'API_KEY', tenantId, id }, now);
  const key = await findApiKey(tx, tenantId, id);
  const caller: Pick<Caller, 'tenantId' | 'roles' | 'allowedOperations'> = {
    tenantId,
    roles: key?.roles ?? [],
    allowedOperations: key === null ? [] : key.allowedOperations,
  };
  const integration = await holdIntegration(tx, tenantId, integrationId);
  assertMayRun(integration, { caller, restriction: null }, operation);
  if (integration === null || integration.subdomain !== target.subdomain) throw notFound('integration');
  credentialOf(integration);
}

/** Handing over tickets is part of a plan, which an ADMIN makes without being an agent; the rest of the policy holds. */
function assertMayRun(integration: Integration | null, asker: Asker, operation: OperationName): void {
  const { caller } = asker;
  const isPlanner = caller.roles.some((role) => PLANNERS.includes(role));
  const roles: readonly Role[] =
    operation === 'update_ticket' && isPlanner ? [...caller.roles, 'AGENT'] : caller.roles;
  assertPermitted(integration, { ...asker, caller: { ...caller, roles } }, operation);
}

/** Throws CONFLICT where the integration is switched off or has no credential. */
export function targetOf(integration: Integration): ConnectionTarget {
  const { tenantId, subdomain } = integration;
  return { tenantId, subdomain, credentialId: credentialOf(integration) };
}
