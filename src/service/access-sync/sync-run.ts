/**
 * One turn of a run: claims it, goes on page by page until it is over, must wait, is taken away or has had its
 * turn, and leaves it in one of these states. Policy and credential are asked again with every page, in the
 * transaction that stores it: what was taken away meanwhile ends the run, and stores nothing.
 */
import { isSealdeskError, SealdeskError } from '../../base/index.ts';
import {
  advanceSyncRun,
  claimSyncRun,
  findSyncRun,
  finishSyncRun,
  holdSyncRun,
  pauseSyncRun,
  releaseSyncRun,
  renewSyncLease,
  type SyncEnding,
  type SyncLease,
  SyncLeaseLostError,
  type SyncRun,
  type SyncRunKey,
  saveSyncState,
} from '../../directory/index.ts';
import {
  type ConnectionTarget,
  createDirectorySource,
  credentialOf,
  type DirectorySource,
  findIntegration,
  holdIntegration,
  type Integration,
} from '../../proxy/index.ts';
import { notify, type Tx } from '../../store/index.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { syncEvent } from './sync-event.ts';
import { assertMayExport, failureOf, type SyncFailure } from './sync-failure.ts';
import { SYNC_OPERATION } from './sync-operation.ts';
import { nextPage, type PageWork } from './sync-pages.ts';
import type { SyncTimes } from './sync-times.ts';

/** Failures in a row, of those that pass, after which a run is given up. */
export const MAX_SYNC_FAILURES = 12;
/** The same, of those that nobody foresaw. */
const MAX_UNFORESEEN = 3;

/** The longest that an audit event tells. */
const MAX_DURATION_MS = 86_400_000;

export type SyncRunDeps = Pick<ServiceDeps, 'store' | 'keyring' | 'connections' | 'clock' | 'log'>;

export interface SyncTurn {
  readonly key: SyncRunKey;
  /** An opaque name of the process. */
  readonly holder: string;
  readonly times: SyncTimes;
  readonly signal: AbortSignal;
}

/** Takes a turn at the run, if nobody else has it. Rejects where the database or the audit log cannot be written. */
export async function takeSyncTurn(deps: SyncRunDeps, turn: SyncTurn): Promise<void> {
  const { store, clock } = deps;
  const { key, holder, times } = turn;
  const claim = { ...key, holder, lifetimeMs: times.lease };
  const lease = await store.withTenant(key.tenantId, (tx) =>
    claimSyncRun(tx, { ...claim, now: new Date(clock.now()) }),
  );
  if (lease !== null) await new HeldRun(deps, turn, lease).work();
}

class HeldRun {
  readonly #deps: SyncRunDeps;
  readonly #turn: SyncTurn;
  readonly #lease: SyncLease;
  readonly #source: DirectorySource;
  /** Aborted when the lease is lost or the process stops. */
  readonly #over = new AbortController();
  #target: ConnectionTarget | null = null;

