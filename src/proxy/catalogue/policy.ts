/**
 * Who may run what: nothing, unless the operation exists, one of the caller's roles covers it, the
 * integration lists it, the API key does not narrow it away and the client key may have it. Pure; the order of the checks is the
 * order in which an admin would have to lift them.
 */
import { findOperation } from './catalogue.ts';

export type DenialReason =
  | 'UNKNOWN_OPERATION'
  | 'ROLE'
  | 'INTEGRATION_POLICY'
  | 'API_KEY_POLICY'
  | 'CLIENT_KEY_RESTRICTION';

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
  /** `allowedOperations` of the caller's key; `null` when the key does not narrow them. */
  readonly apiKeyAllowed: readonly string[] | null;
  readonly roles: readonly string[];
  /** Whether the answer is for a client key that is good for one organization or requester only. */
  readonly isRestricted: boolean;
}

/** What can be held within an organization or a requester: all else would show or change what is outside. */
export const RESTRICTED_OPERATIONS: readonly string[] = Object.freeze([
  'get_ticket',
  'list_tickets',
  'create_ticket',
  'subscribe_tickets',
]);

const ALLOWED: PolicyDecision = Object.freeze({ allowed: true });

export function decidePolicy(question: PolicyQuestion): PolicyDecision {
  const operation = findOperation(question.operation);
  if (operation === null) {
    return deny(
      'UNKNOWN_OPERATION',
      'There is no such operation. The catalogue in the documentation lists them.',
    );
  }
  const { name } = operation;
  const needed: readonly string[] = operation.roles;
  if (!question.roles.some((role) => needed.includes(role))) {
    return deny('ROLE', `${name} needs a key with the role ${needed.join(' or ')}.`);
  }
  if (!question.integrationAllowed.includes(name)) {
    return deny(
      'INTEGRATION_POLICY',
      `The integration does not allow ${name}. An ADMIN can add it to its allowedOperations.`,
    );
  }
  if (question.apiKeyAllowed !== null && !question.apiKeyAllowed.includes(name)) {
    return deny(
      'API_KEY_POLICY',
      `The caller’s key does not allow ${name}. An ADMIN can issue one that does.`,
    );
  }
  if (question.isRestricted && !RESTRICTED_OPERATIONS.includes(name)) {
    return deny(
      'CLIENT_KEY_RESTRICTION',
      `The client key is restricted to one organization or requester, which ${name} cannot be held within. It may run ${RESTRICTED_OPERATIONS.join(', ')}.`,
    );
  }
  return ALLOWED;
}

function deny(denialReason: DenialReason, message: string): PolicyDecision {
  return Object.freeze({ allowed: false, denialReason, message });
}
