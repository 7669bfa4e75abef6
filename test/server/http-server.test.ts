/** The listening side over real sockets: body limits, slow clients, addresses behind proxies, and stopping. */
import { request as sendRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';
import { silentLog } from '../../src/base/index.ts';
import {
  createDispatch,
  createGraphqlRoute,
  type Dispatch,
  type HttpServer,
  type Incoming,
  type OpenHttpServerOptions,
  openHttpServer,
} from '../../src/server/index.ts';
import { openTestGateway, type TestGateway } from '../support/gateway.ts';

const MEBIBYTE = 1_048_576;

function open(dispatch: Dispatch, options: Partial<OpenHttpServerOptions> = {}): Promise<HttpServer> {
  return openHttpServer({
    host: '127.0.0.1',
    port: 0,
    dispatch,
    trustedProxies: 0,
    log: silentLog,
    ...options,
  });
}

const answerOf = (body: string) => ({ status: 200, headers: {}, body });
const urlOf = ({ port }: HttpServer, path = '/') => `http://127.0.0.1:${port}${path}`;

describe('the server before a whole gateway', () => {
  let gateway: TestGateway;
  let server: HttpServer;
  beforeAll(async () => {
    gateway = await openTestGateway();
    const { services } = gateway;
    server = await open(
      createDispatch({
        services,
        graphql: createGraphqlRoute({ schema, services, log: silentLog }),
        corsOrigins: ['https://desk.example'],
        log: silentLog,
      }),
    );
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  const HEADERS = { 'content-type': 'application/json', origin: 'https://desk.example' };
  const graphqlBody = (size: number) => '{"query":"{ __typename }"}'.padEnd(size, ' ');

  it('reads a body of one mebibyte', async () => {
    const response = await fetch(urlOf(server, '/api/v2/vault/seal'), {
      method: 'POST',
      headers: HEADERS,
      body: graphqlBody(MEBIBYTE),
    });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED' } });
  });

  it.each([
    ['one byte more', MEBIBYTE + 1],
    ['ten mebibytes', 10 * MEBIBYTE],
  ])('answers 413 to %s, in the shape of the route and to pages of listed origins', async (_what, size) => {
    const graph = await fetch(urlOf(server, '/graphql'), {
      method: 'POST',
      headers: HEADERS,
      body: graphqlBody(size),
    });
    const rest = await fetch(urlOf(server, '/api/v2/vault/seal'), {
      method: 'POST',
      headers: HEADERS,
      body: graphqlBody(size),
    });
    expect([graph.status, rest.status]).toEqual([413, 413]);
    expect(await graph.json()).toMatchObject({ errors: [{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }] });
    expect(await rest.json()).toMatchObject({ success: false, error: { code: 'PAYLOAD_TOO_LARGE' } });
    for (const { headers } of [graph, rest]) {
      expect(headers.get('access-control-allow-origin')).toBe('https://desk.example');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('connection')).toBe('close');
    }
  });

  it('answers 413 to a body that never told its length, and to one without end', async () => {
    for (const chunks of [2, 64]) {
      const { promise, resolve, reject } = Promise.withResolvers<{
        status: number | undefined;
        text: string;
      }>();
      const request = sendRequest(
        urlOf(server, '/graphql'),
        { method: 'POST', headers: HEADERS },
        (response) => {
          response.setEncoding('utf8');
          let text = '';
          response.on('data', (part: string) => {
            text += part;
          });
          response.on('end', () => resolve({ status: response.statusCode, text }));
        },
      );
      request.on('error', reject);
      for (let chunk = 0; chunk < chunks; chunk += 1) request.write(Buffer.alloc(MEBIBYTE, 0x20));
      if (chunks === 2) request.end();
      const { status, text } = await promise;
      expect(status).toBe(413);
      expect(text).toContain('PAYLOAD_TOO_LARGE');
      request.destroy();
    }
  });

  it('takes no two keys in one header line after the other', async () => {
    const answer = await rawExchange(server, [
      'POST /graphql HTTP/1.1',
      'Host: x',
      `X-API-Key: ${gateway.operatorKey}`,
      `X-API-Key: ${gateway.operatorKey}`,
      'Content-Type: application/json',
      'Content-Length: 26',
      'Connection: close',
      '',
      '{"query":"{ __typename }"}',
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toContain('UNAUTHENTICATED');
  });

  it('answers 400 to what is no HTTP, and 431 to headers without end', async () => {
    expect(await rawExchange(server, ['hello', '', ''])).toMatch(/^HTTP\/1\.1 400 /);
    const long = await rawExchange(server, [
      'GET / HTTP/1.1',
      'Host: x',
      `X-Long: ${'a'.repeat(20_000)}`,
      '',
      '',
    ]);
    expect(long).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('tells liveness and readiness', async () => {
    expect(await (await fetch(urlOf(server, '/healthz'))).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(urlOf(server, '/readyz'))).json()).toEqual({
      status: 'ready',
      database: true,
      keys: true,
      audit: true,
    });
  });
});

/** Everything that comes back until the server closes the connection. */
async function rawExchange({ port }: HttpServer, lines: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, '127.0.0.1', () => socket.write(lines.join('\r\n')));
  let text = '';
  socket.on('data', (part) => {
    text += part.toString('latin1');
  });
  socket.on('error', reject);
  socket.on('close', () => resolve(text));
  return promise;
}

describe('the address that the log tells', () => {
  const echo: Dispatch = async ({ ip }) => answerOf(String(ip));
  it.each([
    [0, undefined, '127.0.0.1'],
    [0, '203.0.113.9', '127.0.0.1'],
    [1, '203.0.113.9', '203.0.113.9'],
    [1, 'evil, 203.0.113.9', '203.0.113.9'],
    [1, '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    [1, '2001:db8::7', '2001:db8::7'],
    [1, undefined, '127.0.0.1'],
    [1, 'evil', '127.0.0.1'],
    [1, '203.0.113.9:443', '127.0.0.1'],
    [1, '', '127.0.0.1'],
    [2, '198.51.100.1, 203.0.113.9', '198.51.100.1'],
    [2, 'evil, 198.51.100.1, 203.0.113.9', '198.51.100.1'],
    [2, '203.0.113.9', '127.0.0.1'],
    [2, 'evil, 203.0.113.9', '127.0.0.1'],
  ])('with %i proxies before it and X-Forwarded-For %j is %s', async (trustedProxies, forwarded, ip) => {
    await using server = await open(echo, { trustedProxies });
    const response = await fetch(
      urlOf(server),
      forwarded === undefined ? {} : { headers: { 'x-forwarded-for': forwarded } },
    );
    expect(await response.text()).toBe(ip);
  });
});

describe('a client that is slow or goes away', () => {
  it('is cut off when its headers do not come in time', async () => {
    await using server = await open(async () => answerOf(''), {
      times: { headersTimeoutMs: 60, checkIntervalMs: 20 },
    });
    expect(await rawExchange(server, ['POST /graphql HTTP/1.1', 'Host: x', 'X-Slow: '])).toMatch(
      /^HTTP\/1\.1 408 /,
    );
  });

  it('is cut off when its body does not come in time', async () => {
    await using server = await open(async () => answerOf(''), {
      times: { headersTimeoutMs: 60, requestTimeoutMs: 60, checkIntervalMs: 20 },
    });
    const answer = await rawExchange(server, [
      'POST / HTTP/1.1',
      'Host: x',
      'Content-Length: 10',
      '',
      'half',
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 408 |^$/);
  });

  it('ends the signal of its call', async () => {
    const entered = Promise.withResolvers<Incoming>();
    const ended = Promise.withResolvers<void>();
    await using server = await open(async (incoming) => {
      incoming.signal.addEventListener('abort', () => ended.resolve());
      entered.resolve(incoming);
      await ended.promise;
      return answerOf('');
    });
    const client = new AbortController();
    const sent = fetch(urlOf(server), { signal: client.signal });
    await entered.promise;
    client.abort();
    await expect(sent).rejects.toThrow();
    await ended.promise;
    expect((await entered.promise).signal.aborted).toBe(true);
  });
});

describe('a server that is asked to stop', () => {
  it('finishes the answer under way, takes no new connection, and keeps none', async () => {
    const entered = Promise.withResolvers<Incoming>();
    const release = Promise.withResolvers<void>();
    const server = await open(async (incoming) => {
      entered.resolve(incoming);
      await release.promise;
      return answerOf('finished');
    });
    const underWay = fetch(urlOf(server), { method: 'POST', body: 'x' });
    await entered.promise;
    const stopped = server[Symbol.asyncDispose]();
    await expect(fetch(urlOf(server))).rejects.toThrow();
    expect((await entered.promise).signal.aborted).toBe(false);
    release.resolve();
    const response = await underWay;
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.text()).toBe('finished');
    await stopped;
    await server[Symbol.asyncDispose]();
  });

  it('ends what is still under way after its grace', async () => {
    const entered = Promise.withResolvers<Incoming>();
    const never = Promise.withResolvers<never>();
    const server = await open(
      async (incoming) => {
        entered.resolve(incoming);
        return never.promise;
      },
      { times: { drainGraceMs: 30 } },
    );
    const cut = expect(fetch(urlOf(server))).rejects.toThrow();
    const { signal } = await entered.promise;
    await server[Symbol.asyncDispose]();
    expect(signal.aborted).toBe(true);
    await cut;
  });

  it('does not wait for connections that idle', async () => {
    const server = await open(async () => answerOf('x'));
    const socket = connect(server.port, '127.0.0.1');
    const closed = Promise.withResolvers<void>();
    socket.on('close', () => closed.resolve());
    const answered = Promise.withResolvers<void>();
    socket.on('data', () => answered.resolve());
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await answered.promise;
    await server[Symbol.asyncDispose]();
    await closed.promise;
  });

  it('refuses a port that is taken with the cause', async () => {
    await using first = await open(async () => answerOf(''));
    await expect(open(async () => answerOf(''), { port: first.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
