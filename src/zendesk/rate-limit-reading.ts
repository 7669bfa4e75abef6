/**
 * What Zendesk's answer says about its rate limits (zendesk-api §3.2). All spellings seen in the
 * field are read; a value that is not a plain count is taken as absent. Header names come in
 * lower-case, as the transport gives them.
 */

/** One endpoint's own limit, such as `tickets-index` or `per-ticket-updates`. */
export interface EndpointLimit {
  readonly name: string;
  readonly limit: number | null;
  readonly remaining: number | null;
  /** Milliseconds since 1970. */
  readonly resetsAt: number | null;
}

/** The account's limit of requests a minute as one answer told it; `null` where it told nothing. */
export interface RateLimitReading {
  readonly limit: number | null;
  readonly remaining: number | null;
  /** Milliseconds since 1970. */
  readonly resetsAt: number | null;
  readonly endpoints: readonly EndpointLimit[];
}

export type ResponseHeaders = Readonly<Record<string, string>>;

/** Longest pause that a `Retry-After` is believed, in seconds. */
export const MAX_RETRY_AFTER_SECONDS = 3600;

/** The same of an answer 503: an outage may be over long before, and one node must not stop the account for an hour. */
export const MAX_OUTAGE_RETRY_AFTER_SECONDS = 120;

const MAX_ENDPOINT_LIMITS = 16;
const ENDPOINT_HEADER = /^zendesk-rate-?limit-([a-z0-9-]{1,64})$/;
const WEBHOOKS_PATH = /^\/api\/v2\/webhooks(?:[/.?]|$)/;

/** The limits named by the headers of an answer to `path` that arrived at `now`. */
export function parseRateLimits(headers: ResponseHeaders, path: string, now: number): RateLimitReading {
  const endpoints = Object.entries(headers)
    .map(([name, value]) => parseEndpointLimit(name, value, now))
    .filter((limit) => limit !== null)
    .slice(0, MAX_ENDPOINT_LIMITS);
  // The Webhooks API sends a limit of its own in the account's headers.
  if (WEBHOOKS_PATH.test(path)) return { limit: null, remaining: null, resetsAt: null, endpoints };
  const count = (...names: readonly string[]): number | null =>
    names.map((name) => parseCount(headers[name])).find((value) => value !== null) ?? null;
  const reset = count('ratelimit-reset', 'rate-limit-reset');
  return {
    limit: count('x-rate-limit', 'ratelimit-limit', 'rate-limit'),
    remaining: count('x-rate-limit-remaining', 'ratelimit-remaining', 'rate-limit-remaining'),
    resetsAt: reset === null ? null : now + reset * 1000,
    endpoints,
  };
}

/**
 * A `Retry-After` value in milliseconds from `now`: seconds or an HTTP date (RFC 9110 §10.2.3), at
 * most `most` seconds; `null` when absent or neither.
 */
export function parseRetryAfter(
  value: string | undefined,
  now: number,
  most: number = MAX_RETRY_AFTER_SECONDS,
): number | null {
  const seconds = parseCount(value);
  const milliseconds = seconds !== null ? seconds * 1000 : parseHttpDate(value) - now;
  if (Number.isNaN(milliseconds)) return null;
  return Math.min(Math.max(milliseconds, 0), most * 1000);
}

function parseHttpDate(value: string | undefined): number {
  return value !== undefined && / GMT$/.test(value) ? Date.parse(value) : Number.NaN;
}

function parseCount(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,9}$/.test(value.trim()) ? Number(value) : null;
}

/** `total=100; remaining=99; resets=41`, or `null` when the header is another. */
function parseEndpointLimit(header: string, value: string, now: number): EndpointLimit | null {
  const name = ENDPOINT_HEADER.exec(header)?.[1];
  if (name === undefined) return null;
  const member = (key: string): number | null =>
    parseCount(new RegExp(`(?:^|;)\\s*${key}=(\\d{1,9})\\s*(?:;|$)`).exec(value)?.[1]);
  const resets = member('resets');
  return {
    name,
    limit: member('total'),
    remaining: member('remaining'),
    resetsAt: resets === null ? null : now + resets * 1000,
  };
}
