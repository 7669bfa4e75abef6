/**
 * What an answer that is not a success, or no answer, means: the error to raise, whether the change
 * may have been made all the same, and what may be tried next (zendesk-api §3.4 and §10).
 */
import type { ErrorCode, JsonValue } from '../base/index.ts';
import { parseJsonBody } from './json-body.ts';
import {
  MAX_OUTAGE_RETRY_AFTER_SECONDS,
  MAX_RETRY_AFTER_SECONDS,
  parseRetryAfter,
  type RateLimitReading,
} from './rate-limit-reading.ts';
import type { PauseScope } from './request-limiter.ts';
import type { TransportFailure, TransportReply } from './transport.ts';
import { parseUpstreamProblem, type UpstreamProblem } from './upstream-problem.ts';
import { type UpstreamAnswer, ZendeskError, type ZendeskFailure } from './zendesk-error.ts';

export interface Verdict {
  readonly error: ZendeskError;
  /** Whether Zendesk may have carried out the request although there is no usable answer. */
  readonly unclear: boolean;
  /** What may be tried: nothing, the same after a back-off or a pause, or a fresh credential. */
  readonly next: 'STOP' | 'BACK_OFF' | 'PAUSE' | 'REAUTHORIZE';
  readonly pause?: { readonly scope: PauseScope; readonly milliseconds: number };
}

/** The pause when Zendesk names none; its own Ruby client waits as long. */
const DEFAULT_PAUSE = 10_000;

interface Row {
  readonly code: ErrorCode;
  readonly failure: ZendeskFailure;
  readonly message: string;
}

const NO_HELP_DESK: Row = {
  code: 'UPSTREAM_UNAVAILABLE',
  failure: 'NO_HELP_DESK',
  message: 'There is no Zendesk account at this subdomain. An ADMIN corrects it with updateIntegration.',
};

/** Judges an answer with a status other than 2xx. */
export function judgeReply(reply: TransportReply, reading: RateLimitReading, now: number): Verdict {
  const { status } = reply;
  const body = parseJsonBody(reply.body);
  const problem = parseUpstreamProblem(body);
  const most = status === 503 ? MAX_OUTAGE_RETRY_AFTER_SECONDS : MAX_RETRY_AFTER_SECONDS;
  const retryAfter = parseRetryAfter(reply.headers['retry-after'], now, most);
  const waits = status === 429 || (status === 503 && retryAfter !== null);
  const milliseconds = retryAfter ?? DEFAULT_PAUSE;
  const row = rowOf(status, problem, waits);
  const error = new ZendeskError(row.code, row.message, {
    failure: row.failure,
    upstream: upstreamAnswer(reply, body),
    upstreamStatus: status,
    ...(problem.token === null ? {} : { upstreamError: problem.token }),
    ...(problem.fields.length === 0 ? {} : { fields: problem.fields }),
    ...(waits ? { retryAfter: Math.max(1, Math.ceil(milliseconds / 1000)) } : {}),
  });
  if (status === 429) {
    const pause = { scope: pauseScope(reading), milliseconds };
    return { error, unclear: false, next: 'PAUSE', pause };
  }
  if (status === 503 && waits) {
    return { error, unclear: true, next: 'PAUSE', pause: { scope: 'ACCOUNT', milliseconds } };
  }
  if (status === 401) return { error, unclear: false, next: 'REAUTHORIZE' };
  if (status === 409 && problem.token === 'DatabaseConflict') {
    return { error, unclear: false, next: 'BACK_OFF' };
  }
  if (status === 408 || status >= 500) return { error, unclear: true, next: 'BACK_OFF' };
  return { error, unclear: false, next: 'STOP' };
}

/** A 2xx answer whose body is not what was agreed. */
export function judgeUnusable(reply: TransportReply): Verdict {
  const error = new ZendeskError(
    'UPSTREAM_UNAVAILABLE',
    'Zendesk answered with something other than the documented JSON. Try again later.',
    { failure: 'UNUSABLE', upstreamStatus: reply.status, upstream: upstreamAnswer(reply, undefined) },
  );
  return { error, unclear: true, next: 'BACK_OFF' };
}

/** No answer. `expired` tells that it was the deadline that aborted it. */
export function judgeFailure(failed: TransportFailure, expired: boolean): Verdict {
  const stop = failed.kind === 'ABORTED' || failed.kind === 'OVERSIZE';
  return {
    error: new ZendeskError('UPSTREAM_UNAVAILABLE', messageOf(failed, expired), {
      failure: failureOf(failed, expired),
      cause: failed,
    }),
    unclear: failed.sent,
    next: stop ? 'STOP' : 'BACK_OFF',
  };
}

