/**
 * A TCP relay in front of a database that can stand still at a named statement: what a process sends with these
 * words in it, or what it would be answered to that, goes no further, and the process can be killed right there.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface HeldRelay extends AsyncDisposable {
  readonly port: number;
  /**
   * From now on nothing passes on a connection that sends `words`: not they themselves, or with `ANSWER` not what is
   * answered to them. Resolves when that happened.
   */
  hold(words: string, what: 'STATEMENT' | 'ANSWER'): Promise<void>;
}

interface Hold {
  readonly words: string;
  readonly what: 'STATEMENT' | 'ANSWER';
  readonly resolve: () => void;
}

export async function openHeldRelay(target: {
  readonly host: string;
  readonly port: number;
}): Promise<HeldRelay> {
  const sockets = new Set<Socket>();
  let hold: Hold | null = null;

  const pass = (client: Socket): void => {
    const upstream = connect(target.port, target.host);
    let held: Hold | null = null;
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => one.destroy());
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (held === null && hold !== null && chunk.includes(hold.words)) held = hold;
      if (held?.what === 'STATEMENT') held.resolve();
      else upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (held === null) client.write(chunk);
      else held.resolve();
    });
  };

  const server = createServer(pass).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hold(words, what) {
      const { promise, resolve } = Promise.withResolvers<void>();
      hold = { words, what, resolve };
      return promise;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
