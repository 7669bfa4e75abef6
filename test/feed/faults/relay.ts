/**
 * A stable address in front of processes that come and go: passes TCP connections on to whichever is chosen when
 * they are made. What it leads to may be away: then connections are refused, or end at once.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Relay extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** The ports that the connections now open lead to, oldest first. */
  readonly targets: readonly number[];
  /** Ends every connection and refuses new ones, until `listen`. */
  refuse(): Promise<void>;
  listen(): Promise<void>;
}

/** `choose` names the port for a new connection; with `null` it is ended. */
export async function openRelay(choose: () => number | null): Promise<Relay> {
  const pairs = new Map<Socket, number>();
  let server: Server | null = null;
  let port = 0;

  const pass = (client: Socket): void => {
    client.on('error', () => client.destroy());
    const target = choose();
    if (target === null) {
      client.destroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    pairs.set(client, target);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    client.once('close', () => {
      pairs.delete(client);
      upstream.destroy();
    });
    upstream.on('error', () => upstream.destroy());
    upstream.once('close', () => client.destroySoon());
    client.pipe(upstream);
    upstream.pipe(client);
  };
  const listen = async (): Promise<void> => {
    if (server !== null) return;
    server = createServer(pass).listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  const refuse = async (): Promise<void> => {
    const closing = server;
    if (closing === null) return;
    server = null;
    closing.close();
    for (const client of pairs.keys()) client.destroy();
    await once(closing, 'close');
  };
  await listen();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get targets() {
      return [...pairs.values()];
    },
    refuse,
    listen,
    [Symbol.asyncDispose]: refuse,
  };
}
