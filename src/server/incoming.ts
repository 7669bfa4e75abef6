/** A request as it reached the gateway, read once: the transport's part of a call. */
import { createHash } from 'node:crypto';
import { type Bytes, createUuid, encodeBase64Url, parseBase64Url, SealdeskError } from '../base/index.ts';

/** Accepting this type asks for GraphQL answers, and by REST for errors of Zendesk, sealed to the caller's key. */
export const SEALED_MEDIA_TYPE = 'application/vnd.sealdesk.envelope+json';

const NONCE_BYTES = { least: 16, most: 64 } as const;
/** RFC 9110 §12.4.2. */
const NO_WEIGHT = /^q\s*=\s*0(?:\.0{0,3})?$/;
const BEARER = /^Bearer +(\S+)$/i;

export interface Incoming {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  /** What follows `?`, undecoded; it may hold secrets. */
  readonly query: string;
  readonly headers: Headers;
  readonly body: Bytes;
  readonly ip: string | null;
  readonly requestId: string;
  readonly requestSha256: string;
  /** Why the body was not read, `null` where it was. */
  readonly refusal: SealdeskError | null;
  readonly signal: AbortSignal;
}

export interface IncomingParts {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: Bytes;
  readonly ip: string | null;
  readonly refusal?: SealdeskError | null;
  readonly signal: AbortSignal;
}

/** The snapshot of a request. The request id is the gateway's own; callers cannot choose it. */
export function createIncoming(parts: IncomingParts): Incoming {
  const url = URL.parse(parts.url, 'http://gateway.invalid');
  return Object.freeze({
    method: parts.method,
    path: url?.pathname ?? '/',
    query: url?.search.slice(1) ?? '',
    headers: parts.headers,
    body: parts.body,
    ip: parts.ip,
    // Sorted by time: the index of the log by request grows at its end.
    requestId: createUuid(),
    requestSha256: encodeBase64Url(createHash('sha256').update(parts.body).digest()),
    refusal: parts.refusal ?? null,
    signal: parts.signal,
  });
}

/** The bearer token that was sent, `null` without the header, empty where that is something else. */
export function bearerOf(headers: Headers): string | null {
  const authorization = headers.get('authorization');
  return authorization === null ? null : (BEARER.exec(authorization)?.[1] ?? '');
}

/** Header `X-Sealdesk-Nonce`, or VALIDATION_FAILED where it is not 16 to 64 bytes of base64url. */
export function clientNonceOf(headers: Headers): string | null {
  const nonce = headers.get('x-sealdesk-nonce');
  if (nonce === null) return null;
  const length = parseBase64Url(nonce)?.length ?? 0;
  if (length < NONCE_BYTES.least || length > NONCE_BYTES.most) {
    throw new SealdeskError(
      'VALIDATION_FAILED',
      'X-Sealdesk-Nonce must be 16 to 64 bytes as unpadded base64url.',
      {
        fields: [{ path: 'X-Sealdesk-Nonce', message: 'must be 16 to 64 bytes as unpadded base64url' }],
      },
    );
  }
  return nonce;
}

/** Whether the caller accepts {@link SEALED_MEDIA_TYPE}; with a weight of 0 it says that it does not. */
export function acceptsSealed(headers: Headers): boolean {
  return accepts(headers, SEALED_MEDIA_TYPE);
}

/** Whether the caller accepts `mediaType` by its name. */
export function accepts(headers: Headers, mediaType: string): boolean {
  return (headers.get('accept') ?? '').split(',').some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return type === mediaType && !parameters.some((parameter) => NO_WEIGHT.test(parameter));
  });
}
