import { SealdeskError } from '../../base/index.ts';
import type { TicketSession } from '../../service/index.ts';
import { readGraphqlRequest } from '../graphql/request.ts';
import type { Subscriptions } from '../subscriptions/subscriptions.ts';
import type { TransportTally } from '../tally.ts';
import type { GraphqlSocket } from './graphql-socket.ts';
import { SocketDelivery } from './socket-delivery.ts';
import {
  openSocketSession,
  type SessionEnds,
  type SocketServices,
  type UpgradeLogin,
} from './socket-login.ts';

/** Subscriptions that may be under way on one connection. */
export const MAX_SUBSCRIPTIONS = 100;
/** Characters of the name that a client gives a subscription: it is repeated with every result. */
const MAX_ID_CHARACTERS = 128;

export interface SocketConnectionOptions extends SessionEnds {
  readonly socket: GraphqlSocket;
  readonly services: SocketServices;
  readonly subscriptions: Subscriptions;
  readonly tally: TransportTally;
}

/**
 * One connection: who is behind it, and what it may begin. Logged in once; its first subscription is counted
 * with the login, each further one as a request of its key.
 */
export class SocketConnection {
  readonly socket: GraphqlSocket;
  readonly #options: SocketConnectionOptions;
  #session: TicketSession | null = null;
  #hasSubscribed = false;
  /** Subscriptions that are beginning or under way; graphql-ws counts none that was completed while it began. */
  #underWay = 0;
  #isClosed = false;

  constructor(options: SocketConnectionOptions) {
    this.#options = options;
    this.socket = options.socket;
  }

  /** Rejects with the failures of {@link openSocketSession}. */
  async login(login: UpgradeLogin, payload: Readonly<Record<string, unknown>>): Promise<void> {
    const { services } = this.#options;
    const session = await openSocketSession(services, login, payload, this.#options);
    if (this.#isClosed) await session[Symbol.asyncDispose]();
    else this.#session = session;
  }

  /**
   * Begins the subscription `id`. Rejects with SubscriptionError. `payload` is what the client asked for, and
   * left empty: it would be held as long as the subscription lives.
   */
  async subscribe(id: string, payload: object): Promise<SocketDelivery> {
    const { services, subscriptions, tally, socket } = this.#options;
    const session = this.#session;
    if (session === null) throw new TypeError('"login" must come before "subscribe"');
    this.#underWay += 1;
    const release = (): void => {
      this.#underWay -= 1;
    };
    try {
      if (id.length > MAX_ID_CHARACTERS) throw idTooLong();
      if (this.#underWay > MAX_SUBSCRIPTIONS) throw tooManySubscriptions();
      if (this.#hasSubscribed) services.takeFromRate(session.call);
      this.#hasSubscribed = true;
      const request = readGraphqlRequest(payload);
      for (const name of Object.keys(payload)) Reflect.deleteProperty(payload, name);
      const subscription = await subscriptions.start(session, request);
      return new SocketDelivery({ socket, subscription, id, tally, release });
    } catch (error) {
      release();
      throw await subscriptions.refuse(session, error);
    }
  }

  /** Gives up what the connection held. */
  async dispose(): Promise<void> {
    this.#isClosed = true;
    await this.#session?.[Symbol.asyncDispose]();
  }
}

function idTooLong(): SealdeskError {
  return new SealdeskError(
    'VALIDATION_FAILED',
    `The id of a subscription may have ${MAX_ID_CHARACTERS} characters.`,
    { fields: [{ path: 'id', message: `has more than ${MAX_ID_CHARACTERS} characters` }] },
  );
}

function tooManySubscriptions(): SealdeskError {
  return new SealdeskError(
    'TOO_MANY_REQUESTS',
    `A connection may have ${MAX_SUBSCRIPTIONS} subscriptions. End one first, or open another connection.`,
    { subject: String(MAX_SUBSCRIPTIONS), retryAfter: 1 },
  );
}
