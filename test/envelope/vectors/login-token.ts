/** The vector of a login token, for implementers: a key, what the token says, and the token, signed without hedging. */
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { encodeBase64Url, encodeUtf8 } from '../../../src/base/index.ts';
import { encodePublicJwk, ML_DSA_65 } from '../../../src/envelope/index.ts';
import { syncSuites } from '../envelope-fixture.ts';

const SEED = Uint8Array.from({ length: ML_DSA_65.seed }, (_, index) => index);
const BODY = '{"query":"{ viewer { tenant { id } } }"}';

export function createLoginTokenVector(): object {
  const [suite] = syncSuites;
  const { kid, publicKey } = suite.importSigningKey(SEED);
  const id = 'key_01kaj5p90w07rz800000000001';
  const header = { alg: ML_DSA_65.alg, kid, typ: 'JWT' };
  const claims = {
    ...{ aud: 'https://sealdesk.example.com', body_sha256: encodeBase64Url(suite.sha256(encodeUtf8(BODY))) },
    ...{ exp: 1_765_000_060, htm: 'POST', htu: 'https://sealdesk.example.com/graphql', iat: 1_765_000_000 },
    ...{ iss: id, jti: 'AAECAwQFBgcICQoLDA0ODw', sub: id },
  };
  const input = [header, claims].map((part) => encodeBase64Url(encodeUtf8(JSON.stringify(part)))).join('.');
  const { secretKey } = ml_dsa65.keygen(SEED);
  const signature = ml_dsa65.sign(encodeUtf8(input), secretKey, { extraEntropy: false });
  const token = `${input}.${encodeBase64Url(signature)}`;
  const jwk = { ...encodePublicJwk({ alg: ML_DSA_65.alg, kid, publicKey }), priv: encodeBase64Url(SEED) };
  return { request: { method: 'POST', path: '/graphql', body: BODY }, jwk, header, claims, token };
}
