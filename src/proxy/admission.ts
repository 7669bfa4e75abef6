/** Everything that is decided before Zendesk hears of a call: integration, policy, recipient, payload. */
import { type Caller, chooseRecipient, type Recipient, touchClientKey } from '../access/index.ts';
import { isId, SealdeskError } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import type { AuthenticatedCall } from './call.ts';
import { findOperation, isOperationName } from './catalogue/catalogue.ts';
import type { Operation, PreparedOperation } from './catalogue/operation.ts';
import { decidePolicy } from './catalogue/policy.ts';
import type { ConnectionTarget } from './connections.ts';
import { findIntegration, type Integration } from './integrations.ts';

const MAX_IDEMPOTENCY_KEY_CHARACTERS = 128;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]+$/;

export interface ProxyRequest {
  readonly integrationId: string;
  readonly operation: string;
  readonly payload: unknown;
  /** For `create_ticket`: the caller's own name for this creation, 1 to 128 visible ASCII characters. */
  readonly idempotencyKey: string | null;
}

export interface Admission {
  readonly operation: Operation;
  readonly prepared: PreparedOperation;
  readonly recipient: Recipient;
  readonly target: ConnectionTarget;
  /** Whether the caller may also run another operation, which shows more in the answer. */
  readonly isPermitted: (operation: string) => boolean;
}

/**
 * Admits the call or throws NOT_FOUND, FORBIDDEN, OPERATION_NOT_ALLOWED, CONFLICT, the failures of the
 * recipient's choice, or VALIDATION_FAILED. Nothing has been sent then.
 */
export async function admitCall(
  store: Store,
  call: AuthenticatedCall,
  request: ProxyRequest,
  now: number,
): Promise<Admission> {
  const { caller } = call;
  const { tenantId } = caller;
  const { integration, recipient } = await store.withTenant(tenantId, async (tx) => {
    const found = isId('integration', request.integrationId)
      ? await findIntegration(tx, tenantId, request.integrationId)
      : null;
    assertPermitted(found, caller, request.operation);
    const chosen = await chooseRecipient(tx, caller, call.recipientKeyId);
    await touchClientKey(tx, { tenantId, clientKeyId: chosen.keyId, now }, chosen.lastUsedAt);
    return { integration: found, recipient: chosen };
  });
  const operation = findOperation(request.operation);
  if (operation === null)
    throw new TypeError('"request.operation" was permitted but is not in the catalogue');
  assertIdempotencyKey(request);
  return {
    operation,
    prepared: operation.prepare(request.payload),
    recipient,
    target: { tenantId, subdomain: integration.subdomain, credentialId: credentialOf(integration) },
    isPermitted: (name) => isPermitted(integration, caller, name),
  };
}

/** Whether the caller may run `operation` on the integration. */
export function isPermitted(integration: Integration, caller: Caller, operation: string): boolean {
  return decide(integration, caller, operation).allowed;
}

function decide(integration: Integration, caller: Caller, operation: string) {
  return decidePolicy({
    operation,
    integrationAllowed: integration.allowedOperations,
    apiKeyAllowed: caller.allowedOperations,
    roles: caller.roles,
  });
}

/** Throws NOT_FOUND without an integration, and FORBIDDEN or OPERATION_NOT_ALLOWED as the policy decides. */
export function assertPermitted(
  integration: Integration | null,
  caller: Caller,
  operation: string,
): asserts integration is Integration {
  if (integration === null) throw noSuchIntegration();
  const decision = decide(integration, caller, operation);
  if (decision.allowed) return;
  throw new SealdeskError(
    decision.denialReason === 'ROLE' ? 'FORBIDDEN' : 'OPERATION_NOT_ALLOWED',
    decision.message,
    isOperationName(operation) ? { subject: operation } : {},
  );
}

/** Throws CONFLICT where the integration is switched off. */
export function assertIntegrationOn({ status }: Pick<Integration, 'status'>): void {
  if (status === 'ACTIVE') return;
  throw new SealdeskError(
    'CONFLICT',
    'The integration is switched off. An ADMIN can enable it with updateIntegration.',
  );
}

/** The credential to call Zendesk with. Throws CONFLICT where the integration is switched off or has none. */
export function credentialOf(integration: Integration): string {
  assertIntegrationOn(integration);
  if (integration.credentialId === null) {
    throw new SealdeskError(
      'CONFLICT',
      'The integration has no credential. An ADMIN seals one and names it in updateIntegration.',
    );
  }
  return integration.credentialId;
}

/** Throws VALIDATION_FAILED for a key that cannot be used. */
export function assertIdempotencyKey({
  operation,
  idempotencyKey,
}: Pick<ProxyRequest, 'operation' | 'idempotencyKey'>): void {
  if (idempotencyKey === null) return;
  const problem =
    operation !== 'create_ticket'
      ? 'is for create_ticket only'
      : idempotencyKey.length > MAX_IDEMPOTENCY_KEY_CHARACTERS || !IDEMPOTENCY_KEY.test(idempotencyKey)
        ? `must be 1 to ${MAX_IDEMPOTENCY_KEY_CHARACTERS} visible ASCII characters`
        : null;
  if (problem === null) return;
  throw new SealdeskError('VALIDATION_FAILED', `The field idempotencyKey ${problem}.`, {
    fields: [{ path: 'idempotencyKey', message: problem }],
  });
}

export function noSuchIntegration(): SealdeskError {
  return new SealdeskError('NOT_FOUND', 'There is no such integration, or this key may not see it.');
}
