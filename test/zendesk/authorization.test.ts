import { describe, expect, it } from 'vitest';
import { basicAuthorization, bearerAuthorization } from '../../src/zendesk/index.ts';

const decoded = (header: string): string =>
  Buffer.from(header.replace('Basic ', ''), 'base64').toString('utf8');

describe('the Authorization header', () => {
  it('of an API token is Basic of address, /token and token', () => {
    expect(decoded(basicAuthorization('ann@acme.test', 'k3y'))).toBe('ann@acme.test/token:k3y');
  });

  it('does not name /token twice when the user name already ends with it', () => {
    expect(decoded(basicAuthorization('ann@acme.test/token', 'k3y'))).toBe('ann@acme.test/token:k3y');
  });

  it('carries an address outside ASCII as UTF-8', () => {
    expect(decoded(basicAuthorization('zoë@acme.test', 'k3y'))).toBe('zoë@acme.test/token:k3y');
  });

  it('of an access token is Bearer, also for a JWT', () => {
    expect(bearerAuthorization('eyJ0.eyJp.c2ln-_~+/==')).toBe('Bearer eyJ0.eyJp.c2ln-_~+/==');
  });

  it.each([
    ['', 'secret-1'],
    ['ann', 'secret-1'],
    ['ann:x@acme.test', 'secret-1'],
    ['ann@acme.test\r\nx: y', 'secret-1'],
    ['ann b@acme.test', 'secret-1'],
    [`${'a'.repeat(250)}@acme.test`, 'secret-1'],
    ['ann@acme.test', ''],
    ['ann@acme.test', 'secret-1 x'],
    ['ann@acme.test', 'secret-1\n'],
    ['ann@acme.test', 'x'.repeat(8193)],
  ])('refuses user name %j with token %j, and repeats neither', (email, token) => {
    const refused = (() => {
      try {
        return basicAuthorization(email, token);
      } catch (error) {
        return error as Error;
      }
    })();
    expect(refused).toMatchObject({ code: 'VALIDATION_FAILED' });
    expect(`${(refused as Error).stack}`).not.toContain('secret-1');
  });

  it.each([
    '',
    'a b',
    'a\r\nb: c',
    'tøken',
    '=abc',
    'x'.repeat(8193),
  ])('refuses the access token %j', (token) => {
    expect(() => bearerAuthorization(token)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
  });
});
