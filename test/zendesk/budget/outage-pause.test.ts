/** How long Zendesk is believed when it asks to pause. */
import { expect, it } from 'vitest';
import { parseRateLimits } from '../../../src/zendesk/rate-limit-reading.ts';
import { judgeReply } from '../../../src/zendesk/verdict.ts';

const NOW = Date.UTC(2026, 10, 21);

it.each([
  [503, '3600', 120_000],
  [503, new Date(NOW + 3_600_000).toUTCString(), 120_000],
  [503, '30', 30_000],
  [429, '3600', 3_600_000],
])('after %i with Retry-After %s the account or endpoint pauses for %i ms', (status, value, expected) => {
  const headers = { 'retry-after': value };
  const reply = { status, headers, body: Buffer.alloc(0), truncated: false };
  const verdict = judgeReply(reply, parseRateLimits(headers, '/api/v2/users/1.json', NOW), NOW);
  expect(verdict.pause?.milliseconds).toBe(expected);
  expect(verdict.error.details).toMatchObject({ retryAfter: expected / 1000 });
});
