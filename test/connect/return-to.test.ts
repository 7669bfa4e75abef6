/** Where the page at the end may link to. The oracle is what a browser makes of the text: the origin that it goes to. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReturnTo, withEnding } from '../../src/service/connect/return-to.ts';

const OWN = 'https://gateway.example.com';
const LISTED = 'https://app.example.com';
const ORIGINS = { publicUrl: OWN, returnOrigins: [LISTED, 'http://localhost:3000'] };

/** The URL that is linked to, `null` where the text is refused. */
function linkOf(text: string): string | null {
  try {
    return parseReturnTo(text, ORIGINS);
  } catch {
    return null;
  }
}

describe('returnTo', () => {
  it.each([
    ['/', `${OWN}/`],
    ['/settings?a=1#b', `${OWN}/settings?a=1#b`],
    [OWN, `${OWN}/`],
    [`${LISTED}/x?y=https://evil.example`, `${LISTED}/x?y=https://evil.example`],
    ['HTTPS://APP.EXAMPLE.COM/x', `${LISTED}/x`],
    ['https://app.example.com:443/x', `${LISTED}/x`],
    ['http://localhost:3000', 'http://localhost:3000/'],
    ['/@evil.example', `${OWN}/@evil.example`],
  ])('takes %s', (text, link) => {
    expect(linkOf(text)).toBe(link);
  });

  it.each([
    '',
    'settings',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '\t//evil.example',
    '/\n/evil.example',
    ' https://app.example.com',
    'https:/app.example.com',
    'https:app.example.com',
    'https:\\\\app.example.com',
    'https://evil.example',
    'https://app.example.com.evil.example',
    'https://app.example.com@evil.example',
    'https://evil.example@app.example.com',
    'https://app.example.com:password@evil.example',
    'https://app.example.com\\@evil.example',
    'https://app.example.com:8443/',
    'http://app.example.com/',
    'http://localhost:3001/',
    'https://app.example.com./',
    'https://аpp.example.com/',
    'https://app。example.com/',
    'https://xn--pp-7cd.example.com/',
    'https://app.example.com%2eevil.example/',
    'https://app.example.com%00.evil.example/',
    'javascript:alert(1)',
    'JavaScript://app.example.com/%0aalert(1)',
    'data:text/html,x',
    'blob:https://app.example.com/x',
    'file:///etc/passwd',
    'https://',
    'https://[::1]/',
    `/${'x'.repeat(2_048)}`,
  ])('refuses %j', (text) => {
    expect(linkOf(text)).toBeNull();
  });

  it('never links to another origin, whatever is sent', () => {
    const allowed = [OWN, ...ORIGINS.returnOrigins];
    const piece = fc.constantFrom(
      ...['/', '\\', ':', '@', '?', '#', '.', '%2f', '%5c', '\t', '\n', '\0', ' ', '//', 'https:', 'http:'],
      ...['javascript:', 'evil.example', 'app.example.com', 'gateway.example.com', 'localhost', '3000', 'x'],
      ...['‮', 'а', '。', '／', '＠'],
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join('')),
        (text) => {
          const link = linkOf(text);
          if (link === null) return;
          const url = new URL(link);
          // As it stands in an `href` on a page of the gateway, and as it was sent.
          for (const seen of [url, new URL(link, OWN), new URL(text, OWN)]) {
            expect(allowed).toContain(seen.origin);
            expect(seen.username + seen.password).toBe('');
          }
          expect(link).toMatch(/^https?:\/\/[\x21-\x7e]+$/);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('carries how it ended, and nothing that was there under that name', () => {
    const link = parseReturnTo(`${LISTED}/x?a=1&connected=int_forged&connect_error=X#top`, ORIGINS);
    expect(withEnding(link, 'connected', 'int_1')).toBe(`${LISTED}/x?a=1&connected=int_1#top`);
    expect(withEnding(link, 'connect_error', 'ACCESS_DENIED')).toBe(
      `${LISTED}/x?a=1&connect_error=ACCESS_DENIED#top`,
    );
  });
});
