/** Checks of the short texts and numbers that name and bound tenants and keys. */
import { SealdeskError } from '../base/index.ts';

export const MAX_NAME_LENGTH = 100;
export const MAX_ALLOWED_OPERATIONS = 100;
export const MAX_REQUESTS_PER_MINUTE = 1_000_000;

const NAME = /^[^\p{C}]+$/u;
const OPERATION = /^[a-z][a-z0-9_]{0,63}$/;

/** Throws VALIDATION_FAILED unless `name` is 1 to {@link MAX_NAME_LENGTH} printable characters without space around. */
export function assertName(name: string): void {
  if (name.length >= 1 && name.length <= MAX_NAME_LENGTH && NAME.test(name) && name.trim() === name) return;
  throw invalid('name', `must be 1 to ${MAX_NAME_LENGTH} printable characters without space around them`);
}

/** Throws VALIDATION_FAILED unless every entry has the form of an operation's name, and none comes twice. */
export function assertOperationNames(operations: readonly string[]): void {
  const isSet = new Set(operations).size === operations.length;
  if (
    isSet &&
    operations.length <= MAX_ALLOWED_OPERATIONS &&
    operations.every((name) => OPERATION.test(name))
  )
    return;
  throw invalid(
    'allowedOperations',
    `must be at most ${MAX_ALLOWED_OPERATIONS} names of operations, each once`,
  );
}

/** Throws VALIDATION_FAILED unless `count` is a whole number from 1 to {@link MAX_REQUESTS_PER_MINUTE}. */
export function assertRequestsPerMinute(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= MAX_REQUESTS_PER_MINUTE) return;
  throw invalid('requestsPerMinute', `must be a whole number from 1 to ${MAX_REQUESTS_PER_MINUTE}`);
}

/** VALIDATION_FAILED about one field. */
export function invalid(path: string, message: string): SealdeskError {
  return new SealdeskError('VALIDATION_FAILED', `The field ${path} ${message}.`, {
    fields: [{ path, message }],
  });
}
