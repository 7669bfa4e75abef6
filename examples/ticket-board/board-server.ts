/**
 * The board's own server: serves the page by Vite, and lends it the API key that no page may hold. Anybody
 * who reaches this server acts with that API key, so it listens on this machine only and answers pages of
 * its own alone. In earnest your login stands before `forward`, and answers stay sealed to the page's key.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createServer as createVite } from 'vite';
import { type ForwardOptions, forward, isForGateway } from './forward.ts';

const HOST = '127.0.0.1';
const MAX_MAPPING_LENGTH = 1_024;

const folder = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(folder));

/** What Vite may serve: the page and what it imports, and none of the files where keys lie. */
const SERVED = [
  join(folder, 'page'),
  join(folder, 'documents.generated.ts'),
  ...['src/client', 'src/envelope', 'src/base', 'node_modules'].map((path) => join(root, path)),
];

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export interface BoardServerOptions extends ForwardOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Maps a client key that the page shows, for the demo; rejects with what to tell the page. */
  readonly mapKey: (keyId: string, fingerprint: string) => Promise<void>;
}

export interface BoardServer extends AsyncDisposable {
  /** `http://localhost:5173` */
  readonly url: string;
}

/** Listens. Rejects with the cause where the port is taken. */
export async function openBoardServer(options: BoardServerOptions): Promise<BoardServer> {
  await using resources = new AsyncDisposableStack();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  const vite = await createVite({
    configFile: false,
    root: join(folder, 'page'),
    logLevel: 'warn',
    cacheDir: join(root, 'node_modules', '.vite', 'ticket-board'),
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, ws: { server }, cors: false, fs: { allow: SERVED }, headers: HEADERS },
  });
  resources.defer(() => vite.close());

  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(options.port, HOST, resolve);
  await promise;
  resources.defer(async () => {
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    server.closeAllConnections();
    await closed.promise;
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  const hosts = [`localhost:${port}`, `${HOST}:${port}`];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isOwn = request.method === 'GET' || request.headers['sec-fetch-site'] === 'same-origin';
    // Another site could lead its own name to this machine, or post from afar, and act with our API key.
    if (!hosts.includes(request.headers.host ?? '') || !isOwn) {
      response.writeHead(403).end();
    } else if (isForGateway(request)) {
      await forward(request, response, options);
    } else if (request.method === 'POST' && request.url === '/demo/map') {
      await answerMapping(request, response, options);
    } else {
      vite.middlewares(request, response);
    }
  }

  const kept = resources.move();
  return { url: `http://localhost:${port}`, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function answerMapping(
  request: IncomingMessage,
  response: ServerResponse,
  { mapKey }: BoardServerOptions,
): Promise<void> {
  const send = (status: number, message: string): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
  };
  if (!(Number(request.headers['content-length']) <= MAX_MAPPING_LENGTH)) return send(413, 'Too long.');
  try {
    const { keyId, fingerprint } = JSON.parse(await text(request));
    await mapKey(String(keyId), String(fingerprint));
    send(200, 'Mapped.');
  } catch (error) {
    send(409, error instanceof Error ? error.message : 'The key was not mapped.');
  }
}
