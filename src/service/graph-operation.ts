/**
 * One GraphQL operation as a use case: how its answer leaves, its way to Zendesk, and its end. At the end
 * the result is sealed and the entries are written as one group: the events of what was done and then the
 * operation's own, which names the envelope by its hash. Whether the answer may still leave is asked once
 * more in that transaction. Only then does it.
 *
 * opened → (executed by the caller, through {@link GraphOperation.session}) → finished, once.
 */
import type { NewAuditEvent } from '../audit/index.ts';
import { type ErrorCode, isSealdeskError, type MutationOutcome, SealdeskError } from '../base/index.ts';
import type { HybridCryptoEnvelope, SealedEnvelope } from '../envelope/index.ts';
import {
  type AuthenticatedCall,
  assertAuthenticated,
  assertStillDeliverable,
  type Call,
  createGraphSession,
  type Delivery,
  describeCall,
  type GraphSession,
  type GraphSessionDeps,
  isDenial,
  sealAnswer,
} from '../proxy/index.ts';
import type { Tx } from '../store/index.ts';
import type { TenantKeys } from '../vault/index.ts';
import { appendGroup } from './append-group.ts';
import { chooseDelivery } from './graph-delivery.ts';
import { hasEndedItself } from './own-end.ts';
import type { RecordRefusal } from './refusals.ts';
import type { ServiceDeps } from './service-deps.ts';

/** A GraphQL operation as the log tells it: names of the schema, never of the caller. */
export interface OperationSummary {
  readonly kind: 'query' | 'mutation' | 'document';
  readonly fields: readonly string[];
  /** Its first error, `null` where it had none. */
  readonly failure: { readonly code: ErrorCode; readonly upstreamStatus?: number } | null;
}

/** What is about to leave. */
export interface OperationResult {
  /** The execution result, JSON in UTF-8. */
  readonly body: Uint8Array;
  /** Whether it tells what was asked for, and not only why that cannot be told. */
  readonly answered: boolean;
}

export interface RecordedOperation {
  readonly auditEventId: string;
  /** The result, sealed; `null` where it leaves in the clear. */
  readonly envelope: HybridCryptoEnvelope | null;
}

/** The change that is least settled: UNKNOWN before APPLIED before NOT_SENT; empty where there was none. */
export interface ChangeTold {
  readonly mutation?: MutationOutcome;
  readonly intentId?: string;
}

export interface GraphOperation {
  /** The event that will record it; `null` for callers without a key, who are counted. */
  readonly eventId: string | null;
  readonly session: GraphSession;
  /** What became of its changes, for a result that tells nothing else; asked for when all that is waited for is over. */
  changed(): Promise<ChangeTold>;
  /**
   * Seals the result, where it is to be sealed, and records the operation. Rejects with UNAUTHENTICATED,
   * KEY_REVOKED, CLIENT_KEY_NOT_MAPPED, SEALED_RESPONSE_REQUIRED, or, of what was read, NOT_FOUND,
   * OPERATION_NOT_ALLOWED or CONFLICT where the right to the answer was taken back meanwhile, which the log then tells, with KMS_UNAVAILABLE and INTERNAL where it cannot be
   * sealed, and with AUDIT_UNAVAILABLE. Nothing of the result may leave then, but what became of a change
   * is told.
   */
  finish(summary: OperationSummary, result: OperationResult): Promise<RecordedOperation>;
}

export interface GraphOperationDeps extends ServiceDeps, GraphSessionDeps {
  readonly recordRefusal: RecordRefusal;
}

/** The operation whose event is `eventId`. Rejects with the failures of {@link chooseDelivery}. */
export async function openGraphOperation(
  deps: GraphOperationDeps,
  call: Call,
  eventId: string,
): Promise<GraphOperation> {
  const startedAt = deps.clock.now();
  const over = new AbortController();
  const signal = AbortSignal.any([call.signal, over.signal]);
  const open = (delivery: Delivery): GraphSession =>
    createGraphSession(
      deps,
      { ...call, signal },
      {
        ...{ eventId, delivery, startedAt },
        takeFromRate: () => call.caller !== null && deps.limiter.take(call.caller),
      },
    );
  if (call.caller === null) return new StrangersOperation(deps.recordRefusal, call, open({ kind: 'NONE' }));
  assertAuthenticated(call);
  // Unwrapped while the rest is looked up and done; who needs the keys asks again and meets the failure then.
  const keys = deps.keyring.keysOf(call.caller.tenantId);
  keys.catch(() => undefined);
  return new CallersOperation(deps, call, eventId, open(await chooseDelivery(deps, call)), keys, over);
}

class CallersOperation implements GraphOperation {
  readonly eventId: string;
  readonly session: GraphSession;
  readonly #deps: ServiceDeps;
  readonly #call: AuthenticatedCall;
  readonly #firstKeys: Promise<TenantKeys>;
  readonly #over: AbortController;

  constructor(
    deps: ServiceDeps,
    call: AuthenticatedCall,
    eventId: string,
    session: GraphSession,
    firstKeys: Promise<TenantKeys>,
    over: AbortController,
  ) {
    this.#deps = deps;
    this.#call = call;
    this.eventId = eventId;
    this.session = session;
    this.#firstKeys = firstKeys;
    this.#over = over;
  }

  async changed(): Promise<ChangeTold> {
    return this.#changeOf(await this.#keysAgain());
  }

