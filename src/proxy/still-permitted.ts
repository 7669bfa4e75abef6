/**
 * That an integration still lets through what it was admitted for: to be asked in the transaction that
 * records what is about to happen. The integration, and for changes its credential, is locked against
 * change until then.
 */
import { SealdeskError } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { holdCredentialVersion } from '../vault/index.ts';
import { type Asker, assertPermitted, assertStoredPermitted, credentialOf } from './admission.ts';
import type { ConnectionTarget } from './connections.ts';
import { holdIntegration, type Integration } from './integrations.ts';

export interface ReadAdmission {
  readonly integrationId: string;
  /** Run with the credential of the integration. */
  readonly operations: readonly string[];
  /** Run on what is stored here, whatever has become of the credential; none where left out. */
  readonly stored?: readonly string[];
}

/** Throws NOT_FOUND, FORBIDDEN, OPERATION_NOT_ALLOWED or CONFLICT, as the admission does. */
export async function assertStillPermitted(
  tx: Tx,
  asker: Asker,
  { integrationId, operations, stored = [] }: ReadAdmission,
): Promise<void> {
  const integration = await holdIntegration(tx, asker.caller.tenantId, integrationId);
  for (const operation of operations) assertAdmitted(integration, asker, operation);
  for (const operation of stored) assertStoredPermitted(integration, asker, operation);
}

export interface ChangeAdmission {
  readonly integrationId: string;
  readonly operation: string;
  readonly target: ConnectionTarget;
  /** Of the credential that will be used, `null` where it is read only when it is needed. */
  readonly credentialVersion: number | null;
}

/** The same for a change, which must also go to the same account with the same credential. */
export async function assertMayStillChange(
  tx: Tx,
  asker: Asker,
  { integrationId, operation, target, credentialVersion }: ChangeAdmission,
): Promise<void> {
  const integration = await holdIntegration(tx, asker.caller.tenantId, integrationId);
  const { subdomain, credentialId } = assertAdmitted(integration, asker, operation);
  if (subdomain !== target.subdomain || credentialId !== target.credentialId) throw connectedAnew();
  if (credentialVersion === null) return;
  const version = await holdCredentialVersion(tx, target);
  if ((version ?? 0) !== credentialVersion) throw connectedAnew();
}

function assertAdmitted(
  integration: Integration | null,
  asker: Asker,
  operation: string,
): { readonly subdomain: string; readonly credentialId: string } {
  assertPermitted(integration, asker, operation);
  return { subdomain: integration.subdomain, credentialId: credentialOf(integration) };
}

function connectedAnew(): SealdeskError {
  return new SealdeskError(
    'CONFLICT',
    'The account or the credential of the integration was changed before the change was sent. Send it again.',
  );
}
