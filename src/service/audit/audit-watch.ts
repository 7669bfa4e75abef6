/**
 * The part of a process that looks after the audit logs: seals a checkpoint where there is news, writes it to
 * the anchor, and compares each log with its tree, its head, its checkpoints and the anchor. Every process has
 * one; a log is visited by one of them at a time.
 *
 * A round: alarms that were raised are read, logs that are due are found and visited, a few at once. In its
 * first rounds a process visits every log, due or not, since it cannot know what became of the database
 * before it. What a visit does:
 * - compares the log with what this process and the anchor know of it (the anchor is asked the first time, and
 *   then now and then),
 * - checks a part of its events where that is due, from where the last visit stopped,
 * - seals a checkpoint, and writes to the anchor what is not there yet.
 * A visit that finds the log altered raises the alarm, and the log is not visited any more. A failing anchor
 * or KMS is told in the log and tried again later.
 */
import { randomUUID } from 'node:crypto';
import {
  AnchorError,
  type AuditAlarm,
  type AuditAnchor,
  AuditFault,
  type CheckpointPlace,
  claimWatch,
  DEFAULT_WATCH_TIMES,
  FIRST_EPOCH,
  forgetAuditHead,
  type LogState,
  listAlarms,
  listDueLogs,
  listEpochs,
  listLogs,
  raiseAlarm,
  readCheckpoint,
  readEpoch,
  releaseWatch,
  stopAgain,
  type TreeHead,
  type WatchLease,
  type WatchProgress,
  type WatchTimes,
} from '../../audit/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { foreignNotes, readAnchored, writeAnchored } from './anchoring.ts';
import { guardLog } from './guard-log.ts';
import { inspectLog } from './inspect-log.ts';
import { sealCheckpoint } from './seal-checkpoint.ts';

type WatchDeps = Pick<ServiceDeps, 'store' | 'keyring' | 'clock' | 'log'>;

export interface AuditWatchOptions {
  readonly anchor: AuditAnchor;
  readonly times?: Partial<AuditWatchTimes>;
  /** Visits under way at once; default 4. */
  readonly maxVisits?: number;
  /** 0 ≤ x < 1. */
  readonly random?: () => number;
}

/** Milliseconds. */
export interface AuditWatchTimes extends WatchTimes {
  readonly round: number;
  /** Until the anchor is asked again what it remembers of a log. */
  readonly compare: number;
}

export interface AuditWatch extends AsyncDisposable {
  /** Resolves after the first round. */
  readonly started: Promise<void>;
  /** Checkpoints that this process wrote to the anchor since it began. */
  readonly anchored: number;
  /** How often the anchor could not be used by this process. */
  readonly anchorFailures: number;
}

const DEFAULT_TIMES: AuditWatchTimes = Object.freeze({
  ...DEFAULT_WATCH_TIMES,
  round: 5_000,
  compare: 3_600_000,
});
const MAX_VISITS_OF_ROUND = 200;
const MAX_RUNS_OF_VISIT = 4;

/** One per process. Disposing waits for the visits under way. */
export function openAuditWatch(deps: WatchDeps, options: AuditWatchOptions): AuditWatch {
  return new RoundingWatch(deps, options);
}

class RoundingWatch implements AuditWatch {
  readonly started: Promise<void>;
  anchored = 0;
  anchorFailures = 0;
  readonly #deps: WatchDeps;
  readonly #anchor: AuditAnchor;
  readonly #times: AuditWatchTimes;
  readonly #maxVisits: number;
  readonly #random: () => number;
  readonly #holder = randomUUID();
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  /** The newest tree of each log that this process has seen signed. */
  readonly #known = new Map<string, TreeHead>();
  /** When the anchor was last asked what it remembers of a log. */
  readonly #comparedAt = new Map<string, number>();
  /** Logs of which the anchor could not tell, or held what was none of theirs, when it was last asked. */
  readonly #uncompared = new Set<string>();
  /** Of each log that has more than one; `null` before they were read. */
  #epochs: ReadonlyMap<string, number> | null = null;
  /** By tenant, so that a row which is taken away is missed. */
  readonly #alarms = new Map<string, AuditAlarm>();
  /** The last tenant visited on the first way through all logs; `undefined` once that is done. */
  #firstWay: string | null | undefined = null;

