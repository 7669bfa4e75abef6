/** Client keys that log in by themselves, and their tokens: made here without the SDK's own code for them. */
import { createHash, randomBytes } from 'node:crypto';
import { importKeys, type KeyFile, type WelcomedKeyFile } from '../../src/client/index.ts';
import type { SigningKey } from '../../src/envelope/index.ts';
import type { RestAnswer, SendOptions, TestGateway } from './gateway.ts';
import { dataOf, openTestClientKey, suite } from './tenant.ts';

/** What test gateways call themselves. */
export const PUBLIC_URL = 'http://localhost:4000';

const MAP = `mutation($id: ID!, $login: ClientKeyLoginInput) {
  mapClientKey(keyId: $id, login: $login) { clientKey { id status login { roles allowedOperations } } }
}`;

/** Maps a key that is CONFIRMED, as the holder of `apiKey` would. */
export function mapKey(
  gateway: TestGateway,
  apiKey: string,
  id: string,
  login: object | null,
): Promise<RestAnswer> {
  return gateway.graphql(MAP, { apiKey, variables: { id, login } });
}

/** A client key of the tenant behind `adminKey` that may log in. */
export async function openLoginKey(
  gateway: TestGateway,
  adminKey: string,
  login: object = { roles: ['AGENT'] },
): Promise<WelcomedKeyFile> {
  const keyFile = await openTestClientKey(gateway, adminKey, null);
  dataOf(await mapKey(gateway, adminKey, keyFile.key_id, login));
  return keyFile;
}

/** Of the JSON, members that are `undefined` are left out. */
export interface TokenWish {
  readonly body?: string | Uint8Array;
  /** Milliseconds since 1970. */
  readonly now?: number;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Who signs, where it is not the key itself. */
  readonly signer?: KeyFile;
}

export const base64Url = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url');
export const sha256 = (body: string | Uint8Array): string =>
  createHash('sha256').update(body).digest('base64url');

/** What a good token for `POST /graphql` says, changed by `wish`. */
export function tokenParts(keyFile: WelcomedKeyFile, wish: TokenWish = {}): readonly [object, object] {
  const iat = Math.floor((wish.now ?? Date.now()) / 1000);
  const { key_id: keyId } = keyFile;
  return [
    { alg: 'ML-DSA-65', kid: signerOf(keyFile).kid, typ: 'JWT', ...wish.header },
    {
      ...{ iss: keyId, sub: keyId, aud: PUBLIC_URL, iat, exp: iat + 60 },
      ...{ jti: base64Url(randomBytes(16)), htm: 'POST', htu: `${PUBLIC_URL}/graphql` },
      body_sha256: sha256(wish.body ?? ''),
      ...wish.claims,
    },
  ];
}

/** A token for `POST /graphql` with `body`, changed by `wish`. */
export async function signToken(keyFile: WelcomedKeyFile, wish: TokenWish = {}): Promise<string> {
  const [header, claims] = tokenParts(keyFile, wish);
  return signText(signerOf(wish.signer ?? keyFile), JSON.stringify(header), JSON.stringify(claims));
}

/** A JWS over any two texts. */
export async function signText(signer: SigningKey, header: string, payload: string): Promise<string> {
  const input = `${base64Url(header)}.${base64Url(payload)}`;
  return `${input}.${base64Url(await signer.sign(Buffer.from(input), new Uint8Array(0)))}`;
}

export function signerOf(keyFile: KeyFile): SigningKey {
  return importKeys(suite, keyFile).sig;
}

/** A GraphQL request that the key signs. */
export async function signedGraphql(
  gateway: TestGateway,
  keyFile: WelcomedKeyFile,
  query: string,
  { variables, now, ...options }: SendOptions & { readonly variables?: unknown; readonly now?: number } = {},
): Promise<RestAnswer> {
  const body = JSON.stringify({ query, variables });
  const token = await signToken(keyFile, { body, ...(now === undefined ? {} : { now }) });
  return gateway.send('/graphql', {
    ...options,
    body,
    headers: { ...options.headers, authorization: `Bearer ${token}` },
  });
}
