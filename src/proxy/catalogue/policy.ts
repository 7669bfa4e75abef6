/**
 * Who may run what: nothing, unless the operation exists, one of the caller's roles covers it, the
 * integration lists it and the API key does not narrow it away. Pure; the order of the checks is the
 * order in which an admin would have to lift them.
 */
import { findOperation } from './catalogue.ts';

export type DenialReason = 'UNKNOWN_OPERATION' | 'ROLE' | 'INTEGRATION_POLICY' | 'API_KEY_POLICY';

export type PolicyDecision =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly denialReason: DenialReason;
      /** For the caller, with what would lift the denial. */
      readonly message: string;
    };

export interface PolicyQuestion {
  readonly operation: string;
  /** `allowedOperations` of the integration; an empty list permits nothing. */
  readonly integrationAllowed: readonly string[];
  /** `allowedOperations` of the API key; `null` when the key does not narrow them. */
  readonly apiKeyAllowed: readonly string[] | null;
  readonly roles: readonly string[];
}

const READERS: readonly string[] = ['AGENT', 'DASHBOARD'];
const WRITERS: readonly string[] = ['AGENT'];

const ALLOWED: PolicyDecision = Object.freeze({ allowed: true });

export function decidePolicy(question: PolicyQuestion): PolicyDecision {
  const operation = findOperation(question.operation);
  if (operation === null) {
    return deny(
      'UNKNOWN_OPERATION',
      'There is no such operation. The catalogue in the documentation lists them.',
    );
  }
  const { name, mutation } = operation;
  const needed = mutation ? WRITERS : READERS;
  if (!question.roles.some((role) => needed.includes(role))) {
    return deny('ROLE', `${name} needs an API key with the role ${needed.join(' or ')}.`);
  }
  if (!question.integrationAllowed.includes(name)) {
    return deny(
      'INTEGRATION_POLICY',
      `The integration does not allow ${name}. An ADMIN can add it to its allowedOperations.`,
    );
  }
  if (question.apiKeyAllowed !== null && !question.apiKeyAllowed.includes(name)) {
    return deny('API_KEY_POLICY', `This API key does not allow ${name}. An ADMIN can issue one that does.`);
  }
  return ALLOWED;
}

function deny(denialReason: DenialReason, message: string): PolicyDecision {
  return Object.freeze({ allowed: false, denialReason, message });
}
