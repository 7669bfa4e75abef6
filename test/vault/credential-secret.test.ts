import { describe, expect, it } from 'vitest';
import { isSealdeskError } from '../../src/base/index.ts';
import {
  CREDENTIAL_TYPES,
  credentialWarning,
  isCredentialType,
  parseCredentialSecret,
} from '../../src/vault/index.ts';

/** The fields that a refusal names, and all that it tells. */
function refusal(
  type: unknown,
  input: unknown,
  path?: string,
): { readonly paths: string[]; readonly told: string } {
  try {
    parseCredentialSecret(type, input, path);
  } catch (error) {
    if (!isSealdeskError(error, 'VALIDATION_FAILED')) throw error;
    const told = JSON.stringify([error.message, error.details, error.cause, error.stack]);
    return { paths: (error.details.fields ?? []).map((field) => field.path), told };
  }
  throw new Error('it was accepted');
}

const valid = {
  oauth2_token: {
    access_token: 'gErypPlm4dOVgGRvA1ZzMH5MQ3nLo8bo',
    refresh_token: 'af3t24',
    expires_at: '2026-10-01T12:00:00Z',
    refresh_expires_at: '2026-12-01T12:00:00+01:00',
    client_id: 'acme_gw',
    client_secret: 's3cr3t',
    scope: 'read tickets:write',
  },
  oauth2_client: { client_id: 'acme gw', client_secret: 's3cr3t', scope: 'read' },
  basic_auth: { username: 'agent@example.com', password: '6wiIBWbGkBMo1mRDMuVwkw1EPsNkeUj95PIz2akv' },
  api_key: { api_key: 'k-123' },
} as const;

describe('a credential', () => {
  it.each(CREDENTIAL_TYPES)('of type %s is taken as it is', (type) => {
    expect(isCredentialType(type)).toBe(true);
    expect(parseCredentialSecret(type, valid[type])).toEqual({ type, ...valid[type] });
  });

  it('of type oauth2_token needs no more than the token, and a client where it has a refresh_token', () => {
    expect(parseCredentialSecret('oauth2_token', { access_token: 'a' })).toEqual({
      type: 'oauth2_token',
      access_token: 'a',
    });
    expect(refusal('oauth2_token', { access_token: 'a', refresh_token: 'b' }).paths).toEqual(['client_id']);
    const endless = { access_token: 'a', refresh_expires_at: '2026-10-01T12:00:00Z' };
    expect(refusal('oauth2_token', endless).paths).toEqual(['refresh_token']);
    const vague = { ...valid.oauth2_token, refresh_expires_at: 'in a month' };
    expect(refusal('oauth2_token', vague).paths).toEqual(['refresh_expires_at']);
  });

  it('that somebody gives is never said to be of the client of the installation', () => {
    for (const client_source of ['INSTALLATION', 'TENANT', null]) {
      const { paths } = refusal('oauth2_token', { ...valid.oauth2_token, client_source }, 'secret');
      expect(paths).toEqual(['secret.client_source']);
    }
  });

  it('names the user by his e-mail address, without the suffix that the gateway adds', () => {
    const { paths, told } = refusal('basic_auth', { ...valid.basic_auth, username: 'a@example.com/token' });
    expect(paths).toEqual(['username']);
    expect(told).toContain('/token is added by the gateway');
    for (const username of [
      'agent',
      'a@example.com:x',
      'a b@example.com',
      `${'a'.repeat(250)}@example.com`,
    ]) {
      expect(refusal('basic_auth', { ...valid.basic_auth, username }).paths).toContain('username');
    }
  });

  const missing: [string, Record<string, string>, string[]][] = [
    ['oauth2_token', {}, ['access_token']],
    ['oauth2_client', {}, ['client_id', 'client_secret']],
    ['basic_auth', {}, ['username', 'password']],
    ['api_key', {}, ['api_key']],
  ];
  it.each(missing)('of type %s is refused without what it needs', (type, input, paths) => {
    expect(refusal(type, input).paths).toEqual(paths);
    expect(refusal(type, input, 'secret').paths).toEqual(paths.map((path) => `secret.${path}`));
  });

  const damaged: [string, unknown][] = [
    ['a line break', 'a\r\nX-Injected: 1'],
    ['a space', 'a b'],
    ['a NUL', 'a\0b'],
    ['a letter beyond ASCII', 'é'],
    ['nothing', ''],
    ['too much', 'a'.repeat(8_193)],
    ['a number', 12],
    ['null', null],
    ['a list', ['a']],
  ];
  it.each(damaged)('is refused where its token holds %s', (_, access_token) => {
    expect(refusal('oauth2_token', { access_token }).paths).toContain('access_token');
  });

  it.each(['yesterday', '2026-10-01', '2026-10-01T12:00:00'])('does not expire "%s"', (expires_at) => {
    expect(refusal('oauth2_token', { access_token: 'a', expires_at }).paths).toEqual(['expires_at']);
  });

  it.each([null, undefined, 'text', 1, []])('is an object, not %j', (input) => {
    expect(refusal('api_key', input).paths).toEqual(['']);
  });

  it.each(['password', 'OAUTH2_TOKEN', '__proto__', 'toString', null, 7])('has no type %j', (type) => {
    expect(isCredentialType(type)).toBe(false);
    expect(refusal(type, {}).paths).toEqual(['type']);
  });

  it('is refused without a word of what was sent', () => {
    const secret = 'SENTINEL-7f3a';
    const inputs: [string, unknown][] = [
      ['api_key', { api_key: `${secret} with a space` }],
      ['api_key', { api_key: 'k', [secret]: 1 }],
      ['api_key', { api_key: 'k', more: { [secret]: secret } }],
      ['api_key', secret],
      [secret, {}],
      ['basic_auth', { username: secret, password: `${secret}\n` }],
      ['oauth2_token', { access_token: 'a', expires_at: secret }],
      ['oauth2_token', JSON.parse(`{"access_token":"a","__proto__":"${secret}"}`)],
    ];
    for (const [type, input] of inputs) expect(refusal(type, input).told).not.toContain('SENTINEL');
  });

  it('warns of the end of API tokens, and of nothing else', () => {
    expect(credentialWarning('basic_auth')).toContain('2027-04-30');
    for (const type of ['oauth2_token', 'oauth2_client', 'api_key'] as const) {
      expect(credentialWarning(type)).toBeNull();
    }
  });
});
