import { describe, expect, it } from 'vitest';
import {
  MAX_RETRY_AFTER_SECONDS,
  parseRateLimits,
  parseRetryAfter,
} from '../../src/zendesk/rate-limit-reading.ts';

const NOW = Date.UTC(2026, 10, 21);
const PATH = '/api/v2/tickets.json';

describe('the rate limits of an answer', () => {
  it.each([
    [{ 'x-rate-limit': '700', 'x-rate-limit-remaining': '699' }, 700, 699, null],
    [
      {
        'x-rate-limit': '700',
        'x-rate-limit-remaining': '699',
        'ratelimit-limit': '700',
        'ratelimit-remaining': '699',
        'ratelimit-reset': '41',
      },
      700,
      699,
      NOW + 41_000,
    ],
    [{ 'ratelimit-limit': '400', 'ratelimit-remaining': '0', 'ratelimit-reset': '0' }, 400, 0, NOW],
    [{ 'rate-limit': '200', 'rate-limit-remaining': '7', 'rate-limit-reset': '5' }, 200, 7, NOW + 5000],
    [{}, null, null, null],
    [{ 'x-rate-limit': 'many', 'x-rate-limit-remaining': '-1', 'ratelimit-reset': '1e3' }, null, null, null],
  ])('are read from %j', (headers, limit, remaining, resetsAt) => {
    expect(parseRateLimits(headers, PATH, NOW)).toEqual({ limit, remaining, resetsAt, endpoints: [] });
  });

  it.each([
    'zendesk-ratelimit-tickets-index',
    'zendesk-rate-limit-tickets-index',
  ])('of an endpoint are read from %s', (name) => {
    expect(parseRateLimits({ [name]: 'total=100; remaining=99; resets=41' }, PATH, NOW).endpoints).toEqual([
      { name: 'tickets-index', limit: 100, remaining: 99, resetsAt: NOW + 41_000 },
    ]);
  });

  it('of the Webhooks API are not taken for those of the account', () => {
    const headers = { 'x-rate-limit': '100', 'x-rate-limit-remaining': '99' };
    expect(parseRateLimits(headers, '/api/v2/webhooks/01J', NOW)).toMatchObject({
      limit: null,
      remaining: null,
    });
    expect(parseRateLimits(headers, '/api/v2/webhooks_of_ours', NOW)).toMatchObject({ limit: 100 });
  });
});

describe('Retry-After', () => {
  it.each([
    ['0', 0],
    ['5', 5_000],
    [' 5 ', 5_000],
    ['999999', MAX_RETRY_AFTER_SECONDS * 1000],
    [new Date(NOW + 8_000).toUTCString(), 8_000],
    [new Date(NOW - 8_000).toUTCString(), 0],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['2026', 2_026_000],
    ['', null],
    [undefined, null],
  ])('%j is %j milliseconds', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });
});
