/**
 * The connections of a process that follow change feeds, and what they may have. Every two seconds, and when a
 * hint says that rights have changed, all of them are held against the database, each tenant's with one look:
 * whose API key or client key has ended is told so and given nothing more, and so is every subscription that the
 * policy permits no longer.
 */
import { boundRecipient, type Caller, chooseRecipient, findEndedKeys } from '../../access/index.ts';
import { isSealdeskError, type SealdeskError } from '../../base/index.ts';
import { type AuthenticatedCall, assertAuthenticated, type Call } from '../../proxy/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import type { FeedIterator } from './feed-iterator.ts';
import { HolderCounts } from './holder-counts.ts';
import { OpenSession, type Recipiency } from './open-session.ts';
import { assertMaySubscribe, type SubscribeDeps, subscribeTickets } from './subscribe-tickets.ts';
import type { SessionOptions, TicketSession, TicketSubscription } from './ticket-session.ts';

/** In one process: of one API key, and of all keys of a tenant together. */
export const SESSION_LIMITS = Object.freeze({
  connections: Object.freeze({ key: 1_000, tenant: 2_500 }),
  subscriptions: Object.freeze({ key: 2_000, tenant: 5_000 }),
});

const CHECK_INTERVAL_MS = 2_000;

export interface TicketSessionsDeps extends SubscribeDeps, Pick<ServiceDeps, 'log'> {}

export class TicketSessions implements AsyncDisposable {
  readonly #deps: TicketSessionsDeps;
  readonly #sessions = new Set<OpenSession>();
  readonly #connections = createPlaces('connections');
  readonly #subscriptions = createPlaces('subscriptions');
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  #checking: Promise<void> | null = null;
  /** Tenants to be looked at, `null` for all. */
  readonly #stale = new Set<string | null>();

  constructor(deps: TicketSessionsDeps) {
    this.#deps = deps;
    this.#running = this.#run();
  }

  /** A session for who calls. Rejects with UNAUTHENTICATED, the failures of the recipient, and TOO_MANY_REQUESTS. */
  async open(call: Call, options: SessionOptions): Promise<TicketSession> {
    return recorded(call, options, async () => {
      assertAuthenticated(call);
      const { caller } = call;
      const release = takePlace(this.#connections, caller);
      try {
        const recipient = await this.#recipientOf(call);
        // Its bound key is not needed any more, and there may be many connections.
        const slim: AuthenticatedCall = { ...call, caller: { ...caller, boundKey: null } };
        const session = new OpenSession(slim, recipient, {
          subscribe: (subscription) =>
            recorded(slim, options, () => this.#subscribe(slim, recipient, subscription)),
          onEnd: options.onEnd,
          onClosed: () => {
            release();
            this.#sessions.delete(session);
          },
        });
        this.#sessions.add(session);
        return session;
      } catch (error) {
        release();
        throw error;
      }
    });
  }

  /** The rights of somebody in this tenant may have changed, or, `null`, in any. */
  hint(tenantId: string | null): void {
    void this.#check(tenantId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    await this.#checking;
    for (const session of this.#sessions) await session[Symbol.asyncDispose]();
  }

  async #recipientOf(call: AuthenticatedCall): Promise<Recipiency> {
    const { caller, recipientKeyId } = call;
    const { keyId, lineageId } =
      boundRecipient(caller, recipientKeyId) ??
      (await this.#deps.store.withTenant(caller.tenantId, (tx) =>
        chooseRecipient(tx, caller, recipientKeyId),
      ));
    return { keyId, lineageId };
  }

  async #subscribe(
    call: AuthenticatedCall,
    recipient: Recipiency,
    subscription: TicketSubscription,
  ): Promise<FeedIterator> {
    const release = takePlace(this.#subscriptions, call.caller);
    try {
      const iterator = await subscribeTickets(this.#deps, { ...subscription, call, recipient });
      iterator.onceOver(release);
      return iterator;
    } catch (error) {
      release();
      throw error;
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#stopped.signal.aborted) {
      await clock.wait(CHECK_INTERVAL_MS, this.#stopped.signal).catch(() => undefined);
      if (!this.#stopped.signal.aborted && this.#sessions.size > 0) await this.#check(null);
    }
  }

  /** Joins the check under way, which is then followed by another. Never rejects. */
  #check(tenantId: string | null): Promise<void> {
    this.#stale.add(tenantId);
    this.#checking ??= this.#checkAll().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  async #checkAll(): Promise<void> {
    while (this.#stale.size > 0 && !this.#stopped.signal.aborted) {
      const meant = new Set(this.#stale);
      this.#stale.clear();
      const byTenant = Map.groupBy(this.#sessions, ({ call }) => call.caller.tenantId);
      for (const [tenantId, sessions] of byTenant) {
        if (!meant.has(null) && !meant.has(tenantId)) continue;
        await this.#checkTenant(tenantId, sessions).catch((error: unknown) =>
          this.#deps.log.warn('The rights of connections could not be looked up', {
            error: error instanceof Error ? error : undefined,
          }),
        );
      }
    }
  }

  async #checkTenant(tenantId: string, sessions: readonly OpenSession[]): Promise<void> {
    const { store, clock } = this.#deps;
    const apiKeyIds = [...new Set(sessions.map(({ call }) => call.caller.apiKeyId))];
    const clientKeyIds = [...new Set(sessions.map(({ recipient }) => recipient.keyId))];
    await store.withTenant(tenantId, async (tx) => {
      const ended = await findEndedKeys(tx, tenantId, { apiKeyIds, clientKeyIds }, clock.now());
      /** What one API key may have of one integration, asked once. */
      const verdicts = new Map<string, Promise<SealdeskError | null>>();
      for (const session of sessions) {
        const { call, recipient } = session;
        const failure = ended.get(call.caller.apiKeyId) ?? ended.get(recipient.keyId);
        if (failure !== undefined) {
          session.end(failure);
          continue;
        }
        for (const [integrationId, iterators] of session.subscriptions()) {
          const name = `${call.caller.apiKeyId} ${integrationId}`;
          const verdict = verdicts.get(name) ?? failureOf(() => assertMaySubscribe(tx, call, integrationId));
          verdicts.set(name, verdict);
          const denial = await verdict;
          if (denial !== null) for (const iterator of iterators) iterator.end(denial);
        }
      }
    });
  }
}

/** What is counted for a key and for its tenant. */
interface Places {
  readonly ofKeys: HolderCounts;
  readonly ofTenants: HolderCounts;
}

function createPlaces(kind: keyof typeof SESSION_LIMITS): Places {
  const { key, tenant } = SESSION_LIMITS[kind];
  const what = `${kind} to change feeds`;
  return {
    ofKeys: new HolderCounts(key, 'This API key', what),
    ofTenants: new HolderCounts(tenant, 'The tenant of this API key', what),
  };
}

/** One more for the caller and its tenant, until what is returned is called. Throws TOO_MANY_REQUESTS. */
function takePlace({ ofKeys, ofTenants }: Places, { apiKeyId, tenantId }: Caller): () => void {
  const releaseTenant = ofTenants.take(tenantId);
  try {
    const releaseKey = ofKeys.take(apiKeyId);
    return () => {
      releaseKey();
      releaseTenant();
    };
  } catch (error) {
    releaseTenant();
    throw error;
  }
}

/** `work`, its failure recorded. */
async function recorded<T>(
  call: Call,
  { recordFailure }: SessionOptions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isSealdeskError(error) ? await recordFailure(call, error) : error;
  }
}

async function failureOf(work: () => Promise<void>): Promise<SealdeskError | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (isSealdeskError(error)) return error;
    throw error;
  }
}
