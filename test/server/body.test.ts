/** Bodies of many senders at once, through a real server. */

import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createBodyReader } from '../../src/server/index.ts';

const resources = new AsyncDisposableStack();
afterEach(() => resources.disposeAsync());

it('refuses what more senders have begun than can be held, and reads on once they have ended', async () => {
  const read = createBodyReader(1_000);
  const started = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    request.once('readable', () => started.resolve());
    read(request).then(({ body, refusal }) => response.end(refusal?.code ?? String(body.length)));
  });
  resources.adopt(server, (open) => {
    open.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const send = () => httpRequest({ port, host: '127.0.0.1', method: 'POST' });
  const answerOf = async (request: ReturnType<typeof send>) => {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const part of response) text += part;
    return text;
  };

  const slow = send();
  slow.write('x'.repeat(900));
  await started.promise;
  const crowded = send();
  crowded.end('y'.repeat(200));
  expect(await answerOf(crowded)).toBe('TOO_MANY_REQUESTS');
  slow.end();
  expect(await answerOf(slow)).toBe('900');
  const later = send();
  later.end('z'.repeat(1_000));
  expect(await answerOf(later)).toBe('1000');
});
