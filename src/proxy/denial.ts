import { type ErrorCode, isSealdeskError } from '../base/index.ts';

/** The failures that the gateway itself decided before anything was done. */
const DENIALS: ReadonlySet<ErrorCode> = new Set([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'OPERATION_NOT_ALLOWED',
  'NOT_FOUND',
  'CLIENT_KEY_NOT_MAPPED',
  'KEY_REVOKED',
  'SEALED_RESPONSE_REQUIRED',
  'TOO_MANY_REQUESTS',
]);

/** Whether `error` means that the gateway refused, rather than that something failed. */
export function isDenial(error: unknown): boolean {
  return isSealdeskError(error) && DENIALS.has(error.code) && error.details.upstreamStatus === undefined;
}
