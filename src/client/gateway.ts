/**
 * The few GraphQL calls that a client key needs of its gateway, answered in the clear. What comes back is
 * measured and checked.
 */
import { isErrorCode, type JsonObject, SealdeskError } from '../base/index.ts';
import {
  clearHttpMessage,
  GATEWAY_LIMITS,
  GatewayAnswerError,
  gatewayAddress,
  isConfidential,
  readBody,
} from './gateway-transport.ts';
import { printableLine } from './printable.ts';

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

/** The member `path` leads to in untrusted JSON, or `undefined`. */
export function pick(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = Reflect.get(current, step);
  }
  return current;
}

/** The first failure in `answer`: the gateway's own by its code, else that it did `what`. */
export function refusalIn(answer: unknown, what: string): Error {
  const code = pick(answer, 'errors', 0, 'extensions', 'code');
  const message = pick(answer, 'errors', 0, 'message');
  const text =
    typeof message === 'string' ? printableLine(message.slice(0, GATEWAY_LIMITS.maxMessage)) : 'no message';
  return isErrorCode(code)
    ? new SealdeskError(code, text)
    : new GatewayAnswerError(`The gateway ${what}: ${text}`);
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
  const timeout = AbortSignal.timeout(GATEWAY_LIMITS.timeoutMilliseconds);
  const url = gatewayAddress(connection.gateway, 'graphql');
  if (connection.insecureHttp !== true && !isConfidential(url)) {
    throw new SealdeskError('VALIDATION_FAILED', clearHttpMessage(url));
  }
  // Called as a function: a browser's own `fetch` refuses to be called as another object's method.
  const { fetch } = connection;
  const response = await fetch(url, {
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
    answer = JSON.parse(new TextDecoder().decode(await readBody(response, GATEWAY_LIMITS.maxAnswer)));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new GatewayAnswerError(`The gateway did not answer in JSON (HTTP ${response.status}).`);
  }
  if (pick(answer, 'errors') !== undefined) throw refusalIn(answer, 'refused the request');
  const data = pick(answer, 'data');
  if (data === undefined || data === null)
    throw new GatewayAnswerError('The answer of the gateway has no data.');
  return data;
}
