/**
 * One subscriber to a feed over `graphql-transport-ws`, written by hand: it counts what comes and looks at
 * nothing, so that whoever measures a server does not measure its reader.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface FeedSubscription {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** How far into a result is looked for what makes it a position. */
const HEAD_BYTES = 160;

export class FeedSubscriber {
  readonly #ws: WebSocket;
  #changes = 0;
  #positions = 0;
  #awaited: { readonly changes: number; readonly resolve: () => void } | null = null;
  #failure: Error | null = null;
  readonly #begun = Promise.withResolvers<void>();

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data: Buffer) => this.#take(data));
  }

  /** Resolves when the server has accepted the connection and the subscription was sent. */
  static async open({ url, headers, query, variables }: FeedSubscription): Promise<FeedSubscriber> {
    // What is counted only need not be checked to be UTF-8.
    const ws = new WebSocket(url, 'graphql-transport-ws', { headers, skipUTF8Validation: true });
    await once(ws, 'open');
    ws.send('{"type":"connection_init"}');
    const lost = once(ws, 'close').then(([code, reason]): never => {
      throw new Error(`The server closed with ${code} ${reason}`);
    });
    lost.catch(() => undefined);
    const [acknowledged] = await Promise.race([once(ws, 'message'), lost]);
    if (!String(acknowledged).includes('connection_ack')) throw new Error(String(acknowledged));
    const subscriber = new FeedSubscriber(ws);
    ws.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables } }));
    return subscriber;
  }

  get positions(): number {
    return this.#positions;
  }

  /** Resolves with the first position. */
  begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Resolves when `changes` have come since the beginning. Rejects where the connection ends before. */
  async untilChanges(changes: number): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#changes >= changes) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { changes, resolve };
    const lost = once(this.#ws, 'close').then(([code, reason]) => {
      throw this.#failure ?? new Error(`The server closed with ${code} ${reason}`);
    });
    await Promise.race([promise, lost]);
  }

  async close(): Promise<void> {
    if (this.#ws.readyState === this.#ws.CLOSED) return;
    const closed = once(this.#ws, 'close');
    this.#ws.close(1000);
    await closed;
  }

  #take(data: Buffer): void {
    const head = data.toString('latin1', 0, HEAD_BYTES);
    if (!head.includes('"next"')) {
      // Who answers no ping is taken for gone.
      if (head.includes('"ping"')) this.#ws.send('{"type":"pong"}');
      else this.#fail(new Error(String(data)));
      return;
    }
    if (head.includes('FeedPosition')) {
      this.#positions += 1;
      this.#begun.resolve();
      return;
    }
    if (head.includes('"errors"')) {
      this.#fail(new Error(String(data)));
      return;
    }
    this.#changes += 1;
    if (this.#awaited !== null && this.#changes >= this.#awaited.changes) this.#awaited.resolve();
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#begun.reject(error);
    this.#ws.terminate();
  }
}
