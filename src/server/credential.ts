/** With what a request wants to log in. What it proves is not asked here. */
import { bearerOf } from './incoming.ts';

const MAX_API_KEY_CHARACTERS = 512;

/** CONFLICTING: a login token and something else beside it, of which neither is taken. */
export type Credential =
  | { readonly kind: 'API_KEY'; readonly text: string }
  | { readonly kind: 'LOGIN_TOKEN'; readonly text: string }
  | { readonly kind: 'CONFLICTING' };

/** What the headers `X-API-Key` and `Authorization` hold, `null` without either. */
export function credentialOf(headers: Headers): Credential | null {
  const apiKey = headers.get('x-api-key');
  return oneOf([apiKey === null ? null : toApiKey(apiKey), toCredential(bearerOf(headers))]);
}

/** What `connection_init` holds in its members `apiKey` and `token`, `null` without either. */
export function credentialOfPayload(payload: Readonly<Record<string, unknown>>): Credential | null {
  const { apiKey, token } = payload;
  return oneOf([
    apiKey === undefined ? null : toApiKey(apiKey),
    token === undefined ? null : { kind: 'LOGIN_TOKEN', text: typeof token === 'string' ? token : '' },
  ]);
}

/** The one that is there. The same API key twice is one; two of them are refused as any wrong one. */
export function oneOf(credentials: readonly (Credential | null)[]): Credential | null {
  const [first = null, ...others] = credentials.filter((one) => one !== null);
  if (first === null || others.length === 0) return first;
  if (first.kind !== 'API_KEY' || !others.every((other) => other.kind === 'API_KEY')) {
    return { kind: 'CONFLICTING' };
  }
  return others.every(({ text }) => text === first.text) ? first : toApiKey('');
}

/** A token has points between its parts, and an API key has none. */
function toCredential(bearer: string | null): Credential | null {
  if (bearer === null) return null;
  return bearer.includes('.') ? { kind: 'LOGIN_TOKEN', text: bearer } : toApiKey(bearer);
}

/** One that is no text, or of absurd length, is refused as any wrong one. */
function toApiKey(key: unknown): Credential {
  const isPlausible = typeof key === 'string' && key.length <= MAX_API_KEY_CHARACTERS;
  return { kind: 'API_KEY', text: isPlausible ? key : '' };
}
