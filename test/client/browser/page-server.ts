/** A page with the SDK in it under a strict content security policy, its gateway on the same origin or another. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rolldown } from 'rolldown';
import type { SealingGateway } from '../sealing-gateway.ts';

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>Test</title><script type="module" src="/app/page.js"></script>';

export interface PageServer extends AsyncDisposable {
  readonly origin: string;
  /** Paths that were asked for. */
  readonly paths: string[];
}

async function bundlePage(): Promise<ReadonlyMap<string, string>> {
  const build = await rolldown({
    input: new URL('./page.ts', import.meta.url).pathname,
    platform: 'browser',
    treeshake: { moduleSideEffects: (id) => id.endsWith('/page.ts') },
  });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  return new Map(output.map((part) => [`/app/${part.fileName}`, part.type === 'chunk' ? part.code : '']));
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

export interface PageServerOptions {
  /** Answers what the page asks of its own origin, its script aside; nothing where left out. */
  readonly gateway?: SealingGateway['fetch'];
  /** What the page may speak to: its own origin where left out. */
  readonly connect?: string;
}

export async function startPageServer({
  gateway,
  connect = "'self'",
}: PageServerOptions): Promise<PageServer> {
  const csp = `default-src 'none'; script-src 'self'; connect-src ${connect}`;
  const scripts = await bundlePage();
  const paths: string[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/';
    paths.push(path);
    const script = scripts.get(path);
    if (path === '/' || script !== undefined) {
      const type = script === undefined ? 'text/html' : 'text/javascript';
      response.writeHead(200, { 'content-type': type, 'content-security-policy': csp });
      response.end(script ?? PAGE);
      return;
    }
    if (gateway === undefined) {
      response.writeHead(404).end();
      return;
    }
    const body = await bodyOf(request);
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
    const { method = 'GET' } = request;
    const answer = await gateway(`${origin}${path}`, {
      method,
      headers,
      ...(method === 'GET' ? {} : { body: new Uint8Array(body) }),
    });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(new Uint8Array(await answer.arrayBuffer()));
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    paths,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
