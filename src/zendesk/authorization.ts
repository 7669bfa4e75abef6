/**
 * The two forms of the `Authorization` header that Zendesk accepts (zendesk-api §2). A value that
 * cannot be a credential is refused here, by name and never by content.
 */
import { encodeBase64, encodeUtf8, SealdeskError } from '../base/index.ts';

const MAX_EMAIL_LENGTH = 254;
const MAX_TOKEN_LENGTH = 8192;
/** RFC 6750 §2.1, `b64token`. */
const BEARER_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
const EMAIL = /^[^\s:@/\p{Cc}]+@[^\s:@/\p{Cc}]+$/u;
const API_TOKEN = /^[\x21-\x7e]+$/;

/**
 * `Basic` of `{email}/token:{api_token}`: the legacy API token, which Zendesk stops accepting on
 * 2027-04-30. Throws VALIDATION_FAILED for an e-mail address or token that cannot be one.
 */
export function basicAuthorization(email: string, apiToken: string): string {
  const address = email.endsWith('/token') ? email.slice(0, -'/token'.length) : email;
  if (address.length > MAX_EMAIL_LENGTH || !EMAIL.test(address)) {
    throw refused('username', 'must be the e-mail address of the Zendesk user');
  }
  if (apiToken.length > MAX_TOKEN_LENGTH || !API_TOKEN.test(apiToken)) {
    throw refused('password', 'must be a Zendesk API token, without spaces');
  }
  return `Basic ${encodeBase64(encodeUtf8(`${address}/token:${apiToken}`))}`;
}

/** `Bearer` of an OAuth access token (RFC 6750). Throws VALIDATION_FAILED for what cannot be one. */
export function bearerAuthorization(accessToken: string): string {
  if (accessToken.length > MAX_TOKEN_LENGTH || !BEARER_TOKEN.test(accessToken)) {
    throw refused('access_token', 'must be an OAuth access token');
  }
  return `Bearer ${accessToken}`;
}

function refused(path: string, message: string): SealdeskError {
  return new SealdeskError('VALIDATION_FAILED', `The credential's ${path} ${message}.`, {
    fields: [{ path, message }],
  });
}
