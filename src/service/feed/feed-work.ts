/** What the tasks of one held feed share: its lease, its source, and whether it may work at present. */
import { type Clock, type ErrorCode, isSealdeskError, type Log, SealdeskError } from '../../base/index.ts';
import { type FeedKey, type FeedLease, LeaseLostError, lockHead, noteFault } from '../../feed/index.ts';
import {
  type ConnectionTarget,
  createTicketSource,
  credentialOf,
  findIntegration,
  holdIntegration,
  type Integration,
  type TicketSource,
} from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import type { FeedAppend, NewTicketChange } from './append-changes.ts';
import { FEED_OPERATION } from './feed-operation.ts';
import type { FeedTimes } from './feed-times.ts';
import { WakeUp } from './wake-up.ts';

export interface FeedWorkDeps
  extends Pick<ServiceDeps, 'store' | 'keyring' | 'connections' | 'clock' | 'log'> {
  /** As `appendChanges`. */
  readonly append: <Change extends NewTicketChange>(append: FeedAppend<Change>) => Promise<unknown>;
  readonly times: FeedTimes;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
}

/** What keeps a feed from working until an admin has changed the integration. */
const PAUSES: ReadonlySet<ErrorCode> = new Set(['OPERATION_NOT_ALLOWED', 'CONFLICT', 'NEEDS_RECONNECT']);

export type FaultKind = 'export' | 'load';

export class FeedWork {
  readonly key: FeedKey;
  readonly lease: FeedLease;
  readonly source: TicketSource;
  /** Called when a ticket may have been marked. */
  readonly marked = new WakeUp();
  readonly #deps: FeedWorkDeps;
  readonly #faults = new Map<FaultKind, string | null>();
  #target: ConnectionTarget | null = null;
  #opened = Promise.withResolvers<void>();
  /** Resolves when the last append has ended, however it did. */
  #appending: Promise<unknown> = Promise.resolve();

  constructor(deps: FeedWorkDeps, key: FeedKey, lease: FeedLease) {
    this.#deps = deps;
    this.key = key;
    this.lease = lease;
    this.source = createTicketSource({
      connections: deps.connections,
      clock: deps.clock,
      target: () => this.#targetNow(),
    });
  }

  get clock(): Clock {
    return this.#deps.clock;
  }

  get log(): Log {
    return this.#deps.log;
  }

  get times(): FeedTimes {
    return this.#deps.times;
  }

