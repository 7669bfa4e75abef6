import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SealdeskError } from '../../src/base/index.ts';
import { parseOriginTemplate, parseSubdomain, zendeskOrigin } from '../../src/zendesk/index.ts';

const TRICKS = [
  '',
  ' ',
  '.',
  'acme.',
  '.acme',
  'acme.evil',
  'acme.zendesk.com',
  'acme/',
  'acme\\evil',
  'acme@evil.test',
  'evil.test#',
  'evil.test?',
  'evil.test:443',
  'acme%2eevil',
  '%61cme',
  '-acme',
  'acme-',
  'ACME',
  'acme ',
  ' acme',
  'acme\n',
  'acme\r\nHost: evil.test',
  'acme\u0000',
  'ac\u200bme',
  'аcme',
  'acme。evil',
  'ﬁsh',
  'ａcme',
  '{subdomain}',
  'xn--80ak6aa92e',
  'ac_me',
  '127.0.0.1',
  '[::1]',
  'localhost:4001',
  'a'.repeat(64),
  '$&',
];

describe('a subdomain', () => {
  it.each([
    'a',
    'acme',
    'acme-2',
    '0',
    'a--b',
    'a'.repeat(63),
  ])('is accepted when it is one label: %j', (text) => {
    expect(parseSubdomain(text)).toBe(text);
    expect(zendeskOrigin(text)).toBe(`https://${text}.zendesk.com`);
  });

  it.each(TRICKS)('is refused when it is anything else: %j', (text) => {
    expect(() => parseSubdomain(text)).toThrow(SealdeskError);
    expect(() => zendeskOrigin(text)).toThrow(expect.objectContaining({ code: 'VALIDATION_FAILED' }));
  });

  it.each([
    null,
    undefined,
    1,
    {},
    ['acme'],
    new String('acme'),
  ])('is refused when it is no text: %j', (value) => {
    expect(() => parseSubdomain(value)).toThrow(SealdeskError);
  });

  it('never leads to a host outside zendesk.com, whatever text comes in', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 70 }),
      fc.string({ unit: fc.constantFrom(...'ab9-./@:#?%\\\n \u3002{}[]'), maxLength: 12 }),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        let origin: string;
        try {
          origin = zendeskOrigin(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'VALIDATION_FAILED' });
          return;
        }
        const url = new URL('/api/v2/users/me.json', origin);
        expect(url.host).toBe(`${text}.zendesk.com`);
        expect([url.protocol, url.username, url.password, url.port]).toEqual(['https:', '', '', '']);
      }),
      { numRuns: 2000 },
    );
  });

  it('is not repeated in the error that refuses it', () => {
    const error = (() => {
      try {
        parseSubdomain('hunter2.example');
      } catch (thrown) {
        return thrown as SealdeskError;
      }
      throw new Error('it was expected to fail');
    })();
    expect(JSON.stringify([error.message, error.details])).not.toContain('hunter2');
  });
});

describe('an origin template', () => {
  it.each([
    ['https://{subdomain}.zendesk.com', 'https://acme.zendesk.com'],
    ['https://{subdomain}.zendesk.test:8443', 'https://acme.zendesk.test:8443'],
    ['http://127.0.0.1:4001', 'http://127.0.0.1:4001'],
    ['http://localhost:4001', 'http://localhost:4001'],
    ['http://{subdomain}.localhost:4001', 'http://acme.localhost:4001'],
    ['http://[::1]:4001', 'http://[::1]:4001'],
    ['https://simulator.internal', 'https://simulator.internal'],
  ])('%s gives %s', (template, origin) => {
    expect(zendeskOrigin('acme', template)).toBe(origin);
  });

  it.each([
    '',
    'zendesk.com',
    'http://{subdomain}.zendesk.com',
    'http://10.0.0.1:4001',
    'http://127.0.0.1.evil.test',
    'https://{subdomain}zendesk.com',
    'https://zendesk.com/{subdomain}',
    'https://evil.test@{subdomain}.zendesk.com',
    'https://{subdomain}.{subdomain}.com',
    'https://user:password@zendesk.com',
    'https://{subdomain}.zendesk.com/',
    'https://{subdomain}.zendesk.com/api',
    'https://{subdomain}.zendesk.com?x',
    'https://{subdomain}.zendesk.com#x',
    'https://{subdomain}.ZENDESK.com',
    'ftp://{subdomain}.zendesk.com',
    'file:///etc/hosts',
    `https://{subdomain}.${'a'.repeat(260)}.com`,
  ])('%j is refused at start', (template) => {
    expect(() => parseOriginTemplate(template)).toThrow(RangeError);
  });
});
