/** Requests to upgrade that come to nothing: none keeps its connection, keeps others out, or ends the process. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SealdeskError, silentLog } from '../../../src/base/index.ts';
import { openHttpServer } from '../../../src/server/index.ts';
import { openTestGateway, type TestGateway } from '../../support/gateway.ts';
import { createTestTenant, type TestTenant } from '../../support/tenant.ts';
import { type Edge, openEdge } from './edge.ts';

let gateway: TestGateway;
let tenant: TestTenant;
beforeAll(async () => {
  gateway = await openTestGateway();
  tenant = await createTestTenant(gateway);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const NO_GRACE = { times: { drainGraceMs: 3_600_000 } };

/** Asks for an upgrade, and then neither sends nor ends anything by itself. */
function ask(port: number, target: string, ...headers: readonly string[]): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.write(
    [
      `GET ${target} HTTP/1.1`,
      'Host: x',
      'Connection: upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: graphql-transport-ws',
      ...headers,
      '\r\n',
    ].join('\r\n'),
  );
  return socket;
}

/** All that is sent to `socket`, once the other side has ended. */
async function read(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (part) => {
    text += String(part);
  });
  await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  return text;
}

/** An edge that never comes to an answer, and what resolves when it was asked for one. */
async function openMute(
  drainGraceMs: number,
): Promise<{ readonly edge: Edge; readonly asked: Promise<void> }> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const edge = await openEdge(gateway, {
    times: { drainGraceMs },
    services: {
      recordFailure: () => {
        resolve();
        return new Promise(() => undefined);
      },
    },
  });
  return { edge, asked: promise };
}

const KEY = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';

it.each([
  ['for another path', '/elsewhere', 404],
  ['without the key of a handshake', '/graphql', 400],
])('asked %s are told so and cut off, whether the client ends or not', async (_what, target, status) => {
  const edge = await openEdge(gateway, NO_GRACE);
  const socket = ask(edge.server.port, target, ...(status === 400 ? [] : [KEY]));
  expect(await read(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  // It would wait for what is open.
  await edge[Symbol.asyncDispose]();
  socket.destroy();
});

it('are cut off at the second beat where no answer comes to an end', async () => {
  const { edge, asked } = await openMute(3_600_000);
  const socket = ask(edge.server.port, '/elsewhere', KEY);
  await asked;
  edge.sockets.beat(4);
  expect(socket.destroyed).toBe(false);
  const ended = read(socket);
  edge.sockets.beat(4);
  expect(await ended).toBe('');
  await edge[Symbol.asyncDispose]();
  socket.destroy();
});

it('are cut off by a gateway that stops, after its grace', async () => {
  const { edge, asked } = await openMute(20);
  const socket = ask(edge.server.port, '/elsewhere', KEY);
  await asked;
  const ended = read(socket);
  await edge[Symbol.asyncDispose]();
  expect(await ended).toBe('');
  socket.destroy();
});

it.each([
  ['for another path', '/elsewhere', KEY],
  ['without the key of a handshake', '/graphql', 'X-Nothing: 1'],
])('asked %s count against their address, and are told nothing over its rate', async (_what, target, header) => {
  const counted: (string | null)[] = [];
  await using edge = await openEdge(gateway, {
    services: {
      takeFromRate({ caller, ip }) {
        counted.push(caller === null ? ip : 'a key');
        if (counted.length > 1) throw new SealdeskError('TOO_MANY_REQUESTS', 'Wait.', { retryAfter: 1 });
      },
    },
  });
  expect(await read(ask(edge.server.port, target, header))).toMatch(/^HTTP\/1.1 40/);
  expect(await read(ask(edge.server.port, '/elsewhere', KEY))).toBe('');
  expect(counted).toEqual(['127.0.0.1', '127.0.0.1']);
});

it('keep their connection and the process where a header is named as no header should be', async () => {
  await using edge = await openEdge(gateway);
  const refused = await read(ask(edge.server.port, '/elsewhere', KEY, '__proto__: a', '__proto__: b'));
  expect(refused).toMatch(/^HTTP\/1.1 404 /);
  const socket = connect(edge.server.port, '127.0.0.1');
  socket.end('GET /healthz HTTP/1.1\r\nHost: x\r\n__proto__: a\r\n__proto__: b\r\nConnection: close\r\n\r\n');
  expect(await read(socket)).toMatch(/^HTTP\/1.1 200 /);
});

it('that fail inside the gateway break off their own connection alone', async () => {
  await using server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    trustedProxies: 0,
    dispatch: async () => ({ status: 204, headers: {}, body: '' }),
    sockets: {
      upgrade() {
        throw new Error('hunter2');
      },
      beat: () => undefined,
      drain: () => undefined,
      terminate: () => undefined,
    },
    log: silentLog,
  });
  expect(await read(ask(server.port, '/graphql', KEY))).toBe('');
  expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(204);
});

it('give the place of the oldest stranger of the fullest address to a newcomer', async () => {
  await using edge = await openEdge(gateway, { maxPending: 4, trustedProxies: 1 });
  await using sockets = new AsyncDisposableStack();
  const from = async (ip: string) => sockets.use(await edge.connect({ headers: { 'x-forwarded-for': ip } }));
  const lone = await from('192.0.2.1');
  const crowd = [await from('192.0.2.2'), await from('192.0.2.2'), await from('192.0.2.2')];
  const newcomer = await from('192.0.2.3');
  expect(await crowd[0]?.closed).toMatchObject({ code: 1006 });
  for (const socket of [lone, crowd[1], crowd[2], newcomer]) {
    socket?.send({ type: 'connection_init', payload: { apiKey: tenant.keys.agent } });
    expect(await socket?.next()).toEqual({ type: 'connection_ack' });
  }
});
