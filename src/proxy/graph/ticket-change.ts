/**
 * One change of a ticket within a GraphQL operation. Its intent is in the log before anything is sent;
 * its outcome is handed out, to be written together with the operation's own event.
 */
import type { NewAuditEvent } from '../../audit/index.ts';
import { isSealdeskError, type JsonObject, type SealdeskError } from '../../base/index.ts';
import { outOfTime } from '../../zendesk/index.ts';
import { assertIdempotencyKey } from '../admission.ts';
import { outcomeOf, unforeseen } from '../call-outcome.ts';
import { type CallEnding, CallRecord } from '../call-record.ts';
import { CATALOGUE } from '../catalogue/catalogue.ts';
import type { ZendeskRecord } from '../catalogue/records.ts';
import { OPERATION_DEADLINE_MS } from '../operation-deadline.ts';
import type { OpenIntegration } from './integration-access.ts';
import type { AnswerEnding, RecordedChange, SessionContext } from './session-context.ts';

export type ChangeOperation = 'create_ticket' | 'update_ticket';

export interface TicketChangeRequest {
  readonly operation: ChangeOperation;
  readonly payload: JsonObject;
  readonly idempotencyKey: string | null;
  /** Whether the caller may also run another operation, which shows more in the answer. */
  readonly isPermitted: (operation: string) => boolean;
}

/** What a change made. */
export interface ChangedTicket {
  readonly ticket: ZendeskRecord;
  readonly idempotency: string | null;
  readonly commentId: number | null;
}

export class TicketChange implements RecordedChange {
  readonly #context: SessionContext;
  readonly #request: TicketChangeRequest;
  readonly #record: CallRecord;
  #ending: CallEnding | null = null;
  #endedAt = 0;

  constructor(context: SessionContext, integrationId: string, request: TicketChangeRequest) {
    this.#context = context;
    this.#request = request;
    const { operation } = request;
    this.#record = new CallRecord(context.deps, context.call, { integrationId, operation });
  }

  /** Makes the change, once. Every failure tells `mutation`, and `intentId` where there is an intent. */
  async run(open: OpenIntegration, assertAllowed: () => void): Promise<ChangedTicket> {
    try {
      assertAllowed();
      const done = await this.#send(open);
      this.#end({ outcome: 'SUCCEEDED' });
      return done;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** The event that ends the change; `answered` tells whether its answer leaves. */
  toEvent({ answered }: AnswerEnding): NewAuditEvent | null {
    if (this.#ending === null) return null;
    const isLost = this.#ending.outcome === 'SUCCEEDED' && !answered;
    return this.#record.endingEvent(isLost ? { ...this.#ending, outcome: 'APPLIED' } : this.#ending, {
      endedAt: this.#endedAt,
    });
  }

  async #send({ client, group }: OpenIntegration): Promise<ChangedTicket> {
    const { deps, call, deadline, meter } = this.#context;
    const { operation, payload, idempotencyKey, isPermitted } = this.#request;
    const { tenantId, apiKeyId } = call.caller;
    assertIdempotencyKey({ operation, idempotencyKey });
    const prepared = CATALOGUE[operation].prepare(payload);
    this.#record.noteResource(prepared.resource);
    const keys = await deps.keyring.keysOf(tenantId);
    call.signal.throwIfAborted();
    if (deps.clock.now() >= deadline) throw outOfTime(undefined);
    await this.#record.open(keys);
    const { intentId, eventId } = this.#record;
    try {
      const { result, resource } = await prepared.run(client, {
        usage: meter,
        isPermitted,
        caller: apiKeyId,
        // Without a key of the caller's the intent serves, so that an unclear creation can be sent again.
        idempotencyKey: keys.idempotencyKey(
          idempotencyKey === null
            ? [group.integrationId, intentId ?? eventId]
            : [group.integrationId, apiKeyId, idempotencyKey],
        ),
        // A change under way is not broken off when the caller goes away: its outcome would be lost.
        signal: undefined,
        deadline: deps.clock.now() + OPERATION_DEADLINE_MS,
      });
      this.#record.noteResource(resource);
      return 'idempotency' in result
        ? { ticket: result.ticket, idempotency: result.idempotency, commentId: null }
        : { ticket: result.ticket, idempotency: null, commentId: result.comment_id };
    } finally {
      deps.sharedReads.noteChange(group);
    }
  }

  #fail(thrown: unknown): SealdeskError {
    const { deps, call } = this.#context;
    const { intentId, eventId } = this.#record;
    const known = isSealdeskError(thrown) ? thrown : this.#cancelled(thrown);
    const failure = known ?? unforeseen(deps.log, call, thrown);
    const mutation = failure.details.mutation ?? (intentId === null ? 'NOT_SENT' : 'UNKNOWN');
    this.#end({
      outcome: outcomeOf(failure, intentId === null ? null : mutation),
      denialReason: failure.code,
      upstreamStatus: failure.details.upstreamStatus,
    });
    return failure.with({ auditEventId: eventId, mutation, ...(intentId === null ? {} : { intentId }) });
  }

  /** Of a caller who went away before anything was sent. */
  #cancelled(thrown: unknown): SealdeskError | null {
    const isGone = this.#context.call.signal.aborted && this.#record.intentId === null;
    return isGone ? outOfTime(thrown) : null;
  }

  #end(ending: CallEnding): void {
    this.#ending = ending;
    this.#endedAt = this.#context.deps.clock.now();
  }
}
