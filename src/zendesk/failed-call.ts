/** From a failed try to the error that the whole call ends with. */
import { type ErrorDetails, isSealdeskError } from '../base/index.ts';
import { ZendeskError } from './zendesk-error.ts';

/** Zendesk's refusal or silence, or something thrown around the call: an abort, the limiter, `authorize`. */
export type CallFailure =
  | { readonly error: ZendeskError }
  | { readonly thrown: unknown; readonly expired: boolean };

/** `unclear`: whether any try may have been carried out. */
export function failCall(failure: CallFailure, request: { mutation: boolean }, unclear: boolean): unknown {
  const { mutation } = request;
  if (mutation && unclear) return unknownOutcome('error' in failure ? failure.error : failure.thrown);
  if ('error' in failure) return mutation ? failure.error.with({ mutation: 'NOT_SENT' }) : failure.error;
  const { thrown, expired } = failure;
  if (isSealdeskError(thrown)) return mutation ? thrown.with({ mutation: 'NOT_SENT' }) : thrown;
  if (expired) return outOfTime(thrown, mutation ? { mutation: 'NOT_SENT' } : {});
  if (!mutation) return thrown;
  return new ZendeskError('UPSTREAM_UNAVAILABLE', 'The change was cancelled before it was sent.', {
    failure: 'CANCELLED',
    cause: thrown,
    mutation: 'NOT_SENT',
  });
}

/** The deadline passed before an answer came. */
export function outOfTime(cause: unknown, details: ErrorDetails = {}): ZendeskError {
  return new ZendeskError('UPSTREAM_UNAVAILABLE', 'Zendesk could not be asked in time. Try again later.', {
    failure: 'TIMEOUT',
    cause,
    ...details,
  });
}

/**
 * A success whose JSON is not of the documented shape. For a change that is OUTCOME_UNKNOWN: it was
 * most likely made, and nothing proves it.
 */
export function unusableAnswer(status: number, mutation: boolean): ZendeskError {
  const error = new ZendeskError(
    'UPSTREAM_UNAVAILABLE',
    'Zendesk answered with JSON of an unexpected shape. An operator checks whether the API has changed.',
    { failure: 'UNUSABLE', upstreamStatus: status },
  );
  return mutation ? unknownOutcome(error) : error;
}

/** What OUTCOME_UNKNOWN says, with what is known of the last try. */
function unknownOutcome(last: unknown): ZendeskError {
  const error = new ZendeskError(
    'OUTCOME_UNKNOWN',
    'The change was sent to Zendesk and no answer tells whether it was made. Look in Zendesk before sending it again.',
    { failure: 'UNUSABLE', mutation: 'UNKNOWN', cause: last },
  );
  if (!(last instanceof ZendeskError)) return error;
  return last.recoded(error.code, error.message, { mutation: 'UNKNOWN' });
}
