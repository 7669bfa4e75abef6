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

/** Throws VALIDATION_FAILED unless the body is one request with a document; batches are refused. */
export function assertGraphqlRequest(incoming: Incoming): void {
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
