/** The token of a key-signed login: its form, what it is meant for, and its signature against another library's. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { CompactSign, compactVerify, decodeJwt, decodeProtectedHeader, importJWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createId, encodeBase64Url } from '../../src/base/index.ts';
import {
  encodePublicJwk,
  isMeantFor,
  isTimely,
  LOGIN_TOKEN_LIMITS,
  type LoginClaims,
  ML_DSA_65,
  normalizeTargetUri,
  parseLoginToken,
  type SigningKey,
  signLoginToken,
} from '../../src/envelope/index.ts';
import { createWebCryptoSuite } from '../../src/envelope/webcrypto.ts';
import { syncSuites } from './envelope-fixture.ts';

const [suite] = syncSuites;
const SEED = new Uint8Array(32).fill(7);
const VECTOR: {
  readonly header: object;
  readonly token: string;
  readonly claims: LoginClaims;
  readonly jwk: { readonly priv: string };
} = JSON.parse(readFileSync(new URL('../vectors/login-token-v1.json', import.meta.url), 'utf8'));

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const word = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const claims: fc.Arbitrary<LoginClaims> = fc
  .record({
    iss: fc.integer({ min: 0, max: 2 ** 42 }).map((now) => createId('clientKey', now)),
    aud: word.map((host) => `https://${host}.example`),
    iat: fc.integer({ min: 0, max: 4_000_000_000 }),
    lifetime: fc.integer({ min: 1, max: LOGIN_TOKEN_LIMITS.maxLifetime }),
    jti: bytes(LOGIN_TOKEN_LIMITS.jti).map(encodeBase64Url),
    path: word,
    hash: fc.option(bytes(32).map(encodeBase64Url), { nil: undefined }),
  })
  .map(({ iss, aud, iat, lifetime, jti, path, hash }) => ({
    ...{ iss, sub: iss, aud, iat, exp: iat + lifetime, jti, htu: `${aud}/${path}` },
    ...(hash === undefined ? { htm: 'GET' } : { htm: 'POST', body_sha256: hash }),
  }));

const publicJwkOf = ({ kid, publicKey }: SigningKey) =>
  encodePublicJwk({ alg: ML_DSA_65.alg, kid, publicKey });
const privateJwk = { ...publicJwkOf(suite.importSigningKey(SEED)), priv: encodeBase64Url(SEED) };

describe('a login token', () => {
  it('survives encoding and parsing, whatever it says', async () => {
    const key = suite.importSigningKey(SEED);
    await fc.assert(
      fc.asyncProperty(claims, async (said) => {
        expect(parseLoginToken(await signLoginToken(key, said))).toEqual({ kid: key.kid, claims: said });
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ...syncSuites,
    createWebCryptoSuite(),
  ])('made by $name is verified by another library', async (made) => {
    const key = await made.importSigningKey(SEED);
    const [said] = fc.sample(claims, 1);
    const token = await signLoginToken(key, said as LoginClaims);
    const { protectedHeader } = await compactVerify(token, await importJWK(publicJwkOf(key)));
    expect(protectedHeader).toEqual({ alg: 'ML-DSA-65', kid: key.kid, typ: 'JWT' });
    expect(decodeJwt(token)).toEqual(said);
  });

  it('made by another library is taken, its members in any order and its type left out', async () => {
    const key = suite.importSigningKey(SEED);
    const [said] = fc.sample(claims, 1) as [LoginClaims];
    const { iss, sub, aud, iat, exp, jti, ...own } = said;
    const token = await new SignJWT(own)
      .setProtectedHeader({ kid: key.kid, alg: 'ML-DSA-65' })
      .setJti(jti)
      .setExpirationTime(exp)
      .setIssuedAt(iat)
      .setAudience(aud)
      .setSubject(sub)
      .setIssuer(iss)
      .sign(await importJWK(privateJwk));
    expect(parseLoginToken(token)).toEqual({ kid: key.kid, claims: said });
    const payload = JSON.stringify(said, null, 2).replaceAll('/', '\\/');
    const spaced = await new CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader({ alg: 'ML-DSA-65', kid: key.kid })
      .sign(await importJWK(privateJwk));
    expect(parseLoginToken(spaced)?.claims).toEqual(said);
  });

  it('of the vector is read as it says, and signed by its key', async () => {
    expect(parseLoginToken(VECTOR.token)?.claims).toEqual(VECTOR.claims);
    expect(decodeProtectedHeader(VECTOR.token)).toEqual(VECTOR.header);
    const { priv: _, ...publicJwk } = VECTOR.jwk;
    const { payload } = await compactVerify(VECTOR.token, await importJWK(publicJwk));
    expect(JSON.parse(new TextDecoder().decode(payload))).toEqual(VECTOR.claims);
    expect(isTimely(VECTOR.claims, VECTOR.claims.iat)).toBe(true);
  });

  it('has one encoding: of text that parses each part is what its bytes encode to', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...'AZaz09-_.=+/ \n'), (at, character) => {
        const place = at % VECTOR.token.length;
        const changed = VECTOR.token.slice(0, place) + character + VECTOR.token.slice(place + 1);
        const encoded = changed
          .split('.')
          .map((part) => Buffer.from(part, 'base64url').toString('base64url'));
        expect(parseLoginToken(changed) === null || encoded.join('.') === changed).toBe(true);
      }),
    );
  });

  it('that is any text, JSON or not, is read or refused and throws nothing', () => {
    const part = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .dictionary(fc.constantFrom('alg', 'kid', 'iss', 'exp', '__proto__'), fc.jsonValue())
        .map((value) => JSON.stringify(value)),
    );
    const signature = encodeBase64Url(new Uint8Array(ML_DSA_65.signature));
    fc.assert(
      fc.property(part, part, (header, payload) => {
        const token = [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.');
        expect(parseLoginToken(`${token}.${signature}`)).toBeNull();
      }),
    );
  });

  it('with a member twice is refused, wherever the second stands', () => {
    const [header = '', payload = '', signature = ''] = VECTOR.token.split('.');
    const text = Buffer.from(payload, 'base64url').toString();
    const members = Object.entries(JSON.parse(text)).map((member) =>
      JSON.stringify(Object.fromEntries([member])).slice(1, -1),
    );
    fc.assert(
      fc.property(fc.constantFrom(...members), fc.nat({ max: members.length }), (member, place) => {
        const doubled = `{${members.toSpliced(place, 0, member).join(',')}}`;
        expect(
          parseLoginToken(`${header}.${Buffer.from(doubled).toString('base64url')}.${signature}`),
        ).toBeNull();
      }),
    );
    const once = Buffer.from(`{${members.toReversed().join(' , ')}}`).toString('base64url');
    expect(parseLoginToken(`${header}.${once}.${signature}`)?.claims).toEqual(VECTOR.claims);
  });
});

describe('what a token is meant for', () => {
  it('is one method, target and body of one gateway', () => {
    fc.assert(
      fc.property(claims, (said) => {
        const { aud: audience, htm: method, htu, body_sha256: bodySha256 = 'of nothing' } = said;
        const request = { audience, method, path: htu.slice(audience.length), bodySha256 };
        expect(isMeantFor(said, request)).toBe(true);
        expect(isMeantFor(said, { ...request, audience: `${audience}.test` })).toBe(false);
        expect(isMeantFor(said, { ...request, method: method === 'GET' ? 'POST' : 'GET' })).toBe(false);
        expect(isMeantFor(said, { ...request, path: `${request.path}/more` })).toBe(false);
        expect(isMeantFor(said, { ...request, bodySha256: 'another' })).toBe(method === 'GET');
      }),
    );
  });

  it.each([
    ['https://a.example:443/graphql', 'https://a.example/graphql'],
    ['http://a.example:80/x/../graphql?q#f', 'http://a.example/graphql'],
    ['HTTPS://A.Example/%7euser/%c3%9f', 'https://a.example/~user/%C3%9F'],
    ['https://a.example', 'https://a.example/'],
  ])('%s is %s', (uri, normal) => {
    expect(normalizeTargetUri(uri)).toBe(normal);
    expect(normalizeTargetUri(normal)).toBe(normal);
  });

  it.each([
    'ftp://a.example/graphql',
    'https:a.example/graphql',
    'https:///graphql',
    'https://user:secret@a.example/graphql',
    'https:\\\\a.example\\graphql',
    ' https://a.example/graphql',
    'https://a.example/gra\tphql',
    'https://größe.example/graphql',
    '//a.example/graphql',
    '',
  ])('%j is no target', (uri) => {
    expect(normalizeTargetUri(uri)).toBeNull();
  });
});
