/**
 * The codes of every failure a caller can meet (`extensions.code` in GraphQL, `error.code` in REST),
 * each with its one HTTP status, whether the same request may succeed later, and what to do.
 * `docs/errors.md` is printed from this table.
 */
export interface ErrorCodeRow {
  readonly status: number;
  readonly retryable: boolean;
  readonly meaning: string;
  readonly remedy: string;
}

const ROWS = {
  UNAUTHENTICATED: {
    status: 401,
    retryable: false,
    meaning: 'No key was sent, or the one sent, API key or login token, is not valid any more or never was.',
    remedy:
      'Send a valid API key as X-API-Key or Authorization: Bearer (an ADMIN creates keys), or a login token that is signed for this very request (docs/keys.md).',
  },
  TOKEN_REUSED: {
    status: 401,
    retryable: false,
    meaning: 'The login token was used before.',
    remedy: 'Sign a new token for each request and each connection.',
  },
  FORBIDDEN: {
    status: 403,
    retryable: false,
    meaning: 'The key is valid but its roles do not permit this.',
    remedy: 'Use a key with the role that the message names.',
  },
  OPERATION_NOT_ALLOWED: {
    status: 403,
    retryable: false,
    meaning: 'The policy of the integration or of the API key does not list this operation.',
    remedy: 'An ADMIN can ask explainOperation why, and add the operation to allowedOperations.',
  },
  VALIDATION_FAILED: {
    status: 400,
    retryable: false,
    meaning: 'The request is malformed, or a field has a value that cannot be accepted.',
    remedy:
      'Correct what `fields` names (`extensions.fields` in GraphQL, `error.details.fields` in REST) and send the request again.',
  },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    retryable: false,
    meaning: 'The request body is larger than the gateway accepts, or the result larger than it answers.',
    remedy: 'Send or ask for less; the message names the limit.',
  },
  QUERY_TOO_COMPLEX: {
    status: 400,
    retryable: false,
    meaning: 'The GraphQL document exceeds a limit on tokens, depth, breadth or cost.',
    remedy: 'Ask for fewer fields or smaller pages; the message names the limit.',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    retryable: true,
    meaning: 'The inbound rate limit of this key, or of the address, is used up.',
    remedy: 'Wait retryAfter seconds.',
  },
  NOT_FOUND: {
    status: 404,
    retryable: false,
    meaning: 'There is no such object, or it is not visible to this key.',
    remedy: 'Check the id and the tenant of the key.',
  },
  CONFLICT: {
    status: 409,
    retryable: false,
    meaning: 'The object is not in the state that this request needs, or it changed meanwhile.',
    remedy: 'Read the current state and decide again.',
  },
  PLAN_STALE: {
    status: 409,
    retryable: false,
    meaning:
      'What a provisioning plan touches is not any more in Zendesk what the plan was made of. Nothing was applied.',
    remedy: 'See what moved in `fields`, make the plan anew and look at it.',
  },
  CLIENT_KEY_NOT_MAPPED: {
    status: 403,
    retryable: false,
    meaning: 'The recipient key is known but not ACTIVE.',
    remedy:
      'Confirm the key, then hand what the message names, key id and fingerprint, to an ADMIN or OPERATOR, who maps it with mapClientKey.',
  },
  KEY_REVOKED: {
    status: 403,
    retryable: false,
    meaning: 'The recipient key was revoked; nothing is sealed to it any more.',
    remedy: 'Generate a new key, register it and have it mapped.',
  },
  SEALED_RESPONSE_REQUIRED: {
    status: 406,
    retryable: false,
    meaning:
      'The answer may only leave sealed, and the request does not ask for that or names no recipient key.',
    remedy:
      'In GraphQL send Accept: application/vnd.sealdesk.envelope+json, as sealedFetch does; bind the API key to a client key, or name one in X-Sealdesk-Key.',
  },
  CREDENTIAL_EXPIRED: {
    status: 424,
    retryable: false,
    meaning: 'The Zendesk credential of the integration has expired.',
    remedy: 'An ADMIN rotates it with rotateCredential.',
  },
  NEEDS_RECONNECT: {
    status: 424,
    retryable: false,
    meaning:
      'Zendesk does not accept the credential of the integration any more, and is not asked again until it has another.',
    remedy:
      'An ADMIN connects the integration again: sealdesk connect INTEGRATION, or what the page at `mend` tells.',
  },
  UPSTREAM_UNAUTHENTICATED: {
    status: 502,
    retryable: false,
    meaning: 'Zendesk refused the credential of the integration.',
    remedy: 'An ADMIN runs testIntegration and rotates the credential.',
  },
  UPSTREAM_FORBIDDEN: {
    status: 502,
    retryable: false,
    meaning: 'Zendesk accepts the credential but not this act: role, scope or plan is missing.',
    remedy: 'Give the Zendesk user or OAuth client the right it lacks.',
  },
  UPSTREAM_REJECTED: {
    status: 422,
    retryable: false,
    meaning: 'Zendesk did not accept the content of the request.',
    remedy:
      'Correct what `fields` names; a sealed answer has Zendesk’s reason in `extensions.upstream`, or `upstream` of the REST plaintext.',
  },
  UPSTREAM_UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: 'Zendesk did not answer, or not with anything usable.',
    remedy: 'Try again later.',
  },
  UPSTREAM_RATE_LIMITED: {
    status: 503,
    retryable: true,
    meaning: 'Zendesk asks the gateway to pause.',
    remedy: 'Wait retryAfter seconds.',
  },
  BUDGET_EXHAUSTED: {
    status: 429,
    retryable: true,
    meaning: "The Zendesk account's request budget has no call left for this request before its deadline.",
    remedy: 'Wait retryAfter seconds; docs/budget.md tells who shares the budget.',
  },
  OUTCOME_UNKNOWN: {
    status: 504,
    retryable: false,
    meaning: 'A change was sent to Zendesk and no answer tells whether it was made.',
    remedy: 'Look with operationStatus(intentId) and in Zendesk before sending it again.',
  },
  CURSOR_EXPIRED: {
    status: 410,
    retryable: false,
    meaning: 'The change feed does not hold what comes after this cursor any more, or never did.',
    remedy:
      'Take a new snapshot and subscribe without a cursor; `subject` is the oldest cursor that can still be used.',
  },
  AUDIT_UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: 'The audit log could not be written, so there is no answer.',
    remedy: 'Try again later; an operator finds the cause in the log.',
  },
  KMS_UNAVAILABLE: {
    status: 503,
    retryable: true,
    meaning: 'The key management service did not unwrap the keys that are needed.',
    remedy: 'Try again later; an operator finds the cause with sealdesk doctor.',
  },
  INTERNAL: {
    status: 500,
    retryable: false,
    meaning: 'A defect or an outage inside the gateway.',
    remedy: 'Give the request id to the operator.',
  },
} as const satisfies Record<string, ErrorCodeRow>;

export type ErrorCode = keyof typeof ROWS;

/** One row a code; see {@link ErrorCodeRow}. */
export const ERROR_CODES: Readonly<Record<ErrorCode, ErrorCodeRow>> = Object.freeze(
  Object.assign(Object.create(null), ROWS),
);

/** Whether `code` is one of ours. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);
}