  constructor(deps: WatchDeps, { anchor, times, maxVisits = 4, random = Math.random }: AuditWatchOptions) {
    this.#deps = deps;
    this.#anchor = anchor;
    this.#times = { ...DEFAULT_TIMES, ...times };
    this.#maxVisits = maxVisits;
    this.#random = random;
    const started = Promise.withResolvers<void>();
    this.started = started.promise;
    this.#running = this.#run(started.resolve);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(onStarted: () => void): Promise<void> {
    const { clock, log } = this.#deps;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#round();
      } catch (error) {
        log.warn('The audit logs could not be looked after', { error: errorOf(error) });
      }
      onStarted();
      await clock.wait(this.#times.round * (0.75 + this.#random() / 2), signal).catch(() => undefined);
    }
  }

  async #round(): Promise<void> {
    await this.#noteEpochs();
    await this.#keepAlarms();
    const { store } = this.#deps;
    const due = await store.withSystem('audit-watch', (tx) =>
      listDueLogs(tx, this.#times, MAX_VISITS_OF_ROUND),
    );
    const visits = [...new Set([...due, ...(await this.#nextOfFirstWay())])];
    let next = 0;
    const visitor = async (): Promise<void> => {
      for (let tenantId = visits[next++]; tenantId !== undefined; tenantId = visits[next++]) {
        if (this.#stopped.signal.aborted) return;
        await this.#visitSafely(tenantId);
      }
    };
    await Promise.all(Array.from({ length: this.#maxVisits }, visitor));
  }

  /** A log of a new epoch may be smaller than this process has known it. */
  async #noteEpochs(): Promise<void> {
    const { store } = this.#deps;
    const epochs = await store.withSystem('audit-watch', (tx) => listEpochs(tx));
    for (const [tenantId, epoch] of epochs) {
      const isNew = this.#epochs !== null && this.#epochs.get(tenantId) !== epoch;
      if (isNew) forgetAuditHead(store, tenantId);
    }
    this.#epochs = epochs;
  }

  /** An alarm whose row was taken away while its epoch lasts is raised again: that heals nothing. */
  async #keepAlarms(): Promise<void> {
    const { store, log } = this.#deps;
    const raised = await store.withSystem('audit-watch', (tx) => listAlarms(tx));
    const present = new Set(raised.map(({ tenantId }) => tenantId));
    for (const [tenantId, alarm] of this.#alarms) {
      if (present.has(tenantId)) continue;
      const isBack = await store.withTenant(tenantId, (tx) => raiseAlarm(tx, alarm));
      if (isBack) log.error('The alarm of an audit log had been taken away', { tenantId, kind: alarm.kind });
      else this.#alarms.delete(tenantId);
    }
    for (const tenantId of await store.withSystem('audit-watch', stopAgain)) {
      log.error('An audit log with an alarm had been let go on', { tenantId });
    }
    for (const alarm of raised) {
      const { tenantId, epoch, kind } = alarm;
      if (!this.#alarms.has(tenantId)) log.warn('An alarm stops an audit log', { tenantId, epoch, kind });
      this.#alarms.set(tenantId, alarm);
    }
  }

  async #nextOfFirstWay(): Promise<readonly string[]> {
    const after = this.#firstWay;
    if (after === undefined) return [];
    const tenants = await this.#deps.store.withSystem('audit-watch', (tx) =>
      listLogs(tx, after, MAX_VISITS_OF_ROUND),
    );
    this.#firstWay = tenants.length < MAX_VISITS_OF_ROUND ? undefined : tenants.at(-1);
    return tenants.filter((tenantId) => !this.#alarms.has(tenantId));
  }

  async #visitSafely(tenantId: string): Promise<void> {
    const { store, log } = this.#deps;
    try {
      const claim = { tenantId, holder: this.#holder, times: this.#times };
      const lease = await store.withTenant(tenantId, (tx) => claimWatch(tx, claim));
      if (lease === null) return;
      const progress: Writable<WatchProgress> = {};
      try {
        await guardLog(this.#deps, tenantId, () => this.#visit(lease, progress));
      } finally {
        await store.withTenant(tenantId, (tx) => releaseWatch(tx, lease, progress));
      }
    } catch (error) {
      if (this.#stopped.signal.aborted || (error instanceof Error && error.cause instanceof AuditFault))
        return;
      log.warn('An audit log could not be looked after', { tenantId, error: errorOf(error) });
    }
  }

  async #visit(lease: WatchLease, progress: Writable<WatchProgress>): Promise<void> {
    const { store, keyring } = this.#deps;
    const { tenantId } = lease;
    const { signal } = this.#stopped;
    const keys = await keyring.keysOf(tenantId, { signal });
    const isFirst = !this.#comparedAt.has(tenantId);
    await this.#compare(keys);
    const { state, next } = await inspectLog({ store }, keys, {
      known: this.#known.get(tenantId) ?? null,
      from: lease.checkedTo,
      maxRuns: lease.isRunDue || isFirst ? MAX_RUNS_OF_VISIT : 0,
    });
    if (lease.isRunDue || isFirst) {
      progress.checkedTo = next;
      progress.nextRunIn = next === 0 ? this.#times.pass : this.#times.run;
    }
    if (state.size > state.signedSize && (state.signedAgeMs ?? Infinity) >= this.#times.seal) {
      const sealed = await sealCheckpoint(this.#deps, tenantId, { signal });
      if (sealed !== null) this.#learn(tenantId, sealed);
    }
    // A note beyond what is signed cannot be right; the last checkpoint is then written once more.
    const isBeyond = lease.anchored.epoch > state.epoch || lease.anchored.size > state.signedSize;
    const from = isBeyond && lease.anchored.epoch >= state.epoch ? placeBefore(state) : lease.anchored;
    await this.#anchorNew(keys, from, progress);
  }

  /** Learns what the anchor remembers. An anchor that cannot be read keeps nobody from going on. */
  async #compare(keys: TenantKeys): Promise<void> {
    const { clock, store } = this.#deps;
    const { tenantId } = keys;
    const comparedAt = this.#comparedAt.get(tenantId);
    const isFresh = comparedAt !== undefined && !this.#uncompared.has(tenantId);
    if (isFresh && clock.now() - comparedAt < this.#times.compare) return;
    const { signal } = this.#stopped;
    const from = await store.withTenant(tenantId, async (tx): Promise<CheckpointPlace> => {
      const epoch = await readEpoch(tx, tenantId);
      const signed = await readCheckpoint(tx, tenantId);
      // Nothing vouches yet for an epoch without checkpoints: it has to end what is known of the one before.
      return signed ?? { epoch: Math.max(FIRST_EPOCH, epoch - 1), size: 0 };
    });
    const isWorking = await this.#withAnchor(tenantId, async () => {
      const { newest, passedOver } = await readAnchored({ anchor: this.#anchor, keys, signal }, from);
      if (newest !== null) this.#learn(tenantId, newest);
      if (passedOver > 0) throw foreignNotes(passedOver);
    });
    this.#comparedAt.set(tenantId, clock.now());
    if (isWorking) this.#uncompared.delete(tenantId);
    else this.#uncompared.add(tenantId);
  }

  async #anchorNew(
    keys: TenantKeys,
    from: CheckpointPlace,
    progress: Writable<WatchProgress>,
  ): Promise<void> {
    const { tenantId } = keys;
    const reach = { store: this.#deps.store, anchor: this.#anchor, keys, signal: this.#stopped.signal };
    const isWorking = await this.#withAnchor(tenantId, () =>
      writeAnchored(reach, from, (reached, isThere) => {
        progress.anchored = { epoch: reached.epoch, size: reached.size };
        if (!isThere) return;
        this.anchored += 1;
        this.#learn(tenantId, reached);
      }),
    );
    progress.isAnchorFailing = !isWorking || this.#uncompared.has(tenantId);
  }

  async #withAnchor(tenantId: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof AnchorError)) throw error;
      this.anchorFailures += 1;
      this.#deps.log.warn('The anchor of the audit log cannot be used', {
        ...{ tenantId, anchor: this.#anchor.kind, reason: error.message },
      });
      return false;
    }
  }

  #learn(tenantId: string, { epoch, size, root }: TreeHead): void {
    const known = this.#known.get(tenantId);
    const isNewer =
      known === undefined || epoch > known.epoch || (epoch === known.epoch && size > known.size);
    if (isNewer) this.#known.set(tenantId, { epoch, size, root });
  }
}

function placeBefore({ epoch, signedSize }: LogState): CheckpointPlace {
  return { epoch, size: Math.max(0, signedSize - 1) };
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

function errorOf(error: unknown): Error | undefined {
  return error instanceof Error ? error : undefined;
}
