/**
 * One HTTP/1.1 exchange with Zendesk over undici's own Agent: no redirects, no cookies, no proxy
 * from the environment, bounded in time and size. It knows for each failure whether a byte of the
 * request may have left, which is what decides if a change may be sent again. HTTP/2 stays off: its
 * client may send a request a second time by itself.
 */
import { gunzip } from 'node:zlib';
import { Agent, type Dispatcher } from 'undici';
import type { Bytes } from '../base/index.ts';
import type { ResponseHeaders } from './rate-limit-reading.ts';

/** Largest body that is read, in bytes, after decompression too. */
export const MAX_RESPONSE_BYTES = 32 * 1024 * 1024;
/** Most that is kept of the body of an answer that is not a success, in bytes. */
export const MAX_ERROR_BODY_BYTES = 64 * 1024;

export interface TransportOptions {
  /** Milliseconds to connect, TLS included; default 5 000. */
  readonly connectTimeout?: number;
  /** Milliseconds from the request to the end of the answer's headers; default 20 000. */
  readonly headersTimeout?: number;
  /** Milliseconds between two pieces of the body; default 15 000. */
  readonly bodyTimeout?: number;
  /** Connections kept for one account; default 32. */
  readonly connections?: number;
  /** Default {@link MAX_RESPONSE_BYTES}. */
  readonly maxResponseBytes?: number;
}

export interface TransportRequest {
  readonly origin: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Bytes | undefined;
  readonly signal: AbortSignal;
}

/** An answer; that of a status from 300 on may be cut at {@link MAX_ERROR_BODY_BYTES} or earlier. */
export interface TransportReply {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly body: Buffer;
  readonly truncated: boolean;
}

export type TransportFailureKind = 'CONNECTION' | 'TIMEOUT' | 'ABORTED' | 'OVERSIZE' | 'UNUSABLE';

/** No usable answer. `sent` is false only when no byte of the request can have left. */
export class TransportFailure extends Error {
  override readonly name = 'TransportFailure';
  readonly kind: TransportFailureKind;
  readonly sent: boolean;

  constructor(kind: TransportFailureKind, sent: boolean, cause?: unknown) {
    super(`Zendesk exchange failed: ${kind}`, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.sent = sent;
  }
}

export interface ZendeskTransport extends AsyncDisposable {
  /** Rejects with {@link TransportFailure} and nothing else. */
  send(request: TransportRequest): Promise<TransportReply>;
}

/** One per process, shared by the clients of all accounts. Dispose it to close its connections. */
export function openZendeskTransport(options: TransportOptions = {}): ZendeskTransport {
  const maxBytes = options.maxResponseBytes ?? MAX_RESPONSE_BYTES;
  const agent = new Agent({
    allowH2: false,
    pipelining: 1,
    connections: options.connections ?? 32,
    connect: { timeout: options.connectTimeout ?? 5_000 },
    headersTimeout: options.headersTimeout ?? 20_000,
    bodyTimeout: options.bodyTimeout ?? 15_000,
  });
  return Object.freeze({
    async send(request: TransportRequest): Promise<TransportReply> {
      return decode(await exchange(agent, request, maxBytes), maxBytes);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      if (!agent.destroyed) await agent.destroy();
    },
  });
}

function exchange(agent: Agent, request: TransportRequest, maxBytes: number): Promise<TransportReply> {
  const { promise, resolve, reject } = Promise.withResolvers<TransportReply>();
  const { signal } = request;
  const chunks: Buffer[] = [];
  let controller: Dispatcher.DispatchController | null = null;
  let length = 0;
  let status = 0;
  let headers: ResponseHeaders = {};

  const fail = (kind: TransportFailureKind, cause?: unknown): void => {
    // A status from 300 on is an answer in itself, with or without its body.
    if (status >= 300 && kind !== 'ABORTED') finish(true);
    else reject(new TransportFailure(kind, controller !== null, cause));
  };
  const finish = (truncated: boolean): void =>
    resolve({ status, headers, body: Buffer.concat(chunks), truncated });
  const onAbort = (): void => {
    fail('ABORTED');
    controller?.abort(new Error('aborted'));
  };

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      if (signal.aborted) return started.abort(new Error('aborted'));
      controller = started;
    },
    onResponseStart(_controller, statusCode, rawHeaders) {
      status = statusCode;
      headers = firstValues(rawHeaders);
    },
    onResponseData(started, chunk) {
      const limit = status >= 300 ? MAX_ERROR_BODY_BYTES : maxBytes;
      chunks.push(chunk.subarray(0, Math.max(0, limit - length)));
      length += chunk.length;
      if (length <= limit) return;
      fail('OVERSIZE');
      started.abort(new Error('oversize'));
    },
    onResponseEnd() {
      finish(false);
    },
    onResponseError(_controller, error) {
      fail(kindOf(error), error);
    },
  };

  if (signal.aborted) return Promise.reject(new TransportFailure('ABORTED', false));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    agent.dispatch(
      {
        origin: request.origin,
        method: request.method,
        path: request.path,
        headers: { ...request.headers, 'accept-encoding': 'gzip' },
        body: request.body ?? null,
      },
      handler,
    );
  } catch (error) {
    fail('CONNECTION', error);
  }
  return promise.finally(() => signal.removeEventListener('abort', onAbort));
}

function kindOf(error: Error): TransportFailureKind {
  const code = 'code' in error ? error.code : undefined;
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
    case 'ETIMEDOUT':
      return 'TIMEOUT';
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
    case 'UND_ERR_HEADERS_OVERFLOW':
      return 'UNUSABLE';
    default:
      return 'CONNECTION';
  }
}

function firstValues(headers: NodeJS.Dict<string | string[]>): ResponseHeaders {
  const values: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) values[name.toLowerCase()] = first;
  }
  return values;
}

/** Undoes gzip within the size limit; a body that cannot be decoded is no answer unless the status is one. */
async function decode(reply: TransportReply, maxBytes: number): Promise<TransportReply> {
  const encoding = reply.headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (encoding === 'identity' || reply.body.length === 0) return reply;
  const limit = reply.status >= 300 ? MAX_ERROR_BODY_BYTES : maxBytes;
  const body = encoding === 'gzip' ? await inflate(reply.body, limit) : 'UNUSABLE';
  if (typeof body !== 'string') return { ...reply, body };
  if (reply.status >= 300) return { ...reply, body: Buffer.alloc(0), truncated: true };
  throw new TransportFailure(body, true);
}

function inflate(body: Buffer, limit: number): Promise<Buffer | 'OVERSIZE' | 'UNUSABLE'> {
  const { promise, resolve } = Promise.withResolvers<Buffer | 'OVERSIZE' | 'UNUSABLE'>();
  gunzip(body, { maxOutputLength: limit }, (error, inflated) => {
    if (error === null) resolve(inflated);
    else resolve('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE' ? 'OVERSIZE' : 'UNUSABLE');
  });
  return promise;
}
