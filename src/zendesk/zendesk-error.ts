/**
 * A failed call to Zendesk. What may be told in the clear is in `message` and `details`; Zendesk's
 * own words are kept in a private field that neither JSON nor `util.inspect` shows, for the pipeline
 * to seal to the caller.
 */
import { type ErrorCode, type ErrorDetails, type JsonValue, SealdeskError } from '../base/index.ts';

/** How a call failed, for code that has to tell cases apart which share an error code. */
export type ZendeskFailure =
  /** Zendesk answered with a status that says no. */
  | 'REFUSED'
  /** Zendesk answered 5xx. */
  | 'SERVER_ERROR'
  /** 429, or 503 with a time to wait, or no place in the queue before the deadline. */
  | 'RATE_LIMITED'
  /** No account lives at this address. */
  | 'NO_HELP_DESK'
  /** 3xx; never followed. */
  | 'REDIRECTED'
  /** The address did not resolve, or refused or broke the connection. */
  | 'CONNECTION'
  | 'TIMEOUT'
  | 'CANCELLED'
  /** Larger than the gateway reads. */
  | 'OVERSIZE'
  /** Not JSON, cut off, or not of the documented shape. */
  | 'UNUSABLE';

/** Zendesk's answer as it came, bounded; customer text, so never in the clear. */
export interface UpstreamAnswer {
  readonly status: number;
  /** JSON when it was JSON, else text. */
  readonly body: JsonValue;
  /** Whether the body was longer than is kept. */
  readonly truncated: boolean;
}

export interface ZendeskErrorOptions extends ErrorDetails {
  readonly failure: ZendeskFailure;
  readonly upstream?: UpstreamAnswer | undefined;
  readonly cause?: unknown;
}

let readUpstream: (error: ZendeskError) => UpstreamAnswer | null;

export class ZendeskError extends SealdeskError {
  readonly failure: ZendeskFailure;
  readonly #upstream: UpstreamAnswer | null;

  static {
    readUpstream = (error) => error.#upstream;
  }

  constructor(code: ErrorCode, message: string, options: ZendeskErrorOptions) {
    const { failure, upstream, ...rest } = options;
    super(code, message, rest);
    this.failure = failure;
    this.#upstream = upstream ?? null;
  }

  override with(details: ErrorDetails): ZendeskError {
    return this.recoded(this.code, this.message, details);
  }

  /** The same failure without Zendesk's own words, for who may not read all that Zendesk says. */
  withoutUpstream(): ZendeskError {
    return new ZendeskError(this.code, this.message, {
      ...this.details,
      failure: this.failure,
      cause: this.cause,
    });
  }

  /** The same failure under another code, such as OUTCOME_UNKNOWN. */
  recoded(code: ErrorCode, message: string, details: ErrorDetails): ZendeskError {
    return new ZendeskError(code, message, {
      ...this.details,
      ...details,
      failure: this.failure,
      upstream: this.#upstream ?? undefined,
      cause: this.cause,
    });
  }
}

/** Zendesk's full answer behind `error`, or `null` when there was none. Seal it; never log it. */
export function upstreamOf(error: unknown): UpstreamAnswer | null {
  return error instanceof ZendeskError ? readUpstream(error) : null;
}
