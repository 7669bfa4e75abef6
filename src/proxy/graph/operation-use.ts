/**
 * What one GraphQL operation did by one operation of the catalogue on one integration, for its one
 * event in the log: however often it was used, the worst that happened counts.
 */
import type { NewAuditEvent } from '../../audit/index.ts';
import { type Clock, createId, isId, isSealdeskError, type SealdeskError } from '../../base/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import { createUsageMeter, outOfTime, type UsageMeter } from '../../zendesk/index.ts';
import type { Call } from '../call.ts';
import { describeCall } from '../call-event.ts';
import type { OperationName } from '../catalogue/catalogue.ts';
import { isDenial } from '../denial.ts';

const MAX_DURATION_MS = 86_400_000;
/** Operations under which a GraphQL operation reads what lies in the gateway, and calls nobody. */
const STORED_OPERATIONS: ReadonlySet<OperationName> = new Set<OperationName>(['sync_directory']);

/** What the use was about: one object, a search by its query, or several things of one kind. */
export type UsedResource =
  | { readonly kind: 'OBJECT'; readonly type: string; readonly id: number }
  | { readonly kind: 'QUERY'; readonly type: string; readonly query: string }
  | { readonly kind: 'TYPE'; readonly type: string };

interface UseFailure {
  readonly outcome: 'FAILED' | 'DENIED';
  readonly reason: string;
  readonly status?: number;
}

export class OperationUse {
  readonly operation: OperationName;
  /** The calls that this use took part in. */
  readonly meter: UsageMeter = createUsageMeter();
  readonly #call: Call;
  readonly #integrationId: string;
  readonly #clock: Clock;
  readonly #eventId: string;
  readonly #startedAt: number;
  #endedAt: number;
  #isUsed = false;
  #hasRead = false;
  /** Reads that have begun, and those of them that have ended. */
  #begun = 0;
  #ended = 0;
  #resource: UsedResource | null = null;
  #failure: UseFailure | null = null;

  constructor(call: Call, integrationId: string, operation: OperationName, clock: Clock) {
    this.operation = operation;
    this.#call = call;
    this.#integrationId = integrationId;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#endedAt = this.#startedAt;
    this.#eventId = createId('auditEvent', this.#startedAt);
  }

  /** Whether something was read, or is being read, under the operation. */
  get hasRead(): boolean {
    return this.#hasRead;
  }

  /** Notes that the operation is used, and for what. */
  note(resource: UsedResource): void {
    this.#isUsed = true;
    this.#hasRead = true;
    this.#resource = this.#resource === null ? resource : both(this.#resource, resource);
  }

  /** What `work` resolves to; its failure is noted, and names the event. */
  async watch<T>(work: Promise<T>): Promise<T> {
    this.#isUsed = true;
    this.#hasRead = true;
    this.#begun += 1;
    try {
      return await work;
    } catch (error) {
      throw this.fail(error);
    } finally {
      this.#ended += 1;
      this.#endedAt = this.#clock.now();
    }
  }

  /** Notes the failure and returns it, naming the event that tells of it. */
  fail(thrown: unknown): unknown {
    this.#isUsed = true;
    const error = this.#coded(thrown);
    const known = isSealdeskError(error) ? error : null;
    const outcome = isDenial(error) ? 'DENIED' : 'FAILED';
    if (this.#failure === null || (this.#failure.outcome === 'DENIED' && outcome === 'FAILED')) {
      const status = known?.details.upstreamStatus;
      this.#failure = {
        outcome,
        reason: known?.code ?? 'INTERNAL',
        ...(status === undefined ? {} : { status }),
      };
    }
    return known === null ? error : this.#named(known);
  }

  /** The event, `null` where the operation was allowed and then not needed. */
  toEvent(keys: TenantKeys): NewAuditEvent | null {
    if (!this.#isUsed) return null;
    const { calls } = this.meter.read();
    const failure = this.#failure ?? this.#brokenOff();
    return {
      ...describeCall(this.#call),
      id: this.#eventId,
      occurredAt: new Date(this.#endedAt).toISOString(),
      phase: 'SINGLE',
      action: STORED_OPERATIONS.has(this.operation) ? 'directory.read' : 'zendesk.call',
      operation: this.operation,
      outcome: failure?.outcome ?? 'SUCCEEDED',
      durationMs: Math.min(MAX_DURATION_MS, Math.max(0, Math.round(this.#endedAt - this.#startedAt))),
      ...(isId('integration', this.#integrationId) ? { integrationId: this.#integrationId } : {}),
      ...(this.#resource === null ? {} : { resource: textOf(this.#resource, keys) }),
      ...(failure === null ? {} : { denialReason: failure.reason }),
      ...(failure?.status === undefined ? {} : { upstreamStatus: failure.status }),
      ...(calls === 0 ? {} : { count: calls }),
    };
  }

  /** A read that was broken off rejects with the signal's reason, which is no failure of the gateway. */
  #coded(thrown: unknown): unknown {
    return !isSealdeskError(thrown) && this.#call.signal.aborted ? outOfTime(thrown) : thrown;
  }

  /** Reads that are still under way when the log is written were not answered. */
  #brokenOff(): UseFailure | null {
    const isOver = this.#ended > 0 && this.#ended === this.#begun;
    return isOver || !this.#hasRead ? null : { outcome: 'FAILED', reason: 'UPSTREAM_UNAVAILABLE' };
  }

  #named(error: SealdeskError): SealdeskError {
    return error.details.auditEventId === undefined ? error.with({ auditEventId: this.#eventId }) : error;
  }
}

function both(one: UsedResource, other: UsedResource): UsedResource {
  if (one.kind === 'OBJECT' && other.kind === 'OBJECT' && one.type === other.type && one.id === other.id) {
    return one;
  }
  if (one.kind === 'QUERY' && other.kind === 'QUERY' && one.query === other.query) return one;
  return { kind: 'TYPE', type: one.type };
}

function textOf(resource: UsedResource, keys: TenantKeys): string {
  switch (resource.kind) {
    case 'OBJECT':
      return `${resource.type}:${resource.id}`;
    case 'QUERY':
      return `query:${keys.indexHmac('zendesk-query', resource.query)}`;
    case 'TYPE':
      return resource.type;
    default:
      return resource satisfies never;
  }
}
