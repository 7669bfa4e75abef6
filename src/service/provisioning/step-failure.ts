/** What a failed try of a step means for the step, the person and the plan. */
import { type ErrorCode, isSealdeskError } from '../../base/index.ts';

/**
 * UNKNOWN: it may have been made; Zendesk is looked at before it is sent again. AGAIN: it was not made and may be
 * later. FAILED: it was not made, and the person stays as they are. INTERRUPTED: nothing can be sent at all.
 */
export type FailureVerdict = 'UNKNOWN' | 'AGAIN' | 'FAILED' | 'INTERRUPTED';

const AGAIN: ReadonlySet<ErrorCode> = new Set([
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_RATE_LIMITED',
  'BUDGET_EXHAUSTED',
]);
/** Refusals of this one person, or of this one change. */
const FAILED: ReadonlySet<ErrorCode> = new Set([
  'UPSTREAM_REJECTED',
  'UPSTREAM_FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'VALIDATION_FAILED',
  'OPERATION_NOT_ALLOWED',
  'PAYLOAD_TOO_LARGE',
]);

/** Of what an operation of the catalogue threw. */
export function judgeStepFailure(error: unknown): FailureVerdict {
  if (!isSealdeskError(error)) return 'UNKNOWN';
  if (error.details.mutation !== undefined && error.details.mutation !== 'NOT_SENT') return 'UNKNOWN';
  if (AGAIN.has(error.code)) return 'AGAIN';
  return FAILED.has(error.code) ? 'FAILED' : 'INTERRUPTED';
}

export function codeOf(error: unknown): ErrorCode {
  return isSealdeskError(error) ? error.code : 'INTERNAL';
}
