/**
 * One change of a ticket within a GraphQL operation. Its intent is in the log before anything is sent;
 * its outcome is handed out, to be written together with the operation's own event. A change that is
 * still under way then, because its caller went away, writes its outcome by itself when it ends.
 */
import type { NewAuditEvent } from '../../audit/index.ts';
import { isSealdeskError, type JsonObject, type SealdeskError } from '../../base/index.ts';
import type { Tx } from '../../store/index.ts';
import { outOfTime } from '../../zendesk/index.ts';
import { assertIdempotencyKey } from '../admission.ts';
import { logUnforeseen, outcomeOf, unforeseen } from '../call-outcome.ts';
import { type CallEnding, CallRecord } from '../call-record.ts';
import { CATALOGUE } from '../catalogue/catalogue.ts';
import type { ZendeskRecord } from '../catalogue/records.ts';
import { OPERATION_DEADLINE_MS } from '../operation-deadline.ts';
import type { ScopeGate } from '../scope/scope-gate.ts';
import { assertMayStillChange } from '../still-permitted.ts';
import type { OpenIntegration } from './integration-access.ts';
import type { AnswerEnding, RecordedChange, SessionContext } from './session-context.ts';
import { assertStillDeliverable } from './still-deliverable.ts';

export type ChangeOperation = 'create_ticket' | 'update_ticket';

export interface TicketChangeRequest {
  readonly operation: ChangeOperation;
  readonly payload: JsonObject;
  readonly idempotencyKey: string | null;
  /** Whether the caller may also run another operation, which shows more in the answer. */
  readonly isPermitted: (operation: string) => boolean;
  /** What the changed ticket passes on its way to a restricted client key. */
  readonly gate: ScopeGate | null;
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
  #isLeftBehind = false;

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
      await this.#end({ outcome: 'SUCCEEDED' });
      return done;
    } catch (error) {
      throw await this.#fail(error);
    }
  }

  /**
   * The event that ends the change; `answered` tells whether its answer leaves. `null` while it is under
   * way: then it writes the event by itself.
   */
  toEvent({ answered }: AnswerEnding): NewAuditEvent | null {
    this.#isLeftBehind ||= this.#ending === null;
    if (this.#isLeftBehind || this.#ending === null) return null;
    return this.#record.endingEvent(answered ? this.#ending : unanswered(this.#ending), {
      endedAt: this.#endedAt,
    });
  }

  async #send(open: OpenIntegration): Promise<ChangedTicket> {
    const { client, group } = open;
    const { deps, call, deadline, meter } = this.#context;
    const { operation, payload, idempotencyKey, isPermitted, gate } = this.#request;
    const { tenantId, id: callerId } = call.caller;
    assertIdempotencyKey({ operation, idempotencyKey });
    const prepared = CATALOGUE[operation].prepare(payload, gate?.restriction ?? null);
    this.#record.noteResource(prepared.resource);
    const keys = await deps.keyring.keysOf(tenantId);
    call.signal.throwIfAborted();
    if (deps.clock.now() >= deadline) throw outOfTime(undefined);
    await this.#record.open(keys, (tx) => this.#assertStillAllowed(tx, open));
    const { intentId, eventId } = this.#record;
    try {
      const { result, resource } = await prepared.run(client, {
        gate,
        usage: meter,
        isPermitted,
        caller: callerId,
        // Without a key of the caller's the intent serves, so that an unclear creation can be sent again.
        idempotencyKey: keys.idempotencyKey(
          idempotencyKey === null
            ? [group.integrationId, intentId ?? eventId]
            : [group.integrationId, callerId, idempotencyKey],
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

  /** The admission may be as old as the session: what it rests on is asked for again before each change. */
  async #assertStillAllowed(tx: Tx, { target, group }: OpenIntegration): Promise<void> {
    const { call, delivery, deps } = this.#context;
    const { integrationId, credentialVersion } = group;
    const { operation } = this.#request;
    await assertStillDeliverable(tx, call.caller, delivery, deps.clock.now());
    const asker = { caller: call.caller, restriction: this.#request.gate?.restriction ?? null };
    await assertMayStillChange(tx, asker, { integrationId, operation, target, credentialVersion });
  }

  async #fail(thrown: unknown): Promise<SealdeskError> {
    const { deps, call } = this.#context;
    const { intentId, eventId } = this.#record;
    const known = isSealdeskError(thrown) ? thrown : this.#cancelled(thrown);
    const failure = known ?? unforeseen(deps.log, call, thrown);
    const mutation = failure.details.mutation ?? (intentId === null ? 'NOT_SENT' : 'UNKNOWN');
    await this.#end({
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

  async #end(ending: CallEnding): Promise<void> {
    const { deps, call } = this.#context;
    this.#ending = ending;
    this.#endedAt = deps.clock.now();
    if (!this.#isLeftBehind) return;
    try {
      await this.#record.close(await deps.keyring.keysOf(call.caller.tenantId), unanswered(ending));
    } catch (error) {
      // Nobody waits for it any more; an intent that stays open is closed as UNKNOWN.
      logUnforeseen(deps.log, call, error);
    }
  }
}

/** The ending of a change whose answer does not leave. */
function unanswered(ending: CallEnding): CallEnding {
  return ending.outcome === 'SUCCEEDED' ? { ...ending, outcome: 'APPLIED' } : ending;
}