  /** Runs `work` in the feed's tenant, without the lock of the log: for reading. */
  read<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#deps.store.withTenant(this.key.tenantId, work);
  }

  /** Runs `work` under the lock of the log. Rejects with {@link LeaseLostError}. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#deps.store.withTenant(this.key.tenantId, async (tx) => {
      await lockHead(tx, this.lease);
      return work(tx);
    });
  }

  /**
   * Appends `changes`, if the integration still permits it in the same transaction; `commit` notes them. One after
   * the other: two at once would seal for the same numbers, and one of them for nothing.
   */
  async append<Change extends NewTicketChange>(
    changes: readonly Change[],
    commit: (tx: Tx, changes: readonly Change[]) => Promise<void>,
  ): Promise<void> {
    const appended = this.#appending.then(() =>
      this.#deps.append({
        ...this.key,
        lease: this.lease,
        changes,
        commit: async (tx: Tx, part: readonly Change[]) => {
          targetOf(await holdIntegration(tx, this.key.tenantId, this.key.integrationId), this.key);
          await commit(tx, part);
        },
      }),
    );
    this.#appending = appended.catch(() => undefined);
    await appended;
  }

  /** The keyed hash of a version's content. */
  async hasher(): Promise<(content: string) => string> {
    const keys = await this.#deps.keyring.keysOf(this.key.tenantId);
    return (content) => keys.indexHmac('ticket-snapshot', `${this.key.integrationId} ${content}`);
  }

  /** Opens what webhooks told. */
  async hintOpener(): Promise<(location: Parameters<OpenText>[0], sealed: Uint8Array) => string> {
    const keys = await this.#deps.keyring.keysOf(this.key.tenantId);
    return (location, sealed) => keys.openText(location, sealed);
  }

  /**
   * Looks whether the integration lets the feed work, and lets the tasks go on or wait accordingly. Rejects with
   * {@link LeaseLostError} where the integration is gone.
   */
  async look(): Promise<void> {
    try {
      const { tenantId, integrationId } = this.key;
      const integration = await this.read((tx) => findIntegration(tx, tenantId, integrationId));
      const wasClosed = this.#target === null;
      this.#target = targetOf(integration, this.key);
      if (!wasClosed) return;
      await this.noteFault('load', null);
      this.#opened.resolve();
    } catch (error) {
      if (!isSealdeskError(error) || !PAUSES.has(error.code)) throw error;
      if (this.#target !== null) this.#opened = Promise.withResolvers<void>();
      this.#target = null;
      await this.noteFault('load', error.code);
    }
  }

  /** Resolves when the feed may work, or when `signal` is aborted. */
  async mayWork(signal: AbortSignal): Promise<void> {
    if (this.#target !== null || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = (): void => resolve();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([this.#opened.promise, promise]);
    signal.removeEventListener('abort', stop);
  }

  /** Notes a fault, or that there is none, where it is another than the last one. Rejects with {@link LeaseLostError}. */
  async noteFault(kind: FaultKind, fault: string | null): Promise<void> {
    if (this.#faults.get(kind) === fault) return;
    await this.write((tx) => noteFault(tx, this.key.integrationId, kind, fault));
    this.#faults.set(kind, fault);
  }

  /** {@link noteFault} for what a task met; where it cannot be noted either, it is told to the operator. */
  async noteFailure(kind: FaultKind, error: unknown): Promise<void> {
    if (error instanceof LeaseLostError) throw error;
    const code = isSealdeskError(error) ? error.code : 'INTERNAL';
    if (this.#faults.get(kind) !== code) {
      this.log.warn('A change feed does not go on', {
        integrationId: this.key.integrationId,
        source: kind,
        code,
        error: error instanceof Error ? error : undefined,
      });
    }
    try {
      await this.noteFault(kind, code);
    } catch (noting) {
      if (noting instanceof LeaseLostError) throw noting;
    }
  }

  /** How long to wait after `failures` failures in a row: jittered, and no less than Zendesk asks for. */
  backOff(failures: number, error: unknown): number {
    const { least, most } = this.times.backOff;
    const ceiling = Math.min(most, least * 2 ** Math.min(failures, 16));
    const asked = isSealdeskError(error) ? (error.details.retryAfter ?? 0) * 1_000 : 0;
    return Math.max(asked, Math.ceil(ceiling * (0.5 + this.#deps.random() / 2)));
  }

  /** `milliseconds`, a tenth more or less. */
  jittered(milliseconds: number): number {
    return Math.ceil(milliseconds * (0.9 + this.#deps.random() / 5));
  }

  #targetNow(): ConnectionTarget {
    if (this.#target === null) throw notAllowed();
    return this.#target;
  }
}

type OpenText = Awaited<ReturnType<ServiceDeps['keyring']['keysOf']>>['openText'];

/** Throws OPERATION_NOT_ALLOWED, CONFLICT or NEEDS_RECONNECT where the integration does not let the feed work. */
function targetOf(integration: Integration | null, { integrationId }: FeedKey): ConnectionTarget {
  if (integration === null) throw new LeaseLostError(integrationId);
  if (!integration.allowedOperations.includes(FEED_OPERATION)) throw notAllowed();
  const { tenantId, subdomain } = integration;
  return { tenantId, subdomain, credentialId: credentialOf(integration) };
}

function notAllowed(): SealdeskError {
  return new SealdeskError(
    'OPERATION_NOT_ALLOWED',
    `The integration does not allow ${FEED_OPERATION}. An ADMIN can add it to its allowedOperations.`,
    { subject: FEED_OPERATION },
  );
}
