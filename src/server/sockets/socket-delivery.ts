import type { Subscription } from '../subscriptions/subscription.ts';
import type { TransportTally } from '../tally.ts';
import type { GraphqlSocket } from './graphql-socket.ts';

export interface SocketDeliveryOptions {
  readonly socket: GraphqlSocket;
  readonly subscription: Subscription;
  /** The name that the client gave it. */
  readonly id: string;
  readonly tally: TransportTally;
  /** Called once, when it is over or nobody wants more of it. */
  readonly release: () => void;
}

/**
 * What graphql-ws iterates for a subscription. It yields nothing: it writes each result to the socket itself,
 * from the text that all who get it share, where the library would check and write the result anew for each.
 * Messages are the protocol's own: https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md
 */
export class SocketDelivery implements AsyncGenerator<never, undefined> {
  readonly #socket: GraphqlSocket;
  readonly #subscription: Subscription;
  readonly #tally: TransportTally;
  readonly #release: () => void;
  /** Of every message, up to its result. */
  readonly #head: string;
  #isOver = false;

  constructor({ socket, subscription, id, tally, release }: SocketDeliveryOptions) {
    this.#socket = socket;
    this.#subscription = subscription;
    this.#tally = tally;
    this.#release = release;
    this.#head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  }

  /** Delivers until it is over. Rejects with SubscriptionError. */
  async next(): Promise<IteratorReturnResult<undefined>> {
    const subscription = this.#subscription;
    this.#tally.subscriptions += 1;
    try {
      for (let text = await subscription.next(); text !== null; text = await subscription.next()) {
        this.#tally.events += 1;
        this.#tally.characters += text.length;
        await this.#socket.send(`${this.#head}${text}}`);
      }
    } finally {
      this.#tally.subscriptions -= 1;
      this.#end();
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#subscription.end();
    this.#end();
    return { done: true, value: undefined };
  }

  async throw(): Promise<IteratorReturnResult<undefined>> {
    return await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#release();
  }
}
