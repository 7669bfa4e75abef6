/**
 * Limits of single endpoints (rate-limits page, June 2025) and the answers given when one is passed. Totals
 * differ by account: recorded paid accounts show 20,000 for `tickets-index` where trials show 100.
 * The names `tickets-index`, `tickets-update`, `per-ticket-updates`, `incremental-exports` and
 * `deleted-tickets-destroy` were seen in recorded headers (the last without its total), the others are made in
 * the same manner. `webhooks` and `webhooks-test` are the webhooks service's own, apart from the account's.
 */
import { NO_LIMIT, PLAN_LIMITS, type Plan } from './options.ts';
import { coded, type Reply, text } from './reply.ts';

const SECOND = 1000;
const MINUTE = 60_000;

export interface EndpointLimit {
  readonly name: string;
  readonly total: number;
  readonly windowMs: number;
  readonly refusal: 'json' | 'html' | 'text';
  readonly message: string;
}

const limit = (
  name: string,
  total: number,
  windowMs: number,
  refusal: EndpointLimit['refusal'],
  message: string,
): EndpointLimit => ({ name, total, windowMs, refusal, message });

const TICKET_UPDATES =
  'Rate limit for ticket updates exceeded, please wait before updating this ticket again';

/** The limits of a plan by name; `overrides` replaces totals. Throws RangeError on an unknown name. */
export const createEndpointLimits = (
  plan: Plan,
  overrides: Readonly<Record<string, number>>,
  limits: 'on' | 'off' = 'on',
): ReadonlyMap<string, EndpointLimit> => {
  const highVolume = PLAN_LIMITS[plan] >= 2500;
  const general = 'Number of allowed API requests per minute exceeded';
  const rows = [
    limit('tickets-index', highVolume ? 300 : 100, MINUTE, 'json', general),
    limit('tickets-update', highVolume ? 300 : 100, MINUTE, 'html', TICKET_UPDATES),
    limit('per-ticket-updates', 30, 10 * MINUTE, 'html', TICKET_UPDATES),
    limit('tickets-destroy', 400, MINUTE, 'json', general),
    limit('search-index', 2500, MINUTE, 'json', 'Number of allowed search API requests per minute exceeded'),
    limit(
      'search-export',
      100,
      MINUTE,
      'json',
      'Number of allowed search export API requests per minute exceeded',
    ),
    limit(
      'incremental-exports',
      highVolume ? 30 : 10,
      MINUTE,
      'json',
      'Number of allowed incremental export API requests per minute exceeded',
    ),
    limit('deleted-tickets-index', 10, MINUTE, 'json', general),
    limit('deleted-tickets-destroy', 400, MINUTE, 'json', general),
    limit(
      'users-update',
      1,
      SECOND,
      'json',
      'Number of allowed user update API requests per second exceeded',
    ),
    limit(
      'per-user-updates',
      5,
      MINUTE,
      'json',
      'Rate limit for user updates exceeded, please wait before updating this user again',
    ),
    limit('webhooks', 100, MINUTE, 'json', general),
    limit('webhooks-test', 20, MINUTE, 'json', general),
  ];
  const known = new Map(rows.map((row) => [row.name, limits === 'off' ? { ...row, total: NO_LIMIT } : row]));
  for (const [name, total] of Object.entries(overrides)) {
    const row = known.get(name);
    if (!row) throw new RangeError(`"endpointLimits" knows ${[...known.keys()].join(', ')}, got ${name}`);
    if (!Number.isSafeInteger(total) || total < 1)
      throw new RangeError(`"endpointLimits.${name}" must be >= 1`);
    known.set(name, { ...row, total });
  }
  return known;
};

export const accountLimited = (retryAfter: number): Reply =>
  text(429, 'Number of allowed API requests per minute exceeded', 'text/plain', {
    'retry-after': String(retryAfter),
  });

export const endpointLimited = (row: EndpointLimit, retryAfter: number): Reply => {
  const headers = { 'retry-after': String(retryAfter) };
  switch (row.refusal) {
    case 'json':
      return { ...coded(429, 'APIRateLimitExceeded', row.message), headers };
    case 'html':
      return text(429, row.message, 'text/html', headers);
    case 'text':
      return text(429, row.message, 'text/plain', headers);
    default:
      throw row.refusal satisfies never;
  }
};
