/**
 * The few GraphQL calls that a client key needs of its gateway. Trusts TLS and `fetch` for the way
 * there; what comes back is measured and checked. Redirects are refused, since they would carry the
 * API key elsewhere, and so is clear http but to this machine, where anybody on the way could read it.
 */
import { ERROR_CODES, type ErrorCode, type JsonObject, SealdeskError } from '../base/index.ts';
import { printableLine } from './printable.ts';

export const GATEWAY_LIMITS = Object.freeze({
  maxAnswer: 512 * 1024,
  timeoutMilliseconds: 30_000,
  maxMessage: 500,
});

/** The gateway gave no answer that can be used: no JSON, no data, or an error without a known code. */
export class GatewayAnswerError extends Error {
  override readonly name = 'GatewayAnswerError';
  readonly code = 'GATEWAY_ANSWER';
}

export interface GatewayConnection {
  /** Address of the gateway; GraphQL is at its `graphql`. */
  readonly gateway: string;
  readonly fetch: typeof fetch;
  /** Where a login is needed. */
  readonly apiKey?: string;
  readonly signal?: AbortSignal;
  /** Sends over clear http to another machine, too: for networks that are trusted as TLS is. Default `false`. */
  readonly insecureHttp?: boolean;
}

/** Host names, as `URL` normalises them, that never leave this machine. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function assertConfidential(url: URL): void {
  if (url.protocol === 'https:' || LOOPBACK.test(url.hostname)) return;
  throw new SealdeskError(
    'VALIDATION_FAILED',
    `Nothing was sent: ${url.origin} would get API keys and confirmations in the clear. Use https, or allow it with insecureHttp (on the command line --insecure-http).`,
  );
}

const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(ERROR_CODES, code);

/** The member `path` leads to in untrusted JSON, or `undefined`. */
export function pick(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = Reflect.get(current, step);
  }
  return current;
}

/** Reads a body up to the limit, never the whole of a larger one. By reader: not every browser iterates streams. */
async function readText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    length += part.value.length;
    if (length > GATEWAY_LIMITS.maxAnswer) {
      await reader?.cancel();
      throw new GatewayAnswerError('The answer of the gateway is too long.');
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}

function toError(answer: unknown): Error {
  const code = pick(answer, 'errors', 0, 'extensions', 'code');
  const message = pick(answer, 'errors', 0, 'message');
  const text =
    typeof message === 'string' ? printableLine(message.slice(0, GATEWAY_LIMITS.maxMessage)) : 'no message';
  return isErrorCode(code)
    ? new SealdeskError(code, text)
    : new GatewayAnswerError(`The gateway refused the request: ${text}`);
}

/**
 * The `data` of one GraphQL operation. Throws SealdeskError with the gateway's own code and text (one
 * line, safe to show) where it answered with one, VALIDATION_FAILED where the address is clear http to
 * another machine, GatewayAnswerError where its answer cannot be used, and what `fetch` throws where it
 * was not reached.
 */
export async function callGateway(
  connection: GatewayConnection,
  query: string,
  variables: JsonObject,
): Promise<unknown> {
  const base = connection.gateway.endsWith('/') ? connection.gateway : `${connection.gateway}/`;
  const timeout = AbortSignal.timeout(GATEWAY_LIMITS.timeoutMilliseconds);
  const url = new URL('graphql', base);
  if (connection.insecureHttp !== true) assertConfidential(url);
  const response = await connection.fetch(url, {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json, application/json',
      'content-type': 'application/json',
      ...(connection.apiKey === undefined ? {} : { 'x-api-key': connection.apiKey }),
    },
    body: JSON.stringify({ query, variables }),
    redirect: 'error',
    signal: connection.signal === undefined ? timeout : AbortSignal.any([timeout, connection.signal]),
  });
  let answer: unknown;
  try {
    answer = JSON.parse(await readText(response));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new GatewayAnswerError(`The gateway did not answer in JSON (HTTP ${response.status}).`);
  }
  if (pick(answer, 'errors') !== undefined) throw toError(answer);
  const data = pick(answer, 'data');
  if (data === undefined || data === null)
    throw new GatewayAnswerError('The answer of the gateway has no data.');
  return data;
}