  async finish(summary: OperationSummary, { body, answered }: OperationResult): Promise<RecordedOperation> {
    // A result without data can be there while reads for it go on: nobody waits for them, nor would the log tell of them.
    this.#over.abort(new Error('The operation is over'));
    const keys = await this.#keysAgain();
    try {
      const sealing = this.#seal(keys, body);
      const own = sealing.then((sealed) => this.#ownEvent(summary, sealed));
      await this.#record(keys, own, answered, (tx) => this.#assertMayLeave(tx));
      return { auditEventId: this.eventId, envelope: (await sealing)?.envelope ?? null };
    } catch (error) {
      const failure = this.#failureOf(error);
      if (failure.code === 'AUDIT_UNAVAILABLE') throw failure.with(this.#changeOf(keys));
      const told = { ...summary, failure: { code: failure.code } };
      const own = Promise.resolve(this.#ownEvent(told, null));
      await this.#record(keys, own, false).catch((unrecorded: SealdeskError) => {
        throw unrecorded.with(this.#changeOf(keys));
      });
      throw failure.with({ auditEventId: this.eventId, ...this.#changeOf(keys) });
    }
  }

  /** What took long may have outlived the keys: they are asked for again, and were the KMS silent, used as long as they live. */
  async #keysAgain(): Promise<TenantKeys> {
    try {
      return await this.#deps.keyring.keysOf(this.#call.caller.tenantId);
    } catch {
      return this.#firstKeys;
    }
  }

  async #seal(keys: TenantKeys, plaintext: Uint8Array): Promise<SealedEnvelope | null> {
    const { delivery } = this.session;
    if (delivery.kind !== 'SEALED') return null;
    return sealAnswer(this.#deps.keyring.suite, keys, this.#call, {
      purpose: 'graphql.result',
      recipient: delivery.recipient,
      auditEventId: this.eventId,
      plaintext,
      now: this.#deps.clock.now(),
    });
  }

  /**
   * Who has revoked its own key is told so, of an answer that holds nothing of Zendesk; everything else
   * stays behind, as after a revocation by others.
   */
  async #assertMayLeave(tx: Tx): Promise<void> {
    const { delivery } = this.session;
    const { caller } = this.#call;
    if (delivery.kind === 'NONE' && hasEndedItself(caller)) return;
    await this.session.noteShown(tx);
    await assertStillDeliverable(tx, caller, delivery, this.#deps.clock.now());
    await this.session.assertStillAllowed(tx);
  }

  /** Rejects with AUDIT_UNAVAILABLE, with what `condition` throws, and as `own` does. */
  async #record(
    keys: TenantKeys,
    own: Promise<NewAuditEvent>,
    answered: boolean,
    condition?: (tx: Tx) => Promise<void>,
  ): Promise<void> {
    const done = this.session.events(keys, { answered });
    const group = own.then((event) => [...done, event]);
    // A condition that does not hold is told whether or not the group could be made.
    group.catch(() => undefined);
    await appendGroup(this.#deps.store, keys, group, condition);
  }

  #ownEvent(summary: OperationSummary, sealed: SealedEnvelope | null): NewAuditEvent {
    const { failure, fields, kind } = summary;
    const { delivery } = this.session;
    const [only, ...others] = fields;
    return {
      ...describeCall({ ...this.#call, parentEventId: null }),
      id: this.eventId,
      occurredAt: new Date(this.#deps.clock.now()).toISOString(),
      phase: 'SINGLE',
      action: only === undefined || others.length > 0 ? `graphql.${kind}` : `${kind}.${only}`,
      ...(failure === null
        ? { outcome: 'SUCCEEDED' }
        : { outcome: wasDenied(failure) ? 'DENIED' : 'FAILED', denialReason: failure.code }),
      ...(failure?.upstreamStatus === undefined ? {} : { upstreamStatus: failure.upstreamStatus }),
      ...(sealed === null || delivery.kind !== 'SEALED'
        ? {}
        : { envelopes: [{ keyId: delivery.recipient.keyId, sha256: sealed.transcriptSha256 }] }),
    };
  }

  #failureOf(error: unknown): SealdeskError {
    if (isSealdeskError(error)) return error;
    const { requestId } = this.#call;
    this.#deps.log.error('The result of an operation could not be answered', {
      requestId,
      error: error instanceof Error ? error : undefined,
    });
    return new SealdeskError(
      'INTERNAL',
      `The gateway failed. Give the operator this request id: ${requestId}.`,
      { cause: error },
    );
  }

  /** What became of the operation's changes, told by the one that is least settled. */
  #changeOf(keys: TenantKeys): ChangeTold {
    const outcomes = this.session
      .events(keys, { answered: false })
      .filter((event) => event.phase === 'OUTCOME');
    const told =
      outcomes.find(({ outcome }) => outcome === 'UNKNOWN') ??
      outcomes.find(({ outcome }) => outcome === 'APPLIED') ??
      outcomes[0];
    if (told === undefined) return {};
    const { outcome, intentId } = told;
    return { intentId, mutation: outcome === 'UNKNOWN' || outcome === 'APPLIED' ? outcome : 'NOT_SENT' };
  }
}

function wasDenied({ code, upstreamStatus }: NonNullable<OperationSummary['failure']>): boolean {
  return isDenial(new SealdeskError(code, code, upstreamStatus === undefined ? {} : { upstreamStatus }));
}

/** Of callers without a key, to whom what leads to Zendesk is closed. */
class StrangersOperation implements GraphOperation {
  readonly eventId = null;
  readonly session: GraphSession;
  readonly #recordRefusal: RecordRefusal;
  readonly #call: Call;

  constructor(recordRefusal: RecordRefusal, call: Call, session: GraphSession) {
    this.#recordRefusal = recordRefusal;
    this.#call = call;
    this.session = session;
  }

  async changed(): Promise<ChangeTold> {
    return {};
  }

  async finish({ failure }: OperationSummary): Promise<RecordedOperation> {
    return { auditEventId: await this.#recordRefusal(this.#call, failure?.code ?? null), envelope: null };
  }
}
