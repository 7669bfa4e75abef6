/** Everything that is decided before Zendesk hears of a call: integration, policy, recipient, payload. */
import {
  type Caller,
  chooseRecipient,
  type Recipient,
  type Restriction,
  restrictionFor,
  touchClientKey,
} from '../access/index.ts';
import { isId, SealdeskError } from '../base/index.ts';
import { readBreakGlassIds } from '../provisioning/index.ts';
import type { Store, Tx } from '../store/index.ts';
import type { AuthenticatedCall } from './call.ts';
import { findOperation, isOperationName } from './catalogue/catalogue.ts';
import type { Operation, PreparedOperation, UserGuard } from './catalogue/operation.ts';
import { decidePolicy } from './catalogue/policy.ts';
import type { ConnectionTarget } from './connections.ts';
import { findIntegration, type Integration } from './integrations.ts';
import { needsReconnect } from './needs-reconnect.ts';

const MAX_IDEMPOTENCY_KEY_CHARACTERS = 128;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]+$/;

export interface ProxyRequest {
  readonly integrationId: string;
  readonly operation: string;
  readonly payload: unknown;
  /** For `create_ticket`: the caller's own name for this creation, 1 to 128 visible ASCII characters. */
  readonly idempotencyKey: string | null;
}

/** Who asks, and what the answer to it is restricted to. */
export interface Asker {
  readonly caller: Pick<Caller, 'tenantId' | 'roles' | 'allowedOperations'>;
  readonly restriction: Restriction | null;
}

export interface Admission {
  readonly operation: Operation;
  readonly prepared: PreparedOperation;
  readonly recipient: Recipient;
  readonly target: ConnectionTarget;
  readonly restriction: Restriction | null;
  /** Whether the caller may also run another operation, which shows more in the answer. */
  readonly isPermitted: (operation: string) => boolean;
  /** Of an operation that could lock somebody out. */
  readonly guard: UserGuard | undefined;
}

/**
 * Admits the call or throws NOT_FOUND, FORBIDDEN, OPERATION_NOT_ALLOWED, CONFLICT, NEEDS_RECONNECT, the
 * failures of the recipient's choice, or VALIDATION_FAILED. Nothing has been sent then.
 */
export async function admitCall(
  store: Store,
  call: AuthenticatedCall,
  request: ProxyRequest,
  now: number,
): Promise<Admission> {
  const { caller } = call;
  const { tenantId } = caller;
  const { integration, recipient, guard } = await store.withTenant(tenantId, async (tx) => {
    const found = isId('integration', request.integrationId)
      ? await findIntegration(tx, tenantId, request.integrationId)
      : null;
    assertPermitted(found, { caller, restriction: restrictionFor(caller, null) }, request.operation);
    const chosen = await chooseRecipient(tx, caller, call.recipientKeyId, now);
    assertPermitted(found, { caller, restriction: restrictionFor(caller, chosen) }, request.operation);
    await touchClientKey(tx, { tenantId, clientKeyId: chosen.keyId, now }, chosen.lastUsedAt);
    return { integration: found, recipient: chosen, guard: await guardFor(tx, found, request.operation) };
  });
  const operation = findOperation(request.operation);
  if (operation === null)
    throw new TypeError('"request.operation" was permitted but is not in the catalogue');
  assertIdempotencyKey(request);
  const restriction = restrictionFor(caller, recipient);
  return {
    operation,
    prepared: operation.prepare(request.payload, restriction),
    recipient,
    target: { tenantId, subdomain: integration.subdomain, credentialId: credentialOf(integration) },
    restriction,
    isPermitted: (name) => isPermitted(integration, { caller, restriction }, name),
    guard,
  };
}

/** Who may not be locked out, for operations that change people. */
async function guardFor(
  tx: Tx,
  integration: Pick<Integration, 'tenantId' | 'subdomain'>,
  operation: string,
): Promise<UserGuard | undefined> {
  if (findOperation(operation)?.permits.includes('Provisioning') !== true) return undefined;
  return { breakGlassIds: await readBreakGlassIds(tx, integration) };
}

/** Whether the asker may run `operation` on the integration. */
export function isPermitted(integration: Integration, asker: Asker, operation: string): boolean {
  return isWithinReach(integration, asker) && decide(integration, asker, operation).allowed;
}

/** A restricted client key is good for one integration only: there is no other. */
export function isWithinReach({ id }: Pick<Integration, 'id'>, { restriction }: Asker): boolean {
  return restriction === null || restriction.integrationId === id;
}

function decide(integration: Integration, { caller, restriction }: Asker, operation: string) {
  return decidePolicy({
    operation,
    integrationAllowed: integration.allowedOperations,
    apiKeyAllowed: caller.allowedOperations,
    roles: caller.roles,
    isRestricted: restriction !== null,
  });
}

/** Throws NOT_FOUND without an integration, and FORBIDDEN or OPERATION_NOT_ALLOWED as the policy decides. */
export function assertPermitted(
  integration: Integration | null,
  asker: Asker,
  operation: string,
): asserts integration is Integration {
  if (integration === null || !isWithinReach(integration, asker)) throw noSuchIntegration();
  const decision = decide(integration, asker, operation);
  if (decision.allowed) return;
  throw new SealdeskError(
    decision.denialReason === 'ROLE' ? 'FORBIDDEN' : 'OPERATION_NOT_ALLOWED',
    decision.message,
    isOperationName(operation) ? { subject: operation } : {},
  );
}

/** As {@link assertPermitted}, of what is stored here: throws CONFLICT too where the integration is switched off. */
export function assertStoredPermitted(
  integration: Integration | null,
  asker: Asker,
  operation: string,
): asserts integration is Integration {
  assertPermitted(integration, asker, operation);
  // What is stored can be read also where Zendesk cannot be called.
  if (integration.status === 'DISABLED') throw switchedOff();
}

/** Throws CONFLICT where the integration is switched off, NEEDS_RECONNECT where Zendesk does not accept its credential. */
export function assertIntegrationOn({
  id,
  status,
  reconnect,
}: Pick<Integration, 'id' | 'status' | 'reconnect'>): void {
  switch (status) {
    case 'ACTIVE':
      return;
    case 'NEEDS_RECONNECT':
      throw needsReconnect(id, reconnect?.reason ?? 'REFUSED');
    case 'DISABLED':
      throw switchedOff();
    default:
      status satisfies never;
  }
}

function switchedOff(): SealdeskError {
  return new SealdeskError(
    'CONFLICT',
    'The integration is switched off. An ADMIN can enable it with updateIntegration.',
  );
}

/** The credential to call Zendesk with. Throws as {@link assertIntegrationOn} does, and CONFLICT where there is none. */
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
