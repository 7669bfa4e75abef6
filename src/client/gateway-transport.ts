/**
 * What every way to a gateway shares: no redirect and no clear http, bodies read up to a limit. Trusts TLS
 * and `fetch` for the way there. Redirects are refused, since they would carry the API key elsewhere, and
 * so is clear http but to this machine, where anybody on the way could read it.
 */
import { type Bytes, concatBytes } from '../base/index.ts';

export const GATEWAY_LIMITS = Object.freeze({
  /** Bytes of an answer that is not sealed. */
  maxAnswer: 512 * 1024,
  timeoutMilliseconds: 30_000,
  /** Characters of an error's text. */
  maxMessage: 500,
});

/** The gateway gave no answer that can be used: no JSON, no data, or an error without a known code. */
export class GatewayAnswerError extends Error {
  override readonly name = 'GatewayAnswerError';
  readonly code = 'GATEWAY_ANSWER';
}

export const TOO_LONG = 'The answer of the gateway is too long.';

/** Host names, as `URL` normalises them, that never leave this machine. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether what is sent to `url` can be read by nobody on the way. */
export function isConfidential(url: URL): boolean {
  return url.protocol === 'https:' || LOOPBACK.test(url.hostname);
}

export function clearHttpMessage(url: URL): string {
  return `Nothing was sent: ${url.origin} would get API keys and confirmations in the clear. Use https, or allow it with insecureHttp (on the command line --insecure-http).`;
}

/** The address of `path` at `gateway`, whether that ends with a slash or not. */
export function gatewayAddress(gateway: string, path: string): URL {
  return new URL(path, gateway.endsWith('/') ? gateway : `${gateway}/`);
}

/** A body up to `limit` bytes, never the whole of a larger one. By reader: not every browser iterates streams. */
export async function readBody(response: Response, limit: number): Promise<Bytes> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    length += part.value.length;
    if (length > limit) {
      await reader?.cancel();
      throw new GatewayAnswerError(TOO_LONG);
    }
    parts.push(part.value);
  }
  return concatBytes(...parts);
}

/** `promise`, or the reason of `signal` as soon as it is aborted. What was started runs on unheard. */
export async function untilAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
