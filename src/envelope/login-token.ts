/**
 * The login of a client key, of one request: a JWT (RFC 7519) as JWS in compact form (RFC 7515 §7.1), signed
 * ML-DSA-65 as RFC 9964 has it, without a FIPS 204 context, so that no other signature of the key's can stand for
 * one. It names method, URI and body of its request in the manner of DPoP (RFC 9449 §4.2; the hash of the body is
 * ours), and that it is used once is the gateway's to see.
 *
 * This reads a token and says whether it is meant for a request at a time. Whether it is signed, by whom, and
 * whether it was used is not asked here.
 */
import {
  encodeBase64Url,
  encodeCanonicalJson,
  encodeUtf8,
  isId,
  parseBase64Url,
  parseUtf8,
} from '../base/index.ts';
import { ML_DSA_65 } from './algorithms.ts';
import { isUnixSeconds, parseFlatJson, parseMembers } from './strict-object.ts';
import type { SigningKey } from './suite.ts';
import { isSha256Text } from './thumbprint.ts';

export const LOGIN_TOKEN_LIMITS = Object.freeze({
  /** Characters of a token. */
  maxText: 8192,
  /** Seconds from `iat` to `exp`. */
  maxLifetime: 60,
  /** Seconds by which the clocks of both sides may differ. */
  maxSkew: 30,
  /** Bytes of `jti`. */
  jti: 16,
  /** Characters of `aud` and of `htu`. */
  maxUri: 2048,
} as const);

export type LoginMethod = 'GET' | 'POST';

/** What a token says. Times are Unix seconds. */
export interface LoginClaims {
  /** The id of the client key, twice. */
  readonly iss: string;
  readonly sub: string;
  /** The gateway's public address. */
  readonly aud: string;
  readonly iat: number;
  readonly exp: number;
  /** 128 random bits, base64url. */
  readonly jti: string;
  readonly htm: LoginMethod;
  readonly htu: string;
  /** SHA-256 of the body, base64url: of a POST always, of a GET never. */
  readonly body_sha256?: string;
}

/** A token that is well-formed; nothing of it is proven. */
export interface LoginToken {
  /** Thumbprint of the ML-DSA JWK. */
  readonly kid: string;
  readonly claims: LoginClaims;
}

/** The request that a token came with. */
export interface LoginRequest {
  /** The gateway's public address, without a slash at the end. */
  readonly audience: string;
  readonly method: string;
  /** Path below that address. */
  readonly path: string;
  /** SHA-256 of the exact body, base64url. */
  readonly bodySha256: string;
}

const TYP = 'JWT';
const HEADER_MEMBERS = { required: ['alg', 'kid'], optional: ['typ'] } as const;
const CLAIMS = {
  required: ['iss', 'sub', 'aud', 'iat', 'exp', 'jti', 'htm', 'htu'],
  optional: ['body_sha256'],
} as const;
const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;
/** Characters of RFC 3986 §2: what a parser for the web would mend is no URI. */
const HTTP_URI = /^https?:\/\/[\w.~:?#[\]@!$&'()*+,;=%-][\w.~:/?#[\]@!$&'()*+,;=%-]*$/i;
const ESCAPE = /%[0-9a-f]{2}/gi;
const UNRESERVED = /^[\w.~-]$/;
const NO_CONTEXT = new Uint8Array(0);

/** The token over `claims`, by the key that they name. */
export async function signLoginToken(key: SigningKey, claims: LoginClaims): Promise<string> {
  const header = { alg: ML_DSA_65.alg, kid: key.kid, typ: TYP };
  const input = [header, { ...claims }].map((part) => encodeBase64Url(encodeCanonicalJson(part))).join('.');
  return `${input}.${encodeBase64Url(await key.sign(encodeUtf8(input), NO_CONTEXT))}`;
}

/** The token in untrusted text, or `null` for whatever has another form: any other algorithm, member or encoding. */
export function parseLoginToken(text: string): LoginToken | null {
  if (text.length > LOGIN_TOKEN_LIMITS.maxText) return null;
  const [, header = '', payload = '', signature = ''] = COMPACT.exec(text) ?? [];
  if (parseBase64Url(signature)?.length !== ML_DSA_65.signature) return null;
  const kid = parseHeader(header);
  const claims = kid === null ? null : parseClaims(payload);
  return kid === null || claims === null ? null : Object.freeze({ kid, claims });
}

/** Whether the token is of the present; `now` in Unix seconds. */
export function isTimely({ iat, exp }: LoginClaims, now: number): boolean {
  const { maxSkew } = LOGIN_TOKEN_LIMITS;
  return iat <= now + maxSkew && exp > now - maxSkew;
}

/** Whether the token is meant for `request`. */
export function isMeantFor(
  { aud, htm, htu, body_sha256 }: LoginClaims,
  { audience, method, path, bodySha256 }: LoginRequest,
): boolean {
  const target = normalizeTargetUri(htu);
  return (
    aud === audience &&
    htm === method &&
    target !== null &&
    target === normalizeTargetUri(audience + path) &&
    (htm === 'GET' || body_sha256 === bodySha256)
  );
}

/**
 * `uri` without query and fragment, normalised by syntax and scheme as RFC 9449 §4.3 asks (RFC 3986 §6.2.2 and
 * §6.2.3), or `null` for what is no http URI or names a user.
 */
export function normalizeTargetUri(uri: string): string | null {
  const url = HTTP_URI.test(uri) ? URL.parse(uri) : null;
  if (url === null || url.username !== '' || url.password !== '') return null;
  return url.origin + url.pathname.replace(ESCAPE, normalizeEscape);
}

function normalizeEscape(text: string): string {
  const character = String.fromCharCode(Number.parseInt(text.slice(1), 16));
  return UNRESERVED.test(character) ? character : text.toUpperCase();
}

/** The `kid`. */
function parseHeader(part: string): string | null {
  const { alg, kid, typ = TYP } = parsePart(part, HEADER_MEMBERS) ?? {};
  return alg === ML_DSA_65.alg && typ === TYP && isSha256Text(kid) ? kid : null;
}

function parseClaims(part: string): LoginClaims | null {
  const { iss, sub, aud, iat, exp, jti, htm, htu, body_sha256 } = parsePart(part, CLAIMS) ?? {};
  if (!isId('clientKey', iss) || sub !== iss || !isUri(aud) || !isUri(htu) || !isJti(jti)) return null;
  if (!isUnixSeconds(iat) || !isUnixSeconds(exp)) return null;
  if (exp <= iat || exp - iat > LOGIN_TOKEN_LIMITS.maxLifetime) return null;
  const claims = { iss, sub: iss, aud, iat, exp, jti, htu };
  if (htm === 'GET' && body_sha256 === undefined) return { ...claims, htm };
  return htm === 'POST' && isSha256Text(body_sha256) ? { ...claims, htm, body_sha256 } : null;
}

function parsePart(
  part: string,
  { required, optional }: { readonly required: readonly string[]; readonly optional: readonly string[] },
) {
  const bytes = parseBase64Url(part);
  return parseMembers(parseFlatJson(bytes === null ? null : parseUtf8(bytes)), required, optional);
}

const isUri = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= LOGIN_TOKEN_LIMITS.maxUri;

const isJti = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length === Math.ceil((LOGIN_TOKEN_LIMITS.jti * 4) / 3) &&
  parseBase64Url(value) !== null;
