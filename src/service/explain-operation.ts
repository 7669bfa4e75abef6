import { z } from 'zod';
import { findApiKey, findClientKey } from '../access/index.ts';
import { type Call, decidePolicy, findIntegration } from '../proxy/index.ts';
import { notFound } from './audited.ts';
import { idField, parseInput } from './input.ts';
import { readOwn } from './read.ts';
import type { ServiceDeps } from './service-deps.ts';

const ExplainInput = z.object({
  integrationId: idField('integration'),
  operation: z.string().max(64),
  apiKeyId: idField('apiKey').nullish(),
});

export interface OperationExplanation {
  readonly allowed: boolean;
  /** The rule that denies, `null` where none does. */
  readonly reason: string | null;
  readonly message: string;
}

/** Why an API key may or may not run an operation on an integration. For ADMIN. */
export function explainOperation(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<OperationExplanation> {
  return readOwn(deps, call, ['ADMIN'], async (tx, tenantId, { caller }) => {
    const { integrationId, operation, apiKeyId } = parseInput(ExplainInput, input);
    const integration = await findIntegration(tx, tenantId, integrationId);
    if (integration === null) throw notFound('integration');
    const apiKey = await findApiKey(tx, tenantId, apiKeyId ?? caller.id);
    if (apiKey === null) throw notFound('API key');
    const clientKey =
      apiKey.clientKeyId === null
        ? null
        : await findClientKey(tx, tenantId, apiKey.clientKeyId, deps.clock.now());
    const decision = decidePolicy({
      operation,
      integrationAllowed: integration.allowedOperations,
      apiKeyAllowed: apiKey.allowedOperations,
      roles: apiKey.roles,
      isRestricted: clientKey?.restriction != null,
    });
    return decision.allowed
      ? { allowed: true, reason: null, message: `The key may run ${operation} on this integration.` }
      : { allowed: false, reason: decision.denialReason, message: decision.message };
  });
}
