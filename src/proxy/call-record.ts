/**
 * The entries of one proxied call in the audit log. A read leaves one event. A change leaves an
 * INTENT before anything is sent and the one OUTCOME that closes it.
 *
 * A call that outlasts the age at which the sweeper closes intents finds its intent closed as
 * UNKNOWN. That outcome stays the only one; what became of the change after all is then recorded as a
 * SINGLE event under the same id, whose parent is the intent, and the caller gets the true answer.
 */
import {
  type AuditLogKey,
  type Condition,
  type NewAuditEvent,
  recordAuditEvents,
  rememberRefusal,
} from '../audit/index.ts';
import { type Clock, createId, isId, isSealdeskError, type Log, SealdeskError } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import type { TenantKeys } from '../vault/index.ts';
import type { ProxyRequest } from './admission.ts';
import type { AuthenticatedCall } from './call.ts';
import { describeCall } from './call-event.ts';
import { isOperationName } from './catalogue/catalogue.ts';

/** Longest duration that an event tells; what took longer is told as this. */
const MAX_DURATION_MS = 86_400_000;

export interface CallRecordDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/** How a call ended, as its event tells it. */
export type CallEnding = Pick<NewAuditEvent, 'denialReason' | 'envelopes'> & {
  readonly outcome: Extract<NewAuditEvent, { phase: 'SINGLE' }>['outcome'];
  readonly upstreamStatus?: number | undefined;
};

export class CallRecord {
  /** The event that answers name: the outcome of a change, the one event of anything else. */
  readonly eventId: string;
  readonly #deps: CallRecordDeps;
  readonly #call: AuthenticatedCall;
  readonly #request: Pick<ProxyRequest, 'integrationId' | 'operation'>;
  readonly #startedAt: number;
  #intentId: string | null = null;
  #resource: string | null = null;

  constructor(
    deps: CallRecordDeps,
    call: AuthenticatedCall,
    request: Pick<ProxyRequest, 'integrationId' | 'operation'>,
  ) {
    this.#deps = deps;
    this.#call = call;
    this.#request = request;
    this.#startedAt = deps.clock.now();
    this.eventId = createId('auditEvent', this.#startedAt);
  }

  /** The INTENT that was written, `null` before and for reads. */
  get intentId(): string | null {
    return this.#intentId;
  }

  /** Notes what the call is about, for the events to come. */
  noteResource(resource: string): void {
    this.#resource = resource;
  }

  /**
   * Writes the intent of a change, if `condition` holds in the same transaction: what was admitted may have
   * been taken back since. Rejects with AUDIT_UNAVAILABLE, or with what the condition throws, and has then
   * written nothing.
   */
  async open(keys: TenantKeys, condition: Condition): Promise<void> {
    const intentId = createId('auditEvent', this.#deps.clock.now());
    const intent: NewAuditEvent = {
      ...this.#members(intentId, this.#deps.clock.now()),
      phase: 'INTENT',
    };
    await this.#append(this.#logKeyOf(keys), intent, condition);
    this.#intentId = intentId;
  }

  /**
   * Writes the event that ends the call, if `condition` holds in the same transaction. Rejects with
   * AUDIT_UNAVAILABLE, or with what the condition throws, and has then written nothing.
   */
  async close(keys: TenantKeys, ending: CallEnding, condition?: Condition): Promise<void> {
    const logKey = this.#logKeyOf(keys);
    try {
      await this.#append(logKey, this.endingEvent(ending), condition);
    } catch (error) {
      if (this.#intentId === null || !isSealdeskError(error, 'CONFLICT')) throw error;
      await this.#append(logKey, this.endingEvent(ending, { isIntentClosed: true }), condition);
    }
  }

  /**
   * The event that ends the call, for who appends it together with others. With `isIntentClosed` it
   * stands beside the outcome that the sweeper gave the intent. `endedAt` is the present by default.
   */
  endingEvent(
    { upstreamStatus, ...ending }: CallEnding,
    {
      isIntentClosed = false,
      endedAt = this.#deps.clock.now(),
    }: { readonly isIntentClosed?: boolean; readonly endedAt?: number } = {},
  ): NewAuditEvent {
    const members = {
      ...this.#members(this.eventId, endedAt),
      ...ending,
      ...(upstreamStatus === undefined ? {} : { upstreamStatus }),
    };
    const intentId = this.#intentId;
    if (intentId === null) return { ...members, phase: 'SINGLE' };
    if (isIntentClosed) return { ...members, phase: 'SINGLE', parentId: intentId };
    return { ...members, phase: 'OUTCOME', intentId };
  }

  #members(id: string, now: number) {
    const { integrationId, operation } = this.#request;
    return {
      ...describeCall(this.#call),
      id,
      action: 'zendesk.call',
      occurredAt: new Date(now).toISOString(),
      durationMs: Math.min(MAX_DURATION_MS, Math.max(0, Math.round(now - this.#startedAt))),
      ...(isId('integration', integrationId) ? { integrationId } : {}),
      // An operation that does not exist is text of the caller's choosing.
      ...(isOperationName(operation) ? { operation } : {}),
      ...(this.#resource === null ? {} : { resource: this.#resource }),
    };
  }

  #logKeyOf(keys: TenantKeys): AuditLogKey {
    try {
      return { tenantId: keys.tenantId, headKey: keys.auditHeadKey() };
    } catch (error) {
      throw this.#unavailable(error);
    }
  }

  async #append(logKey: AuditLogKey, event: NewAuditEvent, condition?: Condition): Promise<void> {
    const remembered = rememberRefusal(condition);
    try {
      await recordAuditEvents(this.#deps.store, { ...logKey, events: [event], condition: remembered.ask });
    } catch (error) {
      if (remembered.isRefusal(error)) throw error;
      if (event.phase === 'OUTCOME' && isSealdeskError(error, 'CONFLICT')) throw error;
      throw this.#unavailable(error);
    }
  }

  /** AUDIT_UNAVAILABLE, whatever the cause, which goes to the operator. */
  #unavailable(error: unknown): SealdeskError {
    this.#deps.log.error('An audit event could not be written', {
      requestId: this.#call.requestId,
      error: error instanceof Error ? error : undefined,
    });
    if (isSealdeskError(error, 'AUDIT_UNAVAILABLE')) return error;
    return new SealdeskError(
      'AUDIT_UNAVAILABLE',
      'The audit log could not be written, so there is no answer. Try again later.',
      { cause: error },
    );
  }
}
