/** The parameters of a GraphQL request, checked before the library reads them, so that every refusal is ours. */
import { GraphQLError, getOperationAST, OperationTypeNode, parse } from 'graphql';
import { type FieldIssue, SealdeskError } from '../../base/index.ts';
import type { Incoming } from '../incoming.ts';
import { parseJsonBody } from '../rest/json-body.ts';

type Check = (value: unknown) => string | null;

const optionalObject: Check = (value) => (value == null || isObject(value) ? null : 'must be an object');
const CHECKS: Readonly<Record<string, Check>> = Object.freeze({
  query: (value: unknown) => (typeof value === 'string' && value !== '' ? null : 'must be a document'),
  operationName: (value: unknown) => (value == null || typeof value === 'string' ? null : 'must be a name'),
  variables: optionalObject,
  extensions: optionalObject,
});

/** Most tokens of a document. */
export const MAX_DOCUMENT_TOKENS = 2_000;
/** Most errors told of a document that is not valid. */
export const MAX_VALIDATION_ERRORS = 10;
/** Most characters of a document. */
export const MAX_DOCUMENT_CHARACTERS = 32_768;
/** Most bytes of a request without a key: enough to confirm a client key, which is all it may do. */
const MAX_ANONYMOUS_BYTES = 8_192;
/**
 * Most members and elements of the variables in all, and how deep they may nest. A thousand people for
 * `provisionMany`, each with all members and some twenty groups, have 30 000.
 */
const MAX_VARIABLE_VALUES = 32_000;
const MAX_VARIABLE_DEPTH = 32;

/** One request for one operation. */
export interface GraphqlRequest {
  readonly query: string;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * The request in a body. Throws VALIDATION_FAILED and QUERY_TOO_COMPLEX as {@link readGraphqlRequest} does,
 * and PAYLOAD_TOO_LARGE for a large one without a key.
 */
export function parseGraphqlRequest(incoming: Incoming, hasCaller: boolean): GraphqlRequest {
  if (!hasCaller && incoming.body.length > MAX_ANONYMOUS_BYTES) {
    throw new SealdeskError(
      'PAYLOAD_TOO_LARGE',
      `Without an API key a request may have ${MAX_ANONYMOUS_BYTES} bytes.`,
      { subject: String(MAX_ANONYMOUS_BYTES) },
    );
  }
  return readGraphqlRequest(parseJsonBody(incoming));
}

/**
 * Throws VALIDATION_FAILED unless `body` is one request with a document (batches are refused), and
 * QUERY_TOO_COMPLEX for one that would cost too much to read on: the library reports each wrong value by
 * printing all of them.
 */
export function readGraphqlRequest(body: unknown): GraphqlRequest {
  if (!isObject(body)) {
    throw invalid([{ path: '', message: 'must be one object with query, variables and operationName' }]);
  }
  if (!Object.keys(body).every((name) => Object.hasOwn(CHECKS, name))) {
    throw invalid([
      { path: '', message: 'has a member that is not query, variables, operationName or extensions' },
    ]);
  }
  const fields = Object.entries(CHECKS).flatMap(([path, check]) => {
    const message = check(Object.hasOwn(body, path) ? body[path] : undefined);
    return message === null ? [] : [{ path, message }];
  });
  if (fields.length > 0) throw invalid(fields);
  const query = String(body['query']);
  const { operationName, variables } = body;
  if (query.length > MAX_DOCUMENT_CHARACTERS) throw tooComplex('characters', MAX_DOCUMENT_CHARACTERS);
  assertBounded(variables);
  return {
    query,
    operationName: typeof operationName === 'string' ? operationName : null,
    variables: isObject(variables) ? variables : {},
  };
}

/** Whether the document is well-formed and its operation a subscription; looked into only where it may be. */
export function asksSubscription({ query, operationName }: GraphqlRequest): boolean {
  if (!query.includes(OperationTypeNode.SUBSCRIPTION)) return false;
  try {
    const document = parse(query, { maxTokens: MAX_DOCUMENT_TOKENS, noLocation: true });
    return getOperationAST(document, operationName)?.operation === OperationTypeNode.SUBSCRIPTION;
  } catch (error) {
    // What is wrong with it is told by whoever reads it next.
    if (error instanceof GraphQLError) return false;
    throw error;
  }
}

/** Walks without recursion, since the depth is the caller's to choose. */
function assertBounded(variables: unknown): void {
  let level: unknown[] = [variables];
  let count = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_VARIABLE_DEPTH) throw tooComplex('levels of variables', MAX_VARIABLE_DEPTH);
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
    count += level.length;
    if (count > MAX_VARIABLE_VALUES) throw tooComplex('values in variables', MAX_VARIABLE_VALUES);
  }
}

function tooComplex(what: string, limit: number): SealdeskError {
  return new SealdeskError(
    'QUERY_TOO_COMPLEX',
    `The request has more than ${limit} ${what}. Ask for less at once.`,
    {
      subject: what,
    },
  );
}

function invalid(fields: readonly FieldIssue[]): SealdeskError {
  const named = fields.map(({ path, message }) => `${path === '' ? 'The body' : path} ${message}`).join('; ');
  return new SealdeskError('VALIDATION_FAILED', `The GraphQL request was not accepted. ${named}.`, {
    fields,
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
