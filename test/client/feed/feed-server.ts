/**
 * The edge of a gateway that serves one subscription to a connection, in this process and without a port: as a
 * WebSocket that speaks `graphql-transport-ws`, and as `fetch` with server-sent events. What it serves is a script.
 */
import type { EventData } from './feed-log.ts';

/** A connection after its login. */
export interface FeedServing {
  readonly integrationId: string;
  /** The cursor that the subscription begins after. */
  readonly after: string | null;
  /** Whether the other side has gone. */
  readonly signal: AbortSignal;
  send(event: EventData): void;
  /** Resolves when what was sent has been read, or the other side has gone. */
  untilRead(): Promise<void>;
  /** An execution result as it is. */
  sendResult(result: unknown): void;
  /** The failure of the subscription. */
  fail(code: string, extensions?: object): void;
  complete(): void;
  /** Ends the connection: with a WebSocket's code and reason, or in the middle of the stream. */
  close(code?: number, reason?: string): void;
}

export interface FeedLogin {
  readonly apiKey: string | undefined;
  readonly clientKey: string | undefined;
}

export type FeedScript = (serving: FeedServing) => Promise<void>;

interface Subscription {
  readonly query: string;
  readonly variables: { readonly integrationId: string; readonly after: string | null };
}

export class FeedServer {
  /** Each connection takes the first; the last one serves all the rest. */
  scripts: FeedScript[] = [];
  readonly logins: FeedLogin[] = [];
  readonly cursors: (string | null)[] = [];
  readonly queries: string[] = [];
  readonly urls: string[] = [];
  /** How connections ended that the client closed. */
  readonly closes: number[] = [];
  /** In place of serving, over HTTP. */
  refuse: (() => Response) | null = null;
  /** Into how many pieces the text of an event stream is cut. */
  pieces = 1;
  failures: unknown[] = [];

  serve(login: FeedLogin, { query, variables }: Subscription, serving: FeedServing): void {
    this.logins.push(login);
    this.cursors.push(variables.after);
    this.queries.push(query);
    const script = this.scripts.length > 1 ? this.scripts.shift() : this.scripts[0];
    setImmediate(() => {
      script?.(serving).catch((error: unknown) => {
        this.failures.push(error);
        serving.fail('VALIDATION_FAILED');
      });
    });
  }

  /** The class of sockets that lead here. */
  get WebSocket(): typeof WebSocket {
    const server = this;
    return class extends ServedSocket {
      constructor(url: string) {
        super(server, url);
      }
    } as never;
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    this.urls.push(request.url);
    if (this.refuse !== null) return this.refuse();
    const { headers } = request;
    // Not the request's own, which no longer follows it once the request has been collected.
    const signal = init?.signal ?? new AbortController().signal;
    const login = {
      apiKey: headers.get('x-api-key') ?? undefined,
      clientKey: headers.get('x-sealdesk-key') ?? undefined,
    };
    const subscription: Subscription = JSON.parse(await request.text());
    let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
    let read = Promise.withResolvers<void>();
    const stream = new ReadableStream<Uint8Array>({
      start(made) {
        controller = made;
        signal.addEventListener('abort', () => made.error(signal.reason), { once: true });
      },
      pull() {
        read.resolve();
        read = Promise.withResolvers();
      },
    });
    const gone = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => gone.resolve(), { once: true });
    const write = (text: string): void => {
      if (signal.aborted) return;
      const bytes = new TextEncoder().encode(text);
      const size = Math.ceil(bytes.length / this.pieces);
      for (let start = 0; start < bytes.length; start += size) {
        controller?.enqueue(bytes.slice(start, start + size));
      }
    };
    const end = (error?: Error): void => {
      if (signal.aborted) return;
      if (error === undefined) controller?.close();
      else controller?.error(error);
    };
    const sendResult = (result: unknown): void => write(`event: next\ndata: ${JSON.stringify(result)}\n\n`);
    write(':\n\n');
    this.serve(login, subscription, {
      ...subscription.variables,
      signal,
      sendResult,
      send: (event) => sendResult({ data: { ticketChanges: event } }),
      async untilRead() {
        while (!signal.aborted && (controller?.desiredSize ?? 0) < 1) {
          await Promise.race([read.promise, gone.promise]);
        }
      },
      fail(code, extensions = {}) {
        sendResult({ errors: [failure(code, extensions)] });
        write('event: complete\ndata:\n\n');
        end();
      },
      complete() {
        write('event: complete\ndata:\n\n');
        end();
      },
      close: () => end(new TypeError('terminated')),
    });
    return new Response(stream, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
  };
}

const failure = (code: string, extensions: object) => ({
  message: `Refused with ${code}.`,
  extensions: { code, ...extensions },
});

/** A WebSocket as far as graphql-ws uses one. */
class ServedSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  readonly #server: FeedServer;
  readonly #gone = new AbortController();
  #login: FeedLogin = { apiKey: undefined, clientKey: undefined };

  constructor(server: FeedServer, url: string) {
    this.#server = server;
    server.urls.push(url);
    queueMicrotask(() => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string): void {
    const { id, type, payload } = JSON.parse(text);
    if (type === 'connection_init') {
      this.#login = payload;
      this.#push({ type: 'connection_ack' });
    } else if (type === 'subscribe') {
      const sendResult = (result: unknown): void => this.#push({ id, type: 'next', payload: result });
      this.#server.serve(this.#login, payload, {
        ...payload.variables,
        signal: this.#gone.signal,
        sendResult,
        send: (event) => sendResult({ data: { ticketChanges: event } }),
        // A socket hands on what comes, whoever is ready for it.
        untilRead: () => new Promise((resolve) => setImmediate(resolve)),
        fail: (code, extensions = {}) =>
          this.#push({ id, type: 'error', payload: [failure(code, extensions)] }),
        complete: () => this.#push({ id, type: 'complete' }),
        close: (code = 1006, reason = '') => this.#end(code, reason),
      });
    } else if (type === 'complete') {
      this.#gone.abort();
    }
  }

  close(code: number): void {
    if (this.readyState > 1) return;
    this.#server.closes.push(code);
    this.#end(code, '');
  }

  #push(message: object): void {
    const data = JSON.stringify(message);
    // Never within a call of the client's, as over a network.
    queueMicrotask(() => {
      if (this.readyState === 1) this.onmessage?.({ data });
    });
  }

  #end(code: number, reason: string): void {
    // After what was sent before.
    queueMicrotask(() => {
      this.readyState = 3;
      this.#gone.abort();
      this.onclose?.({ code, reason });
    });
  }
}
