/** What stands between the simulator and a gateway, to see when webhooks come: hands each on as it is. */
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WebhookRelay extends AsyncDisposable {
  readonly url: string;
  /** Where webhooks go, set before the first comes. */
  target: string;
  /** Told of each when it has come whole. */
  onWebhook: ((body: string) => void) | null;
}

export async function openWebhookRelay(): Promise<WebhookRelay> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer(async (incoming, response) => {
    const body = Buffer.concat(await incoming.toArray());
    relay.onWebhook?.(body.toString());
    const { method, headers, url } = incoming;
    const onward = request(new URL(url ?? '/', relay.target), { method: method ?? 'POST', headers, agent });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay: WebhookRelay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target: '',
    onWebhook: null,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
  return relay;
}