  constructor(deps: SyncRunDeps, turn: SyncTurn, lease: SyncLease) {
    this.#deps = deps;
    this.#turn = turn;
    this.#lease = lease;
    const target = (): ConnectionTarget => {
      if (this.#target === null) throw new TypeError('"target" must be looked up before Zendesk is asked');
      return this.#target;
    };
    this.#source = createDirectorySource({ connections: deps.connections, clock: deps.clock, target });
  }

  async work(): Promise<void> {
    const { signal } = this.#turn;
    const stop = (): void => this.#over.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const renewing = this.#renew();
    try {
      await this.#walk();
    } catch (error) {
      if (error instanceof SyncLeaseLostError) return;
      // Given back, so that another process goes on at once.
      if (signal.aborted) await this.#within((tx) => releaseSyncRun(tx, this.#lease));
      else if (!this.#over.signal.aborted) await this.#fail(error);
    } finally {
      this.#over.abort();
      signal.removeEventListener('abort', stop);
      await renewing;
    }
  }

  async #walk(): Promise<void> {
    const { clock, times } = { ...this.#deps, ...this.#turn };
    const until = clock.now() + times.turn;
    let isChecked = false;
    for (;;) {
      const run = await this.#look();
      if (run.isCancelRequested) return this.#finish({ state: 'CANCELLED', now: new Date(clock.now()) });
      if (!isChecked) assertMayExport(await this.#source.check(this.#over.signal));
      isChecked = true;
      const work = await nextPage(
        { source: this.#source, signal: this.#over.signal, read: (read) => this.#within(read) },
        run,
      );
      this.#over.signal.throwIfAborted();
      if (work === null) return this.#finish({ state: 'SUCCEEDED', now: new Date(clock.now()) });
      await this.#store(run, work);
      if (clock.now() >= until) {
        await this.#within((tx) => releaseSyncRun(tx, this.#lease));
        return;
      }
    }
  }

  /** The run as it stands, and that its integration still lets it go on. */
  async #look(): Promise<SyncRun> {
    return this.#within(async (tx) => {
      const run = await findSyncRun(tx, this.#lease);
      if (run === null) throw new SyncLeaseLostError(this.#lease.runId);
      const integration = await findIntegration(tx, run.tenantId, run.integrationId);
      this.#target = targetOf(integration, run);
      return run;
    });
  }

  async #store(run: SyncRun, work: PageWork): Promise<void> {
    const { keyring, clock } = this.#deps;
    const keys = await keyring.keysOf(run.tenantId, { signal: this.#over.signal });
    const now = new Date(clock.now());
    await this.#within(async (tx) => {
      const held = await holdSyncRun(tx, this.#lease);
      const target = targetOf(await holdIntegration(tx, run.tenantId, run.integrationId), run);
      if (!isSame(target, this.#target)) throw connectedAnew();
      const isFull = held.kind === 'FULL';
      const step = await work(tx, { keys, key: run, runId: run.id, now, isFull });
      await advanceSyncRun(tx, this.#lease, { ...step, now });
      await notify(tx, 'syncs', run.id);
    });
  }

  async #finish(ending: SyncEnding, failure: SyncFailure | null = null): Promise<void> {
    const { keyring } = this.#deps;
    const { tenantId } = this.#lease;
    const keys = await keyring.keysOf(tenantId);
    await this.#within(async (tx) => {
      const run = await finishSyncRun(tx, this.#lease, ending);
      const startedAt = run.startedAt ?? run.requestedAt;
      if (ending.state === 'SUCCEEDED') await saveSyncState(tx, run, { syncedAt: startedAt });
      const now = ending.now.getTime();
      const event = syncEvent('access-sync.finish', run, now, {
        outcome: ending.state === 'FAILED' ? 'FAILED' : 'SUCCEEDED',
        durationMs: Math.min(MAX_DURATION_MS, Math.max(0, now - startedAt.getTime())),
        ...(ending.state === 'FAILED' ? { denialReason: ending.reason } : {}),
        ...(failure?.upstreamStatus === undefined ? {} : { upstreamStatus: failure.upstreamStatus }),
      });
      await notify(tx, 'syncs', run.id);
      await appendEvents(tx, tenantId, keys.auditHeadKey(), [event]);
    });
  }

  /** Lets the run wait where what failed passes, and ends it where not. */
  async #fail(error: unknown): Promise<void> {
    const { clock, log } = this.#deps;
    const failure = failureOf(error);
    const { code: reason, advice } = failure;
    const run = await this.#within((tx) => findSyncRun(tx, this.#lease));
    if (run === null) return;
    const { id: runId, integrationId } = run;
    log.warn('An access sync does not go on', { runId, integrationId, code: reason, error: errorOf(error) });
    const most = isSealdeskError(error) ? MAX_SYNC_FAILURES : MAX_UNFORESEEN;
    if (failure.passes && run.failures + 1 < most) {
      const waitMs = Math.max(failure.retryAfterMs, this.#backOff(run.failures));
      await this.#within(async (tx) => {
        await pauseSyncRun(tx, this.#lease, { reason, advice, waitMs });
        await notify(tx, 'syncs', runId);
      });
      return;
    }
    await this.#finish({ state: 'FAILED', reason, advice, now: new Date(clock.now()) }, failure);
  }

  #backOff(failures: number): number {
    const { least, most } = this.#turn.times.backOff;
    return Math.min(most, least * 2 ** Math.min(failures, 16));
  }

  async #renew(): Promise<void> {
    const { clock } = this.#deps;
    const { times } = this.#turn;
    const { signal } = this.#over;
    while (!signal.aborted) {
      await clock.wait(times.renew, signal).catch(() => undefined);
      if (signal.aborted) return;
      // Where the database is away the page under way tells.
      const isHeld = await this.#within((tx) => renewSyncLease(tx, this.#lease, times.lease)).catch(
        () => true,
      );
      if (!isHeld) this.#over.abort();
    }
  }

  #within<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#deps.store.withTenant(this.#lease.tenantId, work);
  }
}

/** Where the run calls. Throws OPERATION_NOT_ALLOWED or CONFLICT where the integration does not let it go on. */
function targetOf(integration: Integration | null, run: SyncRun): ConnectionTarget {
  if (integration === null) throw new SyncLeaseLostError(run.id);
  if (!integration.allowedOperations.includes(SYNC_OPERATION)) throw syncNotAllowed();
  const { tenantId, subdomain } = integration;
  return { tenantId, subdomain, credentialId: credentialOf(integration) };
}

export function syncNotAllowed(): SealdeskError {
  return new SealdeskError(
    'OPERATION_NOT_ALLOWED',
    `The integration does not allow ${SYNC_OPERATION}. An ADMIN can add it to its allowedOperations.`,
    { subject: SYNC_OPERATION },
  );
}

function isSame(one: ConnectionTarget, other: ConnectionTarget | null): boolean {
  return one.subdomain === other?.subdomain && one.credentialId === other.credentialId;
}

/** The page is read again with the credential that the integration has now. */
function connectedAnew(): SealdeskError {
  return new SealdeskError(
    'UPSTREAM_UNAVAILABLE',
    'The credential of the integration was changed meanwhile. The sync goes on with the new one.',
  );
}

function errorOf(error: unknown): Error | undefined {
  return error instanceof Error ? error : undefined;
}
