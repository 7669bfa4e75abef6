/** Answers as values, and the REST forms of success and failure. */
import type { SealdeskError } from '../base/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array;
}

/** Sent with every answer: nothing here is for caches, frames or guessing of types. */
const COMMON_HEADERS = Object.freeze({
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
});

/** `value` as a JSON answer. */
export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { ...COMMON_HEADERS, 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

/** The members of an error that are shown, in REST `error` and in GraphQL `extensions` alike. */
export function publicDetails(error: SealdeskError): Record<string, unknown> {
  const { auditEventId: _, ...details } = error.details;
  return { retryable: error.retryable, ...details };
}

/** `Retry-After` in whole seconds, where the failure tells one. */
export function retryAfterHeader({ details: { retryAfter } }: SealdeskError): Record<string, string> {
  return retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfter)) };
}

/** The REST form of a failure. */
export function errorAnswer(error: SealdeskError, requestId: string): Answer {
  const { auditEventId } = error.details;
  return jsonAnswer(
    error.status,
    {
      success: false,
      error: { code: error.code, message: error.message, details: publicDetails(error) },
      meta: { request_id: requestId, audit_event_id: auditEventId ?? null },
    },
    retryAfterHeader(error),
  );
}

/** The REST form of a success that is not an envelope. */
export function dataAnswer(status: number, data: unknown, requestId: string, auditEventId: string): Answer {
  return jsonAnswer(status, {
    success: true,
    data,
    meta: { request_id: requestId, audit_event_id: auditEventId },
  });
}
