import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/base/index.ts';
import { isPlaceRefused } from '../../../src/proxy/index.ts';
import { ZendeskError } from '../../../src/zendesk/index.ts';

function answered(status: number, body: JsonValue): ZendeskError {
  return new ZendeskError('UPSTREAM_REJECTED', 'Refused', {
    ...{ failure: 'REFUSED', upstreamStatus: status, upstream: { status, body, truncated: false } },
  });
}

describe('A place in the export', () => {
  test.each<[number, JsonValue, boolean]>([
    [422, { error: 'InvalidValue', description: 'Too recent start_time' }, true],
    [400, { error: { title: 'Invalid attribute', message: 'The cursor is invalid' } }, true],
    [410, { errors: [{ code: 'Gone', title: 'Gone' }] }, true],
    [422, 'a page of something on the way', false],
    [400, '', false],
    [400, { message: 'of something on the way' }, false],
    [413, { error: 'TooLarge' }, false],
    [405, { error: 'MethodNotAllowed' }, false],
    [403, { error: 'Forbidden' }, false],
    [429, { error: 'TooManyRequests' }, false],
    [500, { error: 'Internal' }, false],
  ])('that is answered %i with %j is refused: %s', (status, body, isRefused) => {
    expect(isPlaceRefused(answered(status, body))).toBe(isRefused);
  });

  test('is not refused by a failure without an answer', () => {
    expect(isPlaceRefused(new ZendeskError('UPSTREAM_UNAVAILABLE', 'Away', { failure: 'TIMEOUT' }))).toBe(
      false,
    );
    expect(isPlaceRefused(new Error('other'))).toBe(false);
  });
});
