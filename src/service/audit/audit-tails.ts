/**
 * All who follow logs in a process. The log is the truth: each reads it for itself, page by page, as fast as it
 * takes what it is given. A notification wakes who waits, though not more often than they could read, and so does
 * a look every two seconds; logs give notifications only while somebody follows them, which is said again and again
 * here.
 */
import { assertRole, assertStillValid } from '../../access/index.ts';
import { listAuditEvents, noteFollowed, readLogSize } from '../../audit/index.ts';
import { createId } from '../../base/index.ts';
import { type AuthenticatedCall, describeCall } from '../../proxy/index.ts';
import { CallerPlaces } from '../caller-places.ts';
import { Slots } from '../feed/slots.ts';
import { invalidInput } from '../input.ts';
import { encodeCursor, parseCursor } from '../page.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import type { AuditTailEvent } from './audit-tail-event.ts';
import { AuditTailIterator } from './audit-tail-iterator.ts';

/** Of one API key, and of all keys of a tenant together, in one process. */
export const AUDIT_TAIL_LIMITS = Object.freeze({ key: 16, tenant: 64 });
/** Events that one holds at a time. */
const HELD_EVENTS = 64;
/** Readings at once: they must not take all connections to the database. */
const MAX_READINGS = 4;
const RENEW_MS = 10_000;
/** Between two hints that are passed on: what is appended meanwhile is read at once. */
const GATHER_MS = 50;

export interface AuditTailTimes {
  /** Between two looks without a hint. */
  readonly pollMs: number;
}

export interface AuditTailsDeps extends Pick<ServiceDeps, 'store' | 'keyring' | 'clock' | 'log'> {
  readonly times: AuditTailTimes;
}

/** Those who follow the log of one tenant. */
interface Followers {
  readonly tails: Set<AuditTailIterator>;
  renewedAt: number;
  /** Whether they were woken within {@link GATHER_MS}, and whether they are to be woken after it. */
  isResting: boolean;
  isHinted: boolean;
}

export class AuditTails implements AsyncDisposable {
  readonly #deps: AuditTailsDeps;
  readonly #tenants = new Map<string, Followers>();
  readonly #places = new CallerPlaces(AUDIT_TAIL_LIMITS, 'API key', 'subscriptions to the audit log');
  readonly #slots = new Slots(MAX_READINGS);
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;

  constructor(deps: AuditTailsDeps) {
    this.#deps = deps;
    this.#running = this.#run();
  }

