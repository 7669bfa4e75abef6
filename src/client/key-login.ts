/**
 * Logging in by the client key itself: each request and each connection gets a token of its own, signed for it
 * alone and for a minute (docs/keys.md). It names the gateway by the address in the key's welcome, whichever
 * way the request goes there.
 */
import { type Bytes, encodeBase64Url } from '../base/index.ts';
import { LOGIN_TOKEN_LIMITS, type SigningKey, signLoginToken } from '../envelope/index.ts';
import { openSigning, suiteOf, type WelcomedClientKey } from './client-key.ts';
import { gatewayAddress } from './gateway-transport.ts';
import type { KeyOpener } from './key-opener.ts';

/** SIGNED: by the client key. NONE: not here; a server on the way adds an API key. */
export type LoginMode = 'SIGNED' | 'NONE';

export interface LoginOptions {
  /** Sent as `X-API-Key`, in place of any other login. For servers: an API key has no place in a page. */
  readonly apiKey?: string;
  /** How requests log in that carry no API key. Default SIGNED. */
  readonly login?: LoginMode;
  /** Milliseconds since 1970; `Date.now` where left out. */
  readonly now?: () => number;
}

/** What is asked for: a POST with its exact body, or a GET without one. `path` is below the gateway's address. */
export type LoginTarget =
  | { readonly method: 'POST'; readonly path: string; readonly body: Bytes }
  | { readonly method: 'GET'; readonly path: string };

/** A new token for one request by `key`, one of the opener's; by the one that is in use where left out. */
export type KeyLogin = (target: LoginTarget, key?: WelcomedClientKey) => Promise<string>;

/** The login of the opener's keys, `null` where requests log in otherwise. */
export function createKeyLogin(
  opener: KeyOpener,
  { apiKey, login = 'SIGNED', now = Date.now }: LoginOptions,
): KeyLogin | null {
  if (apiKey !== undefined || login === 'NONE') return null;
  /** By the id of the client key: it and, while one is on its way, its successor. */
  const opened = new Map<string, Promise<SigningKey>>();
  const open = (clientKey: WelcomedClientKey): Promise<SigningKey> => {
    const { keyId } = clientKey;
    const opening =
      opened.get(keyId) ??
      suiteOf(clientKey)
        .then((suite) => openSigning(suite, clientKey))
        .catch((error: unknown) => {
          opened.delete(keyId);
          throw error;
        });
    opened.set(keyId, opening);
    return opening;
  };
  return async (target, clientKey = opener.key) => {
    const { keyId, gateway } = clientKey;
    const [suite, key] = [await opener.suite(), await open(clientKey)];
    const iat = Math.floor(now() / 1000);
    const claims = {
      ...{ iss: keyId, sub: keyId, aud: gateway, iat, exp: iat + LOGIN_TOKEN_LIMITS.maxLifetime },
      jti: encodeBase64Url(suite.randomBytes(LOGIN_TOKEN_LIMITS.jti)),
      htu: gatewayAddress(gateway, target.path).href,
    };
    return target.method === 'GET'
      ? signLoginToken(key, { ...claims, htm: 'GET' })
      : signLoginToken(key, {
          ...claims,
          htm: 'POST',
          body_sha256: encodeBase64Url(await suite.sha256(target.body)),
        });
  };
}
