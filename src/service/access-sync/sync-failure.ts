/** What keeps an access sync from going on: whether it passes by itself, and what to do where it does not. */
import { isSealdeskError, SealdeskError } from '../../base/index.ts';
import type { CredentialCheck } from '../../zendesk/index.ts';

export interface SyncFailure {
  readonly code: string;
  /** Our own words. */
  readonly advice: string;
  /** Whether the run waits and goes on by itself. */
  readonly passes: boolean;
  readonly retryAfterMs: number;
  readonly upstreamStatus?: number | undefined;
}

const PASSING = [
  'BUDGET_EXHAUSTED',
  'UPSTREAM_RATE_LIMITED',
  'UPSTREAM_UNAVAILABLE',
  'KMS_UNAVAILABLE',
  'AUDIT_UNAVAILABLE',
];

const ADMIN_ONLY =
  'Zendesk lets only admins export users. Give the integration the credential of an admin, by OAuth with the scope read or users:read, and start the sync again.';

/** What `error` means for a run. */
export function failureOf(error: unknown): SyncFailure {
  if (!isSealdeskError(error)) {
    const advice = 'Something unforeseen kept the sync from going on; the log of the gateway tells more.';
    return { code: 'INTERNAL', advice, passes: true, retryAfterMs: 0 };
  }
  const { code, details } = error;
  return {
    code,
    advice: code === 'UPSTREAM_FORBIDDEN' ? ADMIN_ONLY : error.message,
    passes: PASSING.includes(code),
    retryAfterMs: (details.retryAfter ?? 0) * 1_000,
    upstreamStatus: details.upstreamStatus,
  };
}

/** Throws where who the credential is cannot export users. */
export function assertMayExport(check: CredentialCheck): void {
  if (check.ok) {
    if (check.role === 'admin') return;
    throw new SealdeskError('UPSTREAM_FORBIDDEN', ADMIN_ONLY);
  }
  const text = `${check.message} ${check.remedy}`;
  switch (check.reason) {
    case 'RATE_LIMITED':
      throw new SealdeskError('UPSTREAM_RATE_LIMITED', text);
    case 'UNREACHABLE':
      throw new SealdeskError('UPSTREAM_UNAVAILABLE', text);
    case 'NOT_AN_AGENT':
    case 'FORBIDDEN':
      throw new SealdeskError('UPSTREAM_FORBIDDEN', ADMIN_ONLY);
    case 'ANONYMOUS':
    case 'REFUSED':
    case 'SUSPENDED':
    case 'DELETED':
      throw new SealdeskError('UPSTREAM_UNAUTHENTICATED', text);
    case 'NO_HELP_DESK':
    case 'REDIRECTED':
    case 'UNUSABLE_ANSWER':
      throw new SealdeskError('UPSTREAM_REJECTED', text);
    default:
      check.reason satisfies never;
  }
}
