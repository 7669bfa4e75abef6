/** Stands in front of the simulator and can hold a call back: before Zendesk hears of it, or its answer afterwards. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ZendeskFront extends AsyncDisposable {
  readonly url: string;
  /** Calls of the path that Zendesk has answered. */
  answered(path: string): number;
  /** The next call of `path` gets no answer. Resolves when it came, or with `ANSWER` when Zendesk has answered it. */
  hold(path: string, what: 'CALL' | 'ANSWER'): Promise<void>;
}

interface Hold {
  readonly path: string;
  readonly what: 'CALL' | 'ANSWER';
  readonly resolve: () => void;
}

export async function openZendeskFront(zendesk: string): Promise<ZendeskFront> {
  const counts = new Map<string, number>();
  let hold: Hold | null = null;

  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', zendesk);
    const held = hold?.path === pathname ? hold : null;
    if (held !== null) hold = null;
    if (held?.what === 'CALL') return held.resolve();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const body = Buffer.concat(chunks);
    const answer = await fetch(new URL(request.url ?? '/', zendesk), {
      method: request.method ?? 'GET',
      headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
      ...(body.length === 0 ? {} : { body }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    counts.set(pathname, (counts.get(pathname) ?? 0) + 1);
    if (held !== null) return held.resolve();
    const {
      'content-encoding': _encoding,
      'transfer-encoding': _transfer,
      ...told
    } = Object.fromEntries(answer.headers);
    response.writeHead(answer.status, { ...told, 'content-length': bytes.length }).end(bytes);
  };

  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered: (path) => counts.get(path) ?? 0,
    hold(path, what) {
      const { promise, resolve } = Promise.withResolvers<void>();
      hold = { path, what, resolve };
      return promise;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
