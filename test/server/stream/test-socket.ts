/** The client's side of graphql-transport-ws, message by message. */
import { WebSocket } from 'ws';

export interface OpenSocketOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  /** Whether pings are answered; they are where left out. */
  readonly autoPong?: boolean;
}

/** What a message holds; of as many shapes as there are. */
export interface SocketMessage {
  readonly type: string;
  readonly id?: string;
  readonly payload?: ReturnType<typeof JSON.parse>;
}

export interface SocketClose {
  readonly code: number;
  readonly reason: string;
}

export class TestSocket {
  readonly ws: WebSocket;
  readonly closed: Promise<SocketClose>;
  readonly #messages: SocketMessage[] = [];
  #arrived = Promise.withResolvers<void>();

  private constructor(ws: WebSocket) {
    this.ws = ws;
    const { promise, resolve } = Promise.withResolvers<SocketClose>();
    this.closed = promise;
    ws.on('close', (code, reason) => {
      resolve({ code, reason: String(reason) });
      this.#arrived.resolve();
    });
    ws.on('message', (data) => {
      this.#messages.push(JSON.parse(String(data)));
      this.#arrived.resolve();
    });
  }

  /** Rejects where the upgrade is refused, with the status in the message. */
  static async open(url: string, options: OpenSocketOptions = {}): Promise<TestSocket> {
    const { headers = {}, protocols = ['graphql-transport-ws'], autoPong = true } = options;
    const ws = new WebSocket(url, [...protocols], { headers: { ...headers }, autoPong });
    const socket = new TestSocket(ws);
    const { promise, resolve, reject } = Promise.withResolvers<TestSocket>();
    ws.once('open', () => resolve(socket));
    ws.on('error', reject);
    return promise;
  }

  send(message: SocketMessage): void {
    this.ws.send(JSON.stringify(message));
  }

  /** Asks for `query` under `id`. */
  subscribe(id: string, query: string, variables: Readonly<Record<string, unknown>> = {}): void {
    this.send({ type: 'subscribe', id, payload: { query, variables } });
  }

  /** The next message, oldest first. Rejects where the connection is closed before one comes. */
  async next(): Promise<SocketMessage> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.ws.readyState === WebSocket.CLOSED) throw new Error('The connection was closed');
      await this.#arrived.promise;
      this.#arrived = Promise.withResolvers();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ws.terminate();
    await this.closed;
  }
}
