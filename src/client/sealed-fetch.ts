/**
 * `fetch` whose answers come sealed. Each request carries a fresh nonce and the recipient; each answer is
 * opened and held against this very request (nonce, hash of the body, method and path), so that an answer
 * to another request, an old one, or one to another key is refused. The caller sees an ordinary Response.
 *
 * Not authenticated: the status, `retry-after`, and a failure that the gateway answers in the clear
 * because it has nobody to seal to (see `plain-answer.ts`). They can be forged by whoever breaks TLS; data
 * cannot.
 */
import { type Bytes, encodeBase64Url, encodeUtf8, parseUtf8 } from '../base/index.ts';
import { ENVELOPE_LIMITS, EnvelopeOpenError, type OpenedEnvelope, type Purpose } from '../envelope/index.ts';
import type { WelcomedClientKey } from './client-key.ts';
import {
  clearHttpMessage,
  GATEWAY_LIMITS,
  GatewayAnswerError,
  gatewayAddress,
  isConfidential,
  readBody,
  TOO_LONG,
} from './gateway-transport.ts';
import { createKeyLogin, type KeyLogin, type LoginOptions } from './key-login.ts';
import { KeyOpener, type SuccessionOptions, tellsOfRefusedKey } from './key-opener.ts';
import type { Expectation } from './pinned-opener.ts';
import { parseGraphqlFailure, parseRestFailure } from './plain-answer.ts';

/** Headers of a Response that was sealed. */
export const SEALED_HEADERS = Object.freeze({
  /** `aud_…`: the entry of the audit log that this answer is. */
  auditEventId: 'x-sealdesk-audit-event-id',
  /** SHA-256 of the transcript, base64url: the receipt to hold against the audit log. */
  transcript: 'x-sealdesk-transcript-sha256',
});

export interface SealedFetchOptions extends SuccessionOptions, LoginOptions {}

const SEALED_TYPE = 'application/vnd.sealdesk.envelope+json';
const GRAPHQL_TYPE = 'application/graphql-response+json';
const JSON_TYPE = 'application/json';
const ACCEPT = `${SEALED_TYPE}, ${GRAPHQL_TYPE};q=0.9, ${JSON_TYPE};q=0.8`;
const NONCE_BYTES = 32;

/** Paths of a gateway that answer sealed, below its address. */
const ROUTES: ReadonlyMap<string, { readonly purposes: readonly Exclude<Purpose, 'key.welcome'>[] }> =
  new Map([
    ['/graphql', { purposes: ['graphql.result'] }],
    ['/api/v2/proxy/outbound', { purposes: ['proxy.result', 'proxy.error'] }],
  ]);

/** A request, judged: where it goes and what its answer must say. */
interface Call {
  readonly request: Request;
  readonly path: string;
  readonly body: Bytes;
  readonly nonce: string;
  readonly expected: Expectation;
}

/**
 * A drop-in for `fetch`, for the gateway that `key` belongs to: Apollo Client, urql, graphql-request and
 * Relay take it and see plain typed data. Takes what `fetch` takes; POST to `/graphql` and
 * `/api/v2/proxy/outbound` only, else TypeError before anything is sent. Rejects with EnvelopeOpenError
 * for an answer that is not accepted, whatever the cause, GatewayAnswerError for one that is neither an
 * envelope nor a failure, the reason of an aborted signal, and what `fetch` itself rejects with.
 */
export function sealedFetch(key: WelcomedClientKey, options: SealedFetchOptions = {}): typeof fetch {
  const opener = new KeyOpener(key, options);
  return createSealedFetch(opener, options, createKeyLogin(opener, options));
}

/** {@link sealedFetch} over an opener and a login that others use too. */
export function createSealedFetch(
  opener: KeyOpener,
  options: SealedFetchOptions,
  login: KeyLogin | null,
): typeof fetch {
  const { url = opener.key.gateway, insecureHttp = false, apiKey } = options;
  const base = gatewayAddress(url, '.');
  const send = async (call: Call): Promise<Answer> => {
    const { fetch = globalThis.fetch } = options;
    const { key } = opener;
    const { request, path, body, nonce } = call;
    const headers = new Headers(request.headers);
    headers.set('accept', ACCEPT);
    headers.set('x-sealdesk-key', key.keyId);
    headers.set('x-sealdesk-nonce', nonce);
    if (apiKey !== undefined) headers.set('x-api-key', apiKey);
    // A caller who logs in by headers of its own has chosen so.
    if (login !== null && !headers.has('x-api-key') && !headers.has('authorization')) {
      headers.set(
        'authorization',
        `Bearer ${await login({ method: 'POST', path: path.slice(1), body }, key)}`,
      );
    }
    const { credentials, keepalive, mode, referrerPolicy, signal } = request;
    const response = await fetch(request.url, {
      ...{ method: 'POST', headers, body, redirect: 'error', cache: 'no-store' },
      ...{ credentials, keepalive, mode, referrerPolicy, signal },
    });
    const answer = await readAnswer(opener, call, response);
    signal.throwIfAborted();
    return answer;
  };
  return async (input, init) => {
    const call = await prepareCall(opener, base, new Request(input, init));
    if (!insecureHttp && !isConfidential(base)) throw new TypeError(clearHttpMessage(base));
    const used = opener.key.keyId;
    const answer = await send(call);
    if (!answer.isKeyRefused || opener.other === null) return answer.response;
    // Another call may have turned meanwhile.
    if (opener.key.keyId === used) opener.turn();
    const again = await send(await withNonce(opener, call));
    if (!again.isKeyRefused) return again.response;
    if (opener.key.keyId !== used) opener.turn();
    return answer.response;
  };
}

