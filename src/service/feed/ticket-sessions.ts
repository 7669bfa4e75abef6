/**
 * The connections of a process that follow change feeds, and what they may have. Every two seconds, and when a
 * hint says that rights have changed, all of them are held against the database, each tenant's with one look:
 * whose API key or client key has ended is told so and given nothing more, so is whose signed login has become too
 * old, and so is every subscription that the policy permits no longer. Nobody needs a client key to follow the audit
 * log or an access sync.
 */
import { boundRecipient, type Caller, chooseRecipient, findEndedKeys } from '../../access/index.ts';
import { isSealdeskError, type SealdeskError } from '../../base/index.ts';
import { type AuthenticatedCall, assertAuthenticated, type Call } from '../../proxy/index.ts';
import type { SyncTails } from '../access-sync/sync-tails.ts';
import type { AccessSyncRunView } from '../access-sync/sync-view.ts';
import type { AuditTailEvent } from '../audit/audit-tail-event.ts';
import type { AuditTails } from '../audit/audit-tails.ts';
import { CallerPlaces } from '../caller-places.ts';
import type { ServiceDeps } from '../service-deps.ts';
import type { SessionIterator } from '../session-iterator.ts';
import type { FeedIterator } from './feed-iterator.ts';
import { OpenSession, type Recipiency } from './open-session.ts';
import { assertMaySubscribe, type SubscribeDeps, subscribeTickets } from './subscribe-tickets.ts';
import type { SessionOptions, TicketSession, TicketSubscription } from './ticket-session.ts';

/** In one process: of one key, and of all keys of a tenant together. */
export const SESSION_LIMITS = Object.freeze({
  connections: Object.freeze({ key: 1_000, tenant: 2_500 }),
  subscriptions: Object.freeze({ key: 2_000, tenant: 5_000 }),
});

/** How long a connection may live on a login that a client key has signed. */
export const SIGNED_LOGIN_MS = 3_600_000;
const CHECK_INTERVAL_MS = 2_000;

export interface TicketSessionsDeps extends SubscribeDeps, Pick<ServiceDeps, 'log'> {
  readonly auditTails: AuditTails;
  readonly syncTails: SyncTails;
}

