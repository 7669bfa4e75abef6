/** Answers as values, and the REST forms of success and failure. */
import type { SealdeskError } from '../base/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | AnswerStream;
}

/** The body of an answer that goes on. */
export interface AnswerStream {
  /** EVENTS lives as long as its reader; a FILE has an end. */
  readonly kind: 'EVENTS' | 'FILE';
  /** Pulled one at a time, as fast as they are taken, and at least one; `return` is called where the caller has gone. */
  readonly chunks: AsyncIterableIterator<string>;
  /** Written now and then while there is nothing else, so that everybody on the way sees that it lives; `null` for nothing. */
  readonly heartbeat: string | null;
  /** Ends it in order: what is still to be told is told, and nothing new. */
  end(): void;
}

export function isAnswerStream(body: Answer['body']): body is AnswerStream {
  return typeof body === 'object' && 'chunks' in body;
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

/** An answer that goes on, of the media type `contentType`. */
export function streamAnswer(contentType: string, body: AnswerStream): Answer {
  // Proxies that collect an answer before they hand it on would never hand this on.
  return {
    status: 200,
    headers: { ...COMMON_HEADERS, 'content-type': contentType, 'x-accel-buffering': 'no' },
    body,
  };
}

/** 204, for what needs no answer. */
export function emptyAnswer(): Answer {
  return { status: 204, headers: { ...COMMON_HEADERS }, body: '' };
}

/** `text` as an answer of the media type `contentType`. */
export function textAnswer(contentType: string, text: string): Answer {
  return { status: 200, headers: { ...COMMON_HEADERS, 'content-type': contentType }, body: text };
}

/** `html`, a page without scripts, styles, forms or pictures, for a browser. */
export function htmlAnswer(html: string): Answer {
  return textAnswer('text/html; charset=utf-8', html);
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