/** Judges `request` before anything is sent. Throws TypeError for what can have no sealed answer here. */
async function prepareCall(opener: KeyOpener, base: URL, request: Request): Promise<Call> {
  const { origin, pathname } = new URL(request.url);
  if (origin !== base.origin || !pathname.startsWith(base.pathname)) {
    throw new TypeError(
      `sealedFetch speaks to ${base.href} only, got ${origin}${pathname}: pass that gateway's address as "url"`,
    );
  }
  // A gateway behind a prefix is asked without it, and so is what it signs.
  const path = pathname.slice(base.pathname.length - 1);
  const route = ROUTES.get(path);
  if (route === undefined || request.method !== 'POST') {
    const known = [...ROUTES.keys()].map((name) => `POST ${name}`).join(' and ');
    throw new TypeError(`sealedFetch sends ${known} only, got ${request.method} ${path}`);
  }
  if (request.headers.has('content-encoding')) {
    throw new TypeError('sealedFetch sends bodies as they are: leave out "content-encoding"');
  }
  const suite = await opener.suite();
  const body = new Uint8Array(await request.arrayBuffer());
  const expected: Expectation = {
    purposes: route.purposes,
    request_target: `POST ${path}`,
    request_sha256: encodeBase64Url(await suite.sha256(body)),
  };
  return withNonce(opener, { request, path, body, nonce: '', expected });
}

/** The call to be sent anew, with a nonce of its own. */
async function withNonce(opener: KeyOpener, call: Call): Promise<Call> {
  const nonce = encodeBase64Url((await opener.suite()).randomBytes(NONCE_BYTES));
  return { ...call, nonce, expected: { ...call.expected, client_nonce: nonce } };
}

/** A status that a Response with a body can have and that is an answer of a gateway. */
function assertAnswered({ status }: Response): void {
  if (status === 200 || (status >= 400 && status <= 599)) return;
  throw new GatewayAnswerError(`The gateway gave no answer that can be used (HTTP ${status}).`);
}

/** An answer, and whether it says that nothing is sealed to the key that was named, and that nothing was done. */
interface Answer {
  readonly response: Response;
  readonly isKeyRefused: boolean;
}

async function readAnswer(opener: KeyOpener, call: Call, response: Response): Promise<Answer> {
  assertAnswered(response);
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  const bytes = await readBody(response, ENVELOPE_LIMITS.maxText);
  const value = parseAnswer(bytes, response.status);
  // REST answers an envelope as plain JSON, too.
  if (type !== SEALED_TYPE && !isEnvelope(value)) {
    if (bytes.length > GATEWAY_LIMITS.maxAnswer) throw new GatewayAnswerError(TOO_LONG);
    return failureResponse(call, response, value);
  }
  const opened = await opener.open(value, call.expected, call.request.signal);
  return { response: sealedResponse(call, response, opened), isKeyRefused: false };
}

const isEnvelope = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'encrypted');

function parseAnswer(bytes: Bytes, status: number): unknown {
  try {
    return JSON.parse(parseUtf8(bytes) ?? '');
  } catch {
    throw new GatewayAnswerError(`The gateway did not answer in JSON (HTTP ${status}).`);
  }
}

/** What the caller sees of a GraphQL answer: the media type it asked for. */
function graphqlType({ headers }: Request): string {
  const accept = headers.get('accept') ?? '*/*';
  return accept.includes(JSON_TYPE) && !accept.includes(GRAPHQL_TYPE) ? JSON_TYPE : GRAPHQL_TYPE;
}

function createResponse(
  response: Response,
  body: Bytes,
  contentType: string,
  more: Readonly<Record<string, string>>,
): Response {
  const retryAfter = response.headers.get('retry-after');
  const headers = { 'content-type': contentType, 'cache-control': 'no-store', ...more };
  return new Response(body, {
    status: response.status,
    headers: retryAfter === null ? headers : { ...headers, 'retry-after': retryAfter },
  });
}

function sealedResponse(call: Call, response: Response, opened: OpenedEnvelope): Response {
  const { header, plaintext, transcriptSha256 } = opened;
  // What is sealed is signed, the status is not: where both say whether the call failed, they must agree.
  const agrees =
    header.purpose === 'graphql.result'
      ? response.ok || !hasData(plaintext)
      : response.ok === (header.purpose === 'proxy.result');
  if (!agrees) throw new EnvelopeOpenError();
  const type = header.purpose === 'graphql.result' ? graphqlType(call.request) : header.content_type;
  return createResponse(response, plaintext, type, {
    [SEALED_HEADERS.auditEventId]: header.audit_event_id,
    [SEALED_HEADERS.transcript]: transcriptSha256,
  });
}

/** Whether an execution result holds anything that was asked for; the gateway then answers 200. */
function hasData(result: Bytes): boolean {
  const { data } = Object(JSON.parse(parseUtf8(result) ?? 'null'));
  return typeof data === 'object' && data !== null && Object.values(data).some((value) => value !== null);
}

function failureResponse(call: Call, response: Response, value: unknown): Answer {
  const isGraphql = call.path === '/graphql';
  const failure = isGraphql ? parseGraphqlFailure(value) : parseRestFailure(value);
  const type = isGraphql ? graphqlType(call.request) : JSON_TYPE;
  return {
    response: createResponse(response, encodeUtf8(JSON.stringify(failure)), type, {}),
    isKeyRefused: isKeyRefused(failure),
  };
}

/** A change that may have been made is not sent again, whatever its failure says of the key. */
function isKeyRefused(failure: Readonly<Record<string, unknown>>): boolean {
  const told = Object(failure['error'] ?? Object(failure['errors'])[0]);
  const details = Object(told.extensions ?? told.details);
  const code = details.code ?? told.code;
  const isSettled = details.mutation === undefined || details.mutation === 'NOT_SENT';
  return tellsOfRefusedKey(code) && isSettled;
}
