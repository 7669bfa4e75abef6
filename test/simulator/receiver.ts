/** A small HTTP server that webhooks deliver to: keeps what came and answers as it is told. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  /** The parsed body; empty when it is no JSON object. */
  readonly body: Record<string, unknown>;
}

export type ReceiverAnswer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly text?: string }
  | 'hang';

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Resolves once at least `count` requests have come. */
  received(count: number): Promise<void>;
}

const parseObject = (raw: string): Record<string, unknown> => {
  if (!raw.startsWith('{')) return {};
  const value: unknown = JSON.parse(raw);
  return typeof value === 'object' && value !== null ? { ...value } : {};
};

/** `answer` decides by the request and its number, from 1; default 200. */
export const openReceiver = async (
  answer: (request: ReceivedRequest, number: number) => ReceiverAnswer = () => ({ status: 200 }),
): Promise<Receiver> => {
  const requests: ReceivedRequest[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];
  const server = createServer((message, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8');
      const request: ReceivedRequest = {
        method: message.method ?? '',
        path: message.url ?? '',
        headers: message.headers,
        raw,
        body: parseObject(raw),
      };
      requests.push(request);
      const reply = answer(request, requests.length);
      for (const waiter of waiters) if (requests.length >= waiter.count) waiter.resolve();
      if (reply === 'hang') return;
      response.writeHead(reply.status, reply.headers).end(reply.text);
    });
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', () => listening.resolve());
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    requests,
    async received(count) {
      if (requests.length >= count) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiters.push({ count, resolve });
      await promise;
    },
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
};
