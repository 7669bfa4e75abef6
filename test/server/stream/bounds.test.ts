/** What the edge holds for others: of a socket that is not read, and of texts that may be asked for again. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { GraphqlSocket, MAX_WAITING_BYTES } from '../../../src/server/sockets/graphql-socket.ts';
import { KeptTexts } from '../../../src/server/subscriptions/kept-texts.ts';

const COUNT = 400;
const SIZE = 65_536;

it('a socket takes one message more than its bound at a time, whoever waits, and sends all in order', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await once(server, 'listening');
  const connected = once(server, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [ws, request] = await connected;
  await once(client, 'open');
  const socket = new GraphqlSocket(ws, request.socket, (error) => expect.fail(String(error)));
  const amounts: number[] = [];
  const note = (): number => amounts.push(ws.bufferedAmount);
  // Told of after the socket has gone on.
  request.socket.on('drain', note);
  const received: number[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  client.on('message', (data) => {
    if (received.push(Number(String(data))) === COUNT) resolve();
  });
  client.pause();
  const settled: number[] = [];
  const sent = Array.from({ length: COUNT }, async (_, index) => {
    await socket.send(String(index).padStart(SIZE, '0'));
    note();
    settled.push(index);
  });
  client.resume();
  await Promise.all([...sent, all]);
  const inOrder = Array.from({ length: COUNT }, (_, index) => index);
  expect(received).toEqual(inOrder);
  expect(settled).toEqual(inOrder);
  expect(Math.max(...amounts)).toBeGreaterThan(MAX_WAITING_BYTES);
  expect(Math.max(...amounts)).toBeLessThan(MAX_WAITING_BYTES + SIZE + 100);
  client.terminate();
  server.close();
  await once(server, 'close');
});

it('of texts the oldest are let go where there are too many', () => {
  const texts = new KeptTexts(10);
  const [first, second] = [texts.keep('12345'), texts.keep('12345')];
  expect([first.text, second.text]).toEqual(['12345', '12345']);
  const third = texts.keep('123456');
  expect([first.text, second.text, third.text]).toEqual([null, null, '123456']);
  expect(texts.keep('1234').text).toBe('1234');
  expect(third.text).toBe('123456');
  expect(texts.keep('12345678901').text).toBeNull();
});
