/** JWK Sets that are no public client key. */
import { encodeBase64Url, type JsonObject, parseBase64Url } from '../../../src/base/index.ts';
import type { PublicJwk } from '../../../src/envelope/index.ts';

/** The base64url of a public key with its first two coefficients replaced (12 bits each, little end first). */
function withCoefficients(jwk: PublicJwk, first: number, second: number): string {
  const bytes = new Uint8Array(parseBase64Url(jwk.pub) ?? []);
  bytes.set([first & 0xff, (first >> 8) | ((second & 0x0f) << 4), second >> 4]);
  return encodeBase64Url(bytes);
}

export function createInvalidJwkSets([kem, sig]: readonly [PublicJwk, PublicJwk]): JsonObject[] {
  const cases: JsonObject[] = [];
  const add = (reason: string, ...keys: JsonObject[]): void => void cases.push({ reason, jwks: { keys } });
  const plainKem = { kty: kem.kty, alg: kem.alg, pub: kem.pub };
  const plainSig = { kty: sig.kty, alg: sig.alg, pub: sig.pub };
  add('there is no key');
  add('the ML-DSA key is missing', plainKem);
  add('the ML-KEM key is missing', plainSig);
  add('the ML-KEM key is there twice', plainKem, plainKem);
  add('the ML-DSA key is there twice', plainSig, plainSig);
  add('there is a third key', plainKem, plainSig, plainSig);
  add('the ML-KEM key has a private member', { ...plainKem, priv: 'A'.repeat(86) }, plainSig);
  add('the ML-DSA key has a private member', plainKem, { ...plainSig, priv: '' });
  add('a private member of another key type', { ...plainKem, d: 'AA' }, plainSig);
  add('a member is unknown', { ...plainKem, use: 'enc' }, plainSig);
  add('kty is another', { ...plainKem, kty: 'OKP' }, plainSig);
  add('alg is another size', { ...plainKem, alg: 'ML-KEM-1024' }, plainSig);
  add('alg is missing', { kty: kem.kty, pub: kem.pub }, plainSig);
  add('the algorithms are exchanged', { ...plainKem, alg: sig.alg }, { ...plainSig, alg: kem.alg });
  add('the ML-KEM key is one byte short', { ...plainKem, pub: kem.pub.slice(0, -2) }, plainSig);
  add('the ML-DSA key is one byte long', plainKem, { ...plainSig, pub: `${sig.pub}A` });
  add('pub is padded', { ...plainKem, pub: `${kem.pub}=` }, plainSig);
  add('pub is in the standard alphabet', { ...plainKem, pub: `+${kem.pub.slice(1)}` }, plainSig);
  add('pub has stray bits in its last character', { ...plainKem, pub: `${kem.pub.slice(0, -1)}_` }, plainSig);
  add('kid is not the thumbprint', { ...plainKem, kid: sig.kid }, plainSig);
  add(
    'the first coefficient is q (FIPS 203 §7.2)',
    { ...plainKem, pub: withCoefficients(kem, 3329, 0) },
    plainSig,
  );
  add(
    'the second coefficient is q (FIPS 203 §7.2)',
    { ...plainKem, pub: withCoefficients(kem, 0, 3329) },
    plainSig,
  );
  add(
    'a coefficient is 4095 (FIPS 203 §7.2)',
    { ...plainKem, pub: withCoefficients(kem, 4095, 0) },
    plainSig,
  );
  cases.push({ reason: 'a member beside keys', jwks: { keys: [plainKem, plainSig], note: '' } });
  cases.push({ reason: 'keys is not a list', jwks: { keys: { 0: plainKem, 1: plainSig } } });
  cases.push({ reason: 'the set is a list', jwks: [plainKem, plainSig] });
  cases.push({ reason: 'a key is null', jwks: { keys: [plainKem, null] } });
  return cases;
}
