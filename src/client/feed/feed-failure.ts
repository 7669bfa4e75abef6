/**
 * Failures of a subscription, as the gateway tells them or as a connection ends, and which of them pass. Nobody
 * signed them: whoever breaks TLS can end a subscription, not put anything into it.
 */
import { type ErrorCode, isErrorCode, SealdeskError } from '../../base/index.ts';
import { GATEWAY_LIMITS, GatewayAnswerError } from '../gateway-transport.ts';
import { parseGraphqlFailure } from '../plain-answer.ts';
import { printableLine } from '../printable.ts';

/** The connection ended, for a reason that may pass: a network that broke, a gateway that stops. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  readonly code = 'CONNECTION_LOST';
}

/** The connection was closed from here, because nobody took what it brought. */
export class ConnectionPaused extends Error {
  override readonly name = 'ConnectionPaused';

  constructor() {
    super('The connection was closed until more is asked for.');
  }
}

/** What is said where the other side said nothing. */
export const NOT_REACHED = 'The gateway cannot be reached, or the connection broke.';

/** Codes after which the same subscription can't succeed until somebody has acted. */
const FATAL: readonly ErrorCode[] = Object.freeze([
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'OPERATION_NOT_ALLOWED',
  'KEY_REVOKED',
  'CLIENT_KEY_NOT_MAPPED',
  'SEALED_RESPONSE_REQUIRED',
  'NOT_FOUND',
  'VALIDATION_FAILED',
  'QUERY_TOO_COMPLEX',
  'PAYLOAD_TOO_LARGE',
  'CONFLICT',
] as const);

/** Whether trying again may help: with anything but a failure that somebody has to act on. */
export function isPassing(error: unknown): error is SealdeskError | GatewayAnswerError | ConnectionLostError {
  if (error instanceof SealdeskError) return !FATAL.includes(error.code);
  return error instanceof ConnectionLostError || error instanceof GatewayAnswerError;
}

/** Whether the feed does not hold any more what comes after the cursor. */
export function isCursorExpired(error: unknown): error is SealdeskError {
  return error instanceof SealdeskError && error.code === 'CURSOR_EXPIRED';
}

const textOf = (message: string): string => printableLine(message.slice(0, GATEWAY_LIMITS.maxMessage));

interface ToldFailure {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** The failure that an answer without data tells, its text one line that is safe to show. Throws nothing. */
export function failureOf(answer: unknown): SealdeskError | GatewayAnswerError {
  let told: ToldFailure | undefined;
  try {
    [told] = parseGraphqlFailure(answer)['errors'] as readonly ToldFailure[];
  } catch (error) {
    if (error instanceof GatewayAnswerError) return error;
    throw error;
  }
  const { message = '', extensions = {} } = told ?? {};
  const { code, retryAfter, subject, auditEventId } = extensions;
  if (!isErrorCode(code))
    return new GatewayAnswerError(`The gateway refused the subscription: ${textOf(message)}`);
  return new SealdeskError(code, textOf(message), {
    ...(typeof retryAfter === 'number' ? { retryAfter } : {}),
    ...(typeof subject === 'string' ? { subject: textOf(subject) } : {}),
    ...(typeof auditEventId === 'string' ? { auditEventId: textOf(auditEventId) } : {}),
  });
}

/** Codes of a closed WebSocket that tell of the login, each with what its reason means where it names no code. */
const LOGIN_CLOSES: ReadonlyMap<number, ErrorCode> = new Map([
  [4401, 'UNAUTHENTICATED'],
  [4403, 'FORBIDDEN'],
]);
/** RFC 6455 §7.4.1: there was no closing handshake. */
const ABNORMAL = 1006;
/** The registry's later codes: what a gateway says that stops or has too many connections. */
const RESTARTS = 1012;
const TRY_LATER = 1013;

/** Why a WebSocket was closed. The reason begins with our error code where there is one. */
export function failureOfClose(code: number, reason: string): SealdeskError | ConnectionLostError {
  const text = textOf(reason);
  const [named] = text.split(/[^A-Z_]/, 1);
  const login = LOGIN_CLOSES.get(code);
  if (login !== undefined) {
    return new SealdeskError(isErrorCode(named) ? named : login, text || 'The gateway refused the login.');
  }
  if (code === TRY_LATER) {
    return new SealdeskError('TOO_MANY_REQUESTS', text || 'The gateway has too many connections.');
  }
  if (code === ABNORMAL) return new ConnectionLostError(NOT_REACHED);
  if (code === RESTARTS) return new ConnectionLostError('The gateway stops.');
  return new ConnectionLostError(
    `The gateway closed the connection (${code}${text === '' ? '' : `: ${text}`}).`,
  );
}