function rowOf(status: number, problem: UpstreamProblem, waits: boolean): Row {
  if (waits) {
    return {
      code: 'UPSTREAM_RATE_LIMITED',
      failure: 'RATE_LIMITED',
      message: 'Zendesk asks to pause before the next call. Try again after retryAfter seconds.',
    };
  }
  if (status < 400) {
    return {
      code: 'UPSTREAM_UNAVAILABLE',
      failure: 'REDIRECTED',
      message:
        'Zendesk redirected the call to another address, which is never followed. An ADMIN checks the subdomain of the integration.',
    };
  }
  if (status === 408 || status >= 500) {
    return {
      code: 'UPSTREAM_UNAVAILABLE',
      failure: 'SERVER_ERROR',
      message: 'Zendesk failed to process the call. Try again later.',
    };
  }
  return { failure: 'REFUSED', ...refusalOf(status, problem) };
}

function refusalOf(status: number, problem: UpstreamProblem): Omit<Row, 'failure'> | Row {
  switch (status) {
    case 401:
      return {
        code: 'UPSTREAM_UNAUTHENTICATED',
        message:
          'Zendesk refused the credential of the integration. An ADMIN runs testIntegration and rotates it.',
      };
    case 403:
      return {
        code: 'UPSTREAM_FORBIDDEN',
        message:
          'The Zendesk user or OAuth client of the integration lacks the role, scope or plan for this.',
      };
    case 404:
      return problem.noHelpDesk
        ? NO_HELP_DESK
        : { code: 'NOT_FOUND', message: notFoundMessage(problem.token) };
    case 409:
      return {
        code: 'CONFLICT',
        message: 'The object changed in Zendesk meanwhile. Read it again and decide anew.',
      };
    case 413:
      return { code: 'UPSTREAM_REJECTED', message: 'Zendesk finds the request too large. Send less.' };
    default:
      return problem.token === 'IdempotentRequestError'
        ? {
            code: 'CONFLICT',
            message: 'This idempotency key was used for other content within two hours. Use a new one.',
          }
        : {
            code: 'UPSTREAM_REJECTED',
            message: `Zendesk did not accept the content of the request.${problem.fields.length === 0 ? '' : ' Correct what `fields` names and send it again.'}`,
          };
  }
}

function notFoundMessage(token: string | null): string {
  return token === 'InvalidEndpoint'
    ? 'Zendesk does not offer this to the account: a feature or plan is missing.'
    : 'Zendesk has no such object, or it is not visible to the credential of the integration.';
}

/** Zendesk's advice: look at the account's headers first, at the endpoint's on a 429. */
function pauseScope(reading: RateLimitReading): PauseScope {
  const spent = reading.endpoints.filter((limit) => limit.remaining === 0);
  if (reading.remaining === 0) return 'ACCOUNT';
  if (spent.some((limit) => !limit.name.startsWith('per-'))) return 'ENDPOINT';
  if (spent.length > 0) return 'OBJECT';
  return reading.remaining === null ? 'ACCOUNT' : 'ENDPOINT';
}

function upstreamAnswer(reply: TransportReply, body: JsonValue | undefined): UpstreamAnswer {
  const text = (): string => reply.body.subarray(0, MAX_KEPT_BYTES).toString('utf8');
  return {
    status: reply.status,
    body: body === undefined ? text() : body,
    truncated: reply.truncated || (body === undefined && reply.body.length > MAX_KEPT_BYTES),
  };
}

const MAX_KEPT_BYTES = 64 * 1024;

function failureOf(failed: TransportFailure, expired: boolean): ZendeskFailure {
  if (failed.kind === 'ABORTED') return expired ? 'TIMEOUT' : 'CANCELLED';
  return failed.kind;
}

function messageOf(failed: TransportFailure, expired: boolean): string {
  switch (failed.kind) {
    case 'CONNECTION':
      return failed.sent
        ? 'The connection to Zendesk broke before the answer was complete. Try again later.'
        : 'Zendesk cannot be reached. Try again later; an ADMIN checks the subdomain if this lasts.';
    case 'TIMEOUT':
      return 'Zendesk did not answer in time. Try again later.';
    case 'ABORTED':
      return expired ? 'Zendesk did not answer in time. Try again later.' : 'The call was cancelled.';
    case 'OVERSIZE':
      return 'The answer of Zendesk is larger than the gateway reads. Ask for smaller pages.';
    case 'UNUSABLE':
      return 'Zendesk answered with something that is not the documented JSON. Try again later.';
    default:
      return failed.kind satisfies never;
  }
}