  /**
   * The events after the cursor `after`; without one from its own beginning on, which is an event too. That is
   * recorded before anything is handed on. Rejects with FORBIDDEN, VALIDATION_FAILED for the cursor,
   * TOO_MANY_REQUESTS, UNAUTHENTICATED, KMS_UNAVAILABLE and AUDIT_UNAVAILABLE.
   */
  async begin(call: AuthenticatedCall, after: string | null): Promise<AuditTailIterator> {
    const { caller } = call;
    assertRole(caller, 'AUDITOR');
    const asked = after === null ? null : parseAfter(after);
    const release = this.#places.take(caller);
    try {
      const place = await this.#record(call, asked);
      return this.#open(caller.tenantId, place, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Something may have been appended to the log of this tenant, or, `null`, to any. */
  hint(tenantId: string | null): void {
    const followed = tenantId === null ? this.#tenants.values() : [this.#tenants.get(tenantId)];
    for (const followers of followed) if (followers !== undefined) this.#wake(followers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    for (const { tails } of this.#tenants.values()) for (const tail of [...tails]) tail.end();
  }

  /** Records the beginning and answers where it stands. */
  async #record(call: AuthenticatedCall, asked: number | null): Promise<number> {
    const { store, keyring, clock } = this.#deps;
    const { tenantId } = call.caller;
    const startedAt = clock.now();
    const keys = await keyring.keysOf(tenantId, { signal: call.signal });
    return store.withTenant(tenantId, async (tx) => {
      await assertStillValid(tx, call.caller, clock.now());
      const size = await readLogSize(tx, tenantId, { lock: true });
      if (asked !== null && asked >= size) {
        throw invalidInput([{ path: 'after', message: 'is beyond the end of the log' }]);
      }
      await noteFollowed(tx, tenantId);
      const event = {
        ...describeCall(call),
        id: createId('auditEvent', clock.now()),
        occurredAt: new Date(clock.now()).toISOString(),
        durationMs: Math.max(0, clock.now() - startedAt),
        ...({ phase: 'SINGLE', action: 'subscription.auditTail', outcome: 'SUCCEEDED' } as const),
      };
      await appendEvents(tx, tenantId, keys.auditHeadKey(), [event]);
      return asked ?? size - 1;
    });
  }

  #open(tenantId: string, place: number, release: () => void): AuditTailIterator {
    const tail = new AuditTailIterator({ place, read: (after) => this.#read(tenantId, after) });
    const followers = this.#tenants.get(tenantId) ?? {
      ...{ tails: new Set(), renewedAt: this.#deps.clock.now() },
      ...{ isResting: false, isHinted: false },
    };
    this.#tenants.set(tenantId, followers);
    followers.tails.add(tail);
    tail.onceOver(() => {
      release();
      followers.tails.delete(tail);
      if (followers.tails.size === 0 && this.#tenants.get(tenantId) === followers)
        this.#tenants.delete(tenantId);
    });
    if (this.#stopped.signal.aborted) tail.end();
    return tail;
  }

  async #read(tenantId: string, after: number): Promise<readonly AuditTailEvent[]> {
    const { store } = this.#deps;
    const events = await this.#slots.use(
      tenantId,
      () => store.withTenant(tenantId, (tx) => listAuditEvents(tx, tenantId, { after, limit: HELD_EVENTS })),
      this.#stopped.signal,
    );
    return events.map((event) => Object.freeze({ cursor: encodeCursor(String(event.index)), event }));
  }

  async #run(): Promise<void> {
    const { clock, times } = this.#deps;
    const { signal } = this.#stopped;
    let polledAt = clock.now();
    while (!signal.aborted) {
      await clock.wait(Math.min(times.pollMs, RENEW_MS), signal).catch(() => undefined);
      if (signal.aborted) return;
      const isPollDue = clock.now() - polledAt >= times.pollMs;
      if (isPollDue) polledAt = clock.now();
      for (const [tenantId, followers] of this.#tenants) {
        if (isPollDue) this.#wake(followers);
        if (clock.now() - followers.renewedAt >= RENEW_MS) void this.#renew(tenantId, followers);
      }
    }
  }

  #wake(followers: Followers): void {
    if (followers.isResting) {
      followers.isHinted = true;
      return;
    }
    followers.isResting = true;
    for (const tail of followers.tails) tail.wake();
    const { clock } = this.#deps;
    void clock
      .wait(GATHER_MS, this.#stopped.signal)
      .catch(() => undefined)
      .then(() => {
        followers.isResting = false;
        if (!followers.isHinted || this.#stopped.signal.aborted) return;
        followers.isHinted = false;
        this.#wake(followers);
      });
  }

  async #renew(tenantId: string, followers: Followers): Promise<void> {
    const { store, clock, log } = this.#deps;
    followers.renewedAt = clock.now();
    await store
      .withTenant(tenantId, (tx) => noteFollowed(tx, tenantId))
      .catch((error: unknown) =>
        log.warn('That an audit log is followed could not be noted', {
          error: error instanceof Error ? error : undefined,
        }),
      );
  }
}

/** The index that a cursor stands for. Throws VALIDATION_FAILED. */
function parseAfter(cursor: string): number {
  const key = parseCursor(cursor, 'after');
  if (!/^\d{1,15}$/.test(key)) {
    throw invalidInput([{ path: 'after', message: 'is not a cursor of the audit log' }]);
  }
  return Number(key);
}
