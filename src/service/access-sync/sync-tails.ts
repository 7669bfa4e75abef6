/**
 * All who follow access syncs in a process. The row of the run is the truth: each reads it for itself, woken by the
 * notification of each page, and by a look every two seconds.
 */
import { assertRole, assertStillValid } from '../../access/index.ts';
import { createId } from '../../base/index.ts';
import { type AuthenticatedCall, describeCall } from '../../proxy/index.ts';
import { CallerPlaces } from '../caller-places.ts';
import { Slots } from '../feed/slots.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { readRun } from './read-access-sync.ts';
import { SYNC_OPERATION } from './sync-operation.ts';
import { SyncProgressIterator } from './sync-progress-iterator.ts';
import type { AccessSyncRunView } from './sync-view.ts';

/** Of one API key, and of all keys of a tenant together, in one process. */
export const SYNC_TAIL_LIMITS = Object.freeze({ key: 16, tenant: 64 });
/** Readings at once: they must not take all connections to the database. */
const MAX_READINGS = 4;

export interface SyncTailsDeps extends Pick<ServiceDeps, 'store' | 'keyring' | 'clock' | 'log'> {
  /** Between two looks without a hint. */
  readonly times: { readonly pollMs: number };
}

export class SyncTails implements AsyncDisposable {
  readonly #deps: SyncTailsDeps;
  /** By run. */
  readonly #tails = new Map<string, Set<SyncProgressIterator>>();
  readonly #places = new CallerPlaces(SYNC_TAIL_LIMITS, 'API key', 'subscriptions to access syncs');
  readonly #slots = new Slots(MAX_READINGS);
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;

  constructor(deps: SyncTailsDeps) {
    this.#deps = deps;
    this.#running = this.#run();
  }

  /**
   * The run as it stands and as it goes on. That it is followed is recorded before anything is handed on. Rejects
   * with FORBIDDEN, NOT_FOUND, OPERATION_NOT_ALLOWED, TOO_MANY_REQUESTS, UNAUTHENTICATED, KMS_UNAVAILABLE and
   * AUDIT_UNAVAILABLE.
   */
  async begin(call: AuthenticatedCall, runId: string): Promise<SyncProgressIterator> {
    const { caller } = call;
    assertRole(caller, 'ADMIN');
    const release = this.#places.take(caller);
    try {
      await this.#record(call, runId);
      return this.#open(call, runId, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** This run may have come further, or, `null`, any. */
  hint(runId: string | null): void {
    const followed = runId === null ? this.#tails.values() : [this.#tails.get(runId) ?? []];
    for (const tails of followed) for (const tail of tails) tail.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    for (const tails of [...this.#tails.values()]) for (const tail of [...tails]) tail.end();
  }

  async #record(call: AuthenticatedCall, runId: string): Promise<void> {
    const { store, keyring, clock } = this.#deps;
    const { tenantId } = call.caller;
    const startedAt = clock.now();
    const keys = await keyring.keysOf(tenantId, { signal: call.signal });
    await store.withTenant(tenantId, async (tx) => {
      await assertStillValid(tx, call.caller, clock.now());
      const { id: resource, integrationId } = await readRun(tx, call, runId);
      const event = {
        ...describeCall(call),
        id: createId('auditEvent', clock.now()),
        occurredAt: new Date(clock.now()).toISOString(),
        durationMs: Math.max(0, clock.now() - startedAt),
        ...({ phase: 'SINGLE', action: 'subscription.syncProgress', outcome: 'SUCCEEDED' } as const),
        ...{ operation: SYNC_OPERATION, integrationId, resource },
      };
      await appendEvents(tx, tenantId, keys.auditHeadKey(), [event]);
    });
  }

  #open(call: AuthenticatedCall, runId: string, release: () => void): SyncProgressIterator {
    const tail = new SyncProgressIterator(() => this.#read(call, runId));
    const tails = this.#tails.get(runId) ?? new Set();
    this.#tails.set(runId, tails);
    tails.add(tail);
    tail.onceOver(() => {
      release();
      tails.delete(tail);
      if (tails.size === 0 && this.#tails.get(runId) === tails) this.#tails.delete(runId);
    });
    if (this.#stopped.signal.aborted) tail.end();
    return tail;
  }

  async #read(call: AuthenticatedCall, runId: string): Promise<AccessSyncRunView> {
    const { tenantId } = call.caller;
    return this.#slots.use(
      tenantId,
      () => this.#deps.store.withTenant(tenantId, (tx) => readRun(tx, call, runId)),
      this.#stopped.signal,
    );
  }

  async #run(): Promise<void> {
    const { clock, times } = this.#deps;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await clock.wait(times.pollMs, signal).catch(() => undefined);
      if (!signal.aborted) this.hint(null);
    }
  }
}
