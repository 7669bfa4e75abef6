import { ZendeskError } from '../zendesk-error.ts';

/** No call came free in time; `milliseconds`: until one may. */
export function exhausted(milliseconds: number): ZendeskError {
  const retryAfter = Math.max(1, Math.ceil(milliseconds / 1000));
  return new ZendeskError(
    'BUDGET_EXHAUSTED',
    `No call of the Zendesk account's request budget came free in time. Try again in ${retryAfter} seconds.`,
    { failure: 'RATE_LIMITED', retryAfter },
  );
}
