/** The parameters of a GraphQL request, checked before the library reads them, so that every refusal is ours. */
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

/** Most characters of a document. */
export const MAX_DOCUMENT_CHARACTERS = 32_768;
/** Most bytes of a request without a key: enough to confirm a client key, which is all it may do. */
const MAX_ANONYMOUS_BYTES = 8_192;
/** Most members and elements of the variables in all, and how deep they may nest. */
const MAX_VARIABLE_VALUES = 4_000;
const MAX_VARIABLE_DEPTH = 32;

/**
 * Throws VALIDATION_FAILED unless the body is one request with a document (batches are refused), and
 * PAYLOAD_TOO_LARGE or QUERY_TOO_COMPLEX for one that would cost too much to read on: the library
 * reports each wrong value by printing all of them.
 */
export function assertGraphqlRequest(incoming: Incoming, hasCaller: boolean): void {
  if (!hasCaller && incoming.body.length > MAX_ANONYMOUS_BYTES) {
    throw new SealdeskError(
      'PAYLOAD_TOO_LARGE',
      `Without an API key a request may have ${MAX_ANONYMOUS_BYTES} bytes.`,
      { subject: String(MAX_ANONYMOUS_BYTES) },
    );
  }
  const body = parseJsonBody(incoming);
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
  const { query, variables } = body;
  if (String(query).length > MAX_DOCUMENT_CHARACTERS) throw tooComplex('characters', MAX_DOCUMENT_CHARACTERS);
  assertBounded(variables);
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
