import { SealdeskError } from '../base/index.ts';
import { NOT_OF_ROLE } from './run-at-once.ts';

const CONNECTION_CODES: ReadonlySet<unknown> = new Set([
  '25P03',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
  'EPROTO',
  '25P04',
  '57P05',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  // What prepared the statement was skipped, because the one before it failed on the same connection.
  '26000',
]);
const CONNECTION_TEXT =
  /^(Connection terminated|Client (has encountered a connection error|was closed) and is not queryable|timeout expired|timeout exceeded when trying to connect|PGlite is closed)/;

/**
 * `error`, or, where the database could not be reached, AUDIT_UNAVAILABLE: without it nothing can
 * be recorded, and so nothing may be answered.
 */
export function translateUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SealdeskError) return error;
  const code = 'code' in error ? error.code : undefined;
  const isLost = CONNECTION_TEXT.test(error.message) || error.message.includes(NOT_OF_ROLE);
  if (!CONNECTION_CODES.has(code) && !isLost) return error;
  return new SealdeskError(
    'AUDIT_UNAVAILABLE',
    'The database does not answer, so nothing can be recorded or answered. Try again later.',
    {
      cause: error,
    },
  );
}
