/** How failed calls are told: to the log by an outcome, to the caller by an error of ours. */
import type { AuditOutcome } from '../audit/index.ts';
import { type Log, type MutationOutcome, SealdeskError } from '../base/index.ts';
import type { Call } from './call.ts';
import { isDenial } from './denial.ts';

/** `mutation`: what became of a change; `null` for reads and for what was refused before its intent. */
export function outcomeOf(failure: SealdeskError, mutation: MutationOutcome | null): AuditOutcome {
  switch (mutation) {
    case 'APPLIED':
      return 'APPLIED';
    case 'UNKNOWN':
      return 'UNKNOWN';
    case 'NOT_SENT':
      return 'FAILED';
    case null:
      return isDenial(failure) ? 'DENIED' : 'FAILED';
    default:
      return mutation satisfies never;
  }
}

/** INTERNAL in place of what nobody foresaw, which goes to the operator's log. */
export function unforeseen(log: Log, { requestId }: Pick<Call, 'requestId'>, thrown: unknown): SealdeskError {
  logUnforeseen(log, { requestId }, thrown);
  return new SealdeskError(
    'INTERNAL',
    `The gateway failed. Give the operator this request id: ${requestId}.`,
    { cause: thrown },
  );
}

export function logUnforeseen(log: Log, { requestId }: Pick<Call, 'requestId'>, thrown: unknown): void {
  log.error('A proxied call failed inside the gateway', {
    requestId,
    error: thrown instanceof Error ? thrown : undefined,
  });
}
