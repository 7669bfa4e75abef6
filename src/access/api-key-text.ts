/**
 * The text of an API key: `sd_live_{id}_{secret}`, where id is the 26 characters after `api_` of the
 * key's id and secret is 256 random bits as 43 characters of base64url. The alphabet of the secret
 * contains the separator, so the parts are found by their places.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Bytes, encodeBase64Url, ID_PREFIXES, isId, parseBase64Url } from '../base/index.ts';

const PREFIX = 'sd_live_';
const ID_PREFIX = `${ID_PREFIXES.apiKey}_`;
const ID_LENGTH = 26;
const SECRET_SIZE = 32;
const SECRET_AT = PREFIX.length + ID_LENGTH + 1;

export interface ApiKeySecret {
  /** What the caller gets, once. */
  readonly text: string;
  /** What is stored. A plain hash suffices, since the secret is 256 random bits. */
  readonly secretSha256: Bytes;
}

/** A new secret for the API key `apiKeyId`. */
export function createApiKeySecret(apiKeyId: string): ApiKeySecret {
  if (!isId('apiKey', apiKeyId)) throw new TypeError('"apiKeyId" must be the id of an API key');
  const secret = randomBytes(SECRET_SIZE);
  try {
    const text = `${PREFIX}${apiKeyId.slice(ID_PREFIX.length)}_${encodeBase64Url(secret)}`;
    return { text, secretSha256: hashSecret(secret) };
  } finally {
    secret.fill(0);
  }
}

/** The id and the hash of the secret that `text` holds, or `null` where it is not the text of an API key. */
export function parseApiKey(
  text: string,
): { readonly apiKeyId: string; readonly secretSha256: Bytes } | null {
  if (!text.startsWith(PREFIX) || text[SECRET_AT - 1] !== '_') return null;
  const apiKeyId = ID_PREFIX + text.slice(PREFIX.length, PREFIX.length + ID_LENGTH);
  if (!isId('apiKey', apiKeyId)) return null;
  const secret = parseBase64Url(text.slice(SECRET_AT));
  if (secret === null || secret.length !== SECRET_SIZE) return null;
  return { apiKeyId, secretSha256: hashSecret(secret) };
}

function hashSecret(secret: Uint8Array): Bytes {
  return Uint8Array.from(createHash('sha256').update(secret).digest());
}
