import { ZendeskError } from './zendesk-error.ts';

/** More is being asked of one account than the gateway keeps waiting. */
export function tooManyWaiting(): ZendeskError {
  return new ZendeskError(
    'UPSTREAM_UNAVAILABLE',
    'More is being asked of this Zendesk account than the gateway keeps waiting. Try again in a second.',
    { failure: 'RATE_LIMITED', retryAfter: 1 },
  );
}
