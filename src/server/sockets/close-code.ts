import type { SealdeskError } from '../../base/index.ts';

/** RFC 6455 §7.4 and https://www.iana.org/assignments/websocket, besides those of graphql-transport-ws (44xx). */
export const CLOSE_CODES = Object.freeze({
  failed: 1011,
  restart: 1012,
  tryAgainLater: 1013,
  badRequest: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
  /** Ours: the login is as old as it may become, and a new one is as good as before. */
  loginExpired: 4440,
} as const);

/** Bytes of a reason, RFC 6455 §5.5. */
const MAX_REASON_BYTES = 123;

/** How a connection is closed that ends with `failure`. */
export function closeCodeOf({ status }: SealdeskError): number {
  switch (status) {
    case 400:
    case 413:
      return CLOSE_CODES.badRequest;
    case 401:
      return CLOSE_CODES.unauthenticated;
    case 403:
    case 406:
      return CLOSE_CODES.forbidden;
    case 429:
    case 503:
      return CLOSE_CODES.tryAgainLater;
    default:
      return CLOSE_CODES.failed;
  }
}

/** The code of the failure and its text. */
export function closeReasonOf({ code, message }: SealdeskError): string {
  return `${code} ${message}`;
}

/** As much of `reason` as a close may carry. */
export function fitReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  return new TextDecoder().decode(bytes.subarray(0, MAX_REASON_BYTES), { stream: true });
}
