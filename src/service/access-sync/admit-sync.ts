/** Who may do what about the access sync of an integration. */
import { restrictionFor } from '../../access/index.ts';
import { isId } from '../../base/index.ts';
import {
  type AuthenticatedCall,
  assertPermitted,
  findIntegration,
  holdIntegration,
  type Integration,
} from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import { notFound } from '../audited.ts';
import { SYNC_OPERATION } from './sync-operation.ts';

/**
 * The integration, locked against change, where its policy lets the caller sync it. Throws NOT_FOUND, FORBIDDEN and
 * OPERATION_NOT_ALLOWED.
 */
export async function admitSync(
  tx: Tx,
  { caller }: AuthenticatedCall,
  integrationId: string,
): Promise<Integration> {
  const integration = isId('integration', integrationId)
    ? await holdIntegration(tx, caller.tenantId, integrationId)
    : null;
  if (integration === null) throw notFound('integration');
  assertPermitted(integration, { caller, restriction: restrictionFor(caller, null) }, SYNC_OPERATION);
  return integration;
}

/**
 * That the caller may see how the integration is synced, end it, or erase what it brought: whatever the policy lists,
 * but nobody whose answers are restricted to a part of the account. Throws NOT_FOUND and OPERATION_NOT_ALLOWED.
 */
export async function reachSync(tx: Tx, { caller }: AuthenticatedCall, integrationId: string): Promise<void> {
  const integration = isId('integration', integrationId)
    ? await findIntegration(tx, caller.tenantId, integrationId)
    : null;
  if (integration === null) throw notFound('integration');
  const restriction = restrictionFor(caller, null);
  if (restriction !== null) assertPermitted(integration, { caller, restriction }, SYNC_OPERATION);
}
