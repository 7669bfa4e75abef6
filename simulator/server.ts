/**
 * The sockets: reads requests, lets faults spoil them, writes replies. Control calls under `/__simulator/` are
 * neither logged, limited nor spoiled.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type ApiOptions, type ApiRequest, endpointName, handleRequest, MAX_REQUEST_BYTES } from './api.ts';
import { type FaultEffect, type Faults, faultReply, isApplied } from './faults.ts';
import type { Reply, ReplyBody } from './reply.ts';
import type { RequestLog } from './request-log.ts';

export const CONTROL_PREFIX = '/__simulator';
/** Smaller bodies are sent as they are. */
const MIN_GZIP_BYTES = 1024;

export interface ServerOptions {
  /** Looked up for every request, since a reset replaces the account. */
  readonly api: () => ApiOptions;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly now: () => number;
  readonly canonicalOrigin: string | null;
  /** The path of a control call comes without the prefix. */
  readonly control: (request: ApiRequest) => Reply;
}

interface SettledReply extends Reply {
  readonly body: Exclude<ReplyBody, { kind: 'later' }>;
}

/** Reads at most one byte more than the API takes, so that the API itself refuses what is too large. */
const readBody = async (request: IncomingMessage): Promise<Uint8Array> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size <= MAX_REQUEST_BYTES + chunk.length) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const failure = (error: unknown): SettledReply => ({
  status: 500,
  headers: {},
  body: {
    kind: 'text',
    text: `simulator error: ${String(error)}`,
    contentType: 'text/plain; charset=utf-8',
  },
});

/** Waits for a body that is still being worked on. */
const settleReply = async (reply: Reply): Promise<SettledReply> => {
  const { body } = reply;
  return body.kind === 'later'
    ? { ...reply, body: { kind: 'json', value: await body.value } }
    : { ...reply, body };
};

const encodeBody = (reply: SettledReply): { bytes: Buffer; contentType: string | null } => {
  switch (reply.body.kind) {
    case 'json':
      return {
        bytes: Buffer.from(JSON.stringify(reply.body.value)),
        contentType: 'application/json; charset=utf-8',
      };
    case 'text':
      return { bytes: Buffer.from(reply.body.text), contentType: reply.body.contentType };
    case 'empty':
      return { bytes: Buffer.alloc(0), contentType: null };
    default:
      throw reply.body satisfies never;
  }
};

const write = (
  request: IncomingMessage,
  response: ServerResponse,
  reply: SettledReply,
  truncate: boolean,
): number => {
  const { bytes: plain, contentType } = encodeBody(reply);
  const headers: Record<string, string> = {
    'x-request-id': `${randomBytes(8).toString('hex')}-AMS`,
    'x-zendesk-api-version': 'v2',
    'x-zendesk-origin-server': 'simulator',
    'x-runtime': '0.042137',
    'cache-control': 'max-age=0, private, must-revalidate',
    ...reply.headers,
  };
  if (contentType !== null) headers['content-type'] = contentType;
  let bytes = plain;
  let { status } = reply;
  if (status === 200 && contentType?.startsWith('application/json')) {
    const etag = `W/"${createHash('md5').update(plain).digest('hex')}"`;
    headers['etag'] = etag;
    if (request.method === 'GET' && request.headers['if-none-match'] === etag) {
      status = 304;
      delete headers['content-type'];
      bytes = Buffer.alloc(0);
    }
  }
  const acceptsGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (acceptsGzip && bytes.length >= MIN_GZIP_BYTES) {
    bytes = gzipSync(bytes, { level: 1 });
    headers['content-encoding'] = 'gzip';
    headers['vary'] = 'Accept-Encoding';
  }
  if (status !== 204 && status !== 304) headers['content-length'] = String(bytes.length);
  response.writeHead(status, headers);
  if (truncate) {
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.destroy());
  } else {
    response.end(bytes);
  }
  return status;
};

const readRequest = async (options: ServerOptions, request: IncomingMessage): Promise<ApiRequest> => {
  const target = new URL(request.url ?? '/', 'http://simulator');
  const host = request.headers.host ?? 'localhost';
  return {
    method: request.method ?? 'GET',
    path: target.pathname.replace(/\.json$/, '').replace(/(.)\/+$/, '$1'),
    query: target.searchParams,
    headers: request.headers,
    body: await readBody(request),
    origin: options.canonicalOrigin ?? `http://${host}`,
    host,
  };
};

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens; resolves once the port is open. */
export const openServer = async (
  options: ServerOptions,
  port: number,
  host: string,
): Promise<RunningServer> => {
  const delays = new Set<NodeJS.Timeout>();
  const delay = (milliseconds: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      delays.delete(timer);
      resolve();
    }, milliseconds);
    delays.add(timer);
    return promise;
  };

  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(options, message);
    if (request.path === CONTROL_PREFIX || request.path.startsWith(`${CONTROL_PREFIX}/`)) {
      const path = request.path.slice(CONTROL_PREFIX.length) || '/';
      write(message, response, await settleReply(options.control({ ...request, path })), false);
      return;
    }
    const entry = options.log.arrive({
      at: options.now(),
      method: request.method,
      path: request.path,
      query: request.query.toString(),
      endpoint: endpointName(request.method, request.path),
      headers: request.headers,
    });
    const fault = options.faults.draw(request.method, request.path);
    if (fault.latency > 0) await delay(fault.latency);
    const { effect } = fault;
    const handled = effect === null || isApplied(effect) ? handleRequest(options.api(), request) : null;
    if (effect?.kind === 'close') {
      message.socket.destroy();
      options.log.finish(entry, null, 'closed');
      return;
    }
    if (effect?.kind === 'hang') {
      options.log.finish(entry, null, 'hung');
      return;
    }
    const reply = spoiledReply(effect) ?? handled;
    if (reply === null) throw new RangeError('a fault without an answer must be handled above');
    const settled = await settleReply(reply);
    const status = write(message, response, settled, effect?.kind === 'truncated');
    options.log.finish(entry, status, effect?.kind === 'truncated' ? 'closed' : 'answered');
  };

  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // A caller that hangs up while sending is no error of ours; anything else is shown as Zendesk shows its own.
      if (request.destroyed && !response.writable) return;
      if (response.headersSent) response.destroy();
      else write(request, response, failure(error), false);
    });
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(port, host, () => listening.resolve());
  await listening.promise;
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    close: async () => {
      for (const timer of delays) clearTimeout(timer);
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
};

const spoiledReply = (effect: Exclude<FaultEffect, { kind: 'latency' }> | null): Reply | null =>
  effect === null ? null : faultReply(effect);