export class TicketSessions implements AsyncDisposable {
  readonly #deps: TicketSessionsDeps;
  readonly #sessions = new Set<OpenSession>();
  readonly #connections = new CallerPlaces(SESSION_LIMITS.connections, 'key', 'connections to change feeds');
  readonly #subscriptions = new CallerPlaces(
    SESSION_LIMITS.subscriptions,
    'key',
    'subscriptions to change feeds',
  );
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
      const release = this.#connections.take(caller);
      try {
        const recipient = await this.#recipientOf(call).catch((error: unknown) => {
          if (mayDoWithoutRecipient(caller, error)) return null;
          throw error;
        });
        return this.#keep({ ...call, caller: { ...caller, boundKey: null } }, recipient, options, release);
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

  /**
   * The session of a caller without its bound key, which is not needed any more: there may be many connections. A
   * method of its own, since what the session calls back keeps everything that is in sight where it is written.
   */
  #keep(
    call: AuthenticatedCall,
    recipient: Recipiency | null,
    options: SessionOptions,
    release: () => void,
  ): OpenSession {
    const isSigned = call.caller.kind === 'CLIENT_KEY';
    const until = isSigned ? this.#deps.clock.now() + SIGNED_LOGIN_MS : Number.POSITIVE_INFINITY;
    const session = new OpenSession(call, recipient, until, {
      subscribe: (subscription) =>
        recorded(call, options, async () =>
          this.#subscribe(call, recipient ?? (await this.#recipientOf(call)), subscription),
        ),
      followAudit: (after) => recorded(call, options, () => this.#followAudit(call, after)),
      followSync: (runId) => recorded(call, options, () => this.#followSync(call, runId)),
      onEnd: options.onEnd,
      onExpired: options.onExpired,
      onClosed: () => {
        release();
        this.#sessions.delete(session);
      },
    });
    this.#sessions.add(session);
    return session;
  }

  async #recipientOf(call: AuthenticatedCall): Promise<Recipiency> {
    const { caller, recipientKeyId } = call;
    const now = this.#deps.clock.now();
    const { keyId, lineageId, restriction } =
      boundRecipient(caller, recipientKeyId, now) ??
      (await this.#deps.store.withTenant(caller.tenantId, (tx) =>
        chooseRecipient(tx, caller, recipientKeyId, now),
      ));
    return { keyId, lineageId, restriction };
  }

  async #subscribe(
    call: AuthenticatedCall,
    recipient: Recipiency,
    subscription: TicketSubscription,
  ): Promise<FeedIterator> {
    const release = this.#subscriptions.take(call.caller);
    try {
      const iterator = await subscribeTickets(this.#deps, { ...subscription, call, recipient });
      iterator.onceOver(release);
      return iterator;
    } catch (error) {
      release();
      throw error;
    }
  }

  async #followAudit(
    call: AuthenticatedCall,
    after: string | null,
  ): Promise<SessionIterator<AuditTailEvent>> {
    const release = this.#subscriptions.take(call.caller);
    try {
      const tail = await this.#deps.auditTails.begin(call, after);
      tail.onceOver(release);
      return tail;
    } catch (error) {
      release();
      throw error;
    }
  }

  async #followSync(call: AuthenticatedCall, runId: string): Promise<SessionIterator<AccessSyncRunView>> {
    const release = this.#subscriptions.take(call.caller);
    try {
      const tail = await this.#deps.syncTails.begin(call, runId);
      tail.onceOver(release);
      return tail;
    } catch (error) {
      release();
      throw error;
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#stopped.signal.aborted) {
      await clock.wait(CHECK_INTERVAL_MS, this.#stopped.signal).catch(() => undefined);
      if (this.#stopped.signal.aborted) return;
      this.#expire();
      if (this.#sessions.size > 0) await this.#check(null);
    }
  }

  /** Ends what would else be too old at the next look. Asks nobody. */
  #expire(): void {
    const next = this.#deps.clock.now() + CHECK_INTERVAL_MS;
    for (const session of this.#sessions) if (session.until <= next) session.expire();
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
    const callers = sessions.map(({ call }) => call.caller);
    const apiKeyIds = [...new Set(callers.filter(({ kind }) => kind === 'API_KEY').map(({ id }) => id))];
    // Of a client key that logged in, the recipient is itself.
    const clientKeyIds = [...new Set(sessions.flatMap(({ recipient }) => recipient?.keyId ?? []))];
    await store.withTenant(tenantId, async (tx) => {
      const ended = await findEndedKeys(tx, tenantId, { apiKeyIds, clientKeyIds }, clock.now());
      /** What one key may have of one integration under one restriction, asked once. */
      const verdicts = new Map<string, Promise<SealdeskError | null>>();
      for (const session of sessions) {
        const { call, recipient } = session;
        const failure = ended.get(call.caller.id) ?? ended.get(recipient?.keyId ?? '');
        if (failure !== undefined) {
          session.end(failure);
          continue;
        }
        if (recipient === null) continue;
        for (const [integrationId, iterators] of session.subscriptions()) {
          const name = JSON.stringify([call.caller.id, recipient.restriction, integrationId]);
          const verdict =
            verdicts.get(name) ?? failureOf(() => assertMaySubscribe(tx, call, recipient, integrationId));
          verdicts.set(name, verdict);
          const denial = await verdict;
          if (denial !== null) for (const iterator of iterators) iterator.end(denial);
        }
      }
    });
  }
}

/** Whether that no recipient is known keeps the caller from nothing that its roles permit. */
function mayDoWithoutRecipient({ roles }: Caller, error: unknown): boolean {
  const follows = roles.includes('AUDITOR') || roles.includes('ADMIN');
  return isSealdeskError(error, 'SEALED_RESPONSE_REQUIRED') && follows;
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
