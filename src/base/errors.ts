import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

/** One field that was refused: its path in the input, why (our own words), and Zendesk's error token if it was Zendesk. */
export interface FieldIssue {
  readonly path: string;
  readonly message: string;
  readonly token?: string;
}

/** What became of a change that may have been sent to Zendesk. */
export type MutationOutcome = 'APPLIED' | 'UNKNOWN' | 'NOT_SENT';

/**
 * What an error may tell in the clear: our own text, field names, ids of ours and Zendesk's short
 * error token. Never an input's value, a secret or customer text.
 */
export interface ErrorDetails {
  readonly fields?: readonly FieldIssue[];
  /** Seconds. */
  readonly retryAfter?: number;
  /** Zendesk's `error` token, such as `RecordInvalid`. */
  readonly upstreamError?: string;
  readonly upstreamStatus?: number;
  readonly mutation?: MutationOutcome;
  readonly intentId?: string;
  /** The audit event that records this failure. */
  readonly auditEventId?: string;
  /** What a caller needs to act on the message: an operation's name, a key's id, a limit. */
  readonly subject?: string;
  /** Where a person reads how to mend it: a path of the gateway's, from its edge on the whole address. */
  readonly mend?: string;
}

export interface SealdeskErrorOptions extends ErrorDetails {
  readonly cause?: unknown;
}

/** Every failure a caller can meet. The message says what happened and what to do next, and leaks nothing. */
export class SealdeskError extends Error {
  override readonly name = 'SealdeskError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: SealdeskErrorOptions = {}) {
    const { cause, ...details } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = Object.freeze(details);
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  /** The same failure with further details, such as the intent it belongs to. */
  with(details: ErrorDetails): SealdeskError {
    return new SealdeskError(this.code, this.message, { ...this.details, ...details, cause: this.cause });
  }
}

/** Whether `error` is one of ours with the code `code` (any code when left out). */
export function isSealdeskError(error: unknown, code?: ErrorCode): error is SealdeskError {
  return error instanceof SealdeskError && (code === undefined || error.code === code);
}
