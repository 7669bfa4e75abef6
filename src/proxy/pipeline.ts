/**
 * The crypto proxy core, one pipeline for every way in: authorise → policy → validate → intent (of
 * changes) → Zendesk → seal → outcome → answer.
 *
 * The tenant's signing key is unsealed and, for a change, the audit log written before anything is
 * sent, so that a change is not made which could neither be answered nor recorded. What fails after
 * a change was sent says what became of it and names the intent. Nothing leaves before its outcome
 * is in the log.
 */
import { assertStillEntitled } from '../access/index.ts';
import type { Condition, NewAuditEvent } from '../audit/index.ts';
import {
  type Clock,
  encodeUtf8,
  isSealdeskError,
  type Log,
  type MutationOutcome,
  SealdeskError,
} from '../base/index.ts';
import type { HybridCryptoEnvelope, SealedEnvelope } from '../envelope/index.ts';
import type { Store, Tx } from '../store/index.ts';
import type { Keyring, TenantKeys } from '../vault/index.ts';
import { createUsageMeter, upstreamOf, type ZendeskClient } from '../zendesk/index.ts';
import { type Admission, type Asker, admitCall, type ProxyRequest } from './admission.ts';
import type { AuthenticatedCall } from './call.ts';
import { logUnforeseen, outcomeOf, unforeseen } from './call-outcome.ts';
import { CallRecord } from './call-record.ts';
import { assertResultSize } from './catalogue/result-size.ts';
import type { ZendeskConnections } from './connections.ts';
import { withMendLink } from './needs-reconnect.ts';
import { OPERATION_DEADLINE_MS } from './operation-deadline.ts';
import { ScopeGate } from './scope/scope-gate.ts';
import { noteShown } from './scope/shown-tickets.ts';
import { sealAnswer } from './seal-answer.ts';
import { assertMayStillChange, assertStillPermitted } from './still-permitted.ts';

export interface ProxyDeps {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly connections: ZendeskConnections;
  readonly clock: Clock;
  readonly log: Log;
  /** How people reach the gateway, without a slash at the end. */
  readonly publicUrl: string;
}

export interface ProxyAnswer {
  readonly envelope: HybridCryptoEnvelope;
  readonly auditEventId: string;
  /** The failure that the envelope tells in full, `null` for a result. */
  readonly failure: SealdeskError | null;
}

/**
 * Runs one operation for a caller. Rejects with the failures of the admission, of Zendesk (unless the
 * caller accepts them sealed) and INTERNAL, each naming its audit event, and with KMS_UNAVAILABLE and
 * AUDIT_UNAVAILABLE, which have none. Every failure of a change tells what became of it.
 */
export async function runProxied(
  deps: ProxyDeps,
  call: AuthenticatedCall,
  request: ProxyRequest,
): Promise<ProxyAnswer> {
  return new ProxiedCall(deps, call, request).run();
}

class ProxiedCall {
  readonly #deps: ProxyDeps;
  readonly #call: AuthenticatedCall;
  readonly #request: ProxyRequest;
  readonly #record: CallRecord;
  /** What the answer passes on its way to a restricted client key. */
  #gate: ScopeGate | null = null;

  constructor(deps: ProxyDeps, call: AuthenticatedCall, request: ProxyRequest) {
    this.#deps = deps;
    this.#call = call;
    this.#request = request;
    this.#record = new CallRecord(deps, call, request);
  }

  async run(): Promise<ProxyAnswer> {
    const { store, keyring, connections, clock } = this.#deps;
    const { signal, caller } = this.#call;
    // Without the call's signal: a caller that goes away does not keep its call out of the log.
    const keys = await keyring.keysOf(caller.tenantId);
    let admission: Admission;
    let client: ZendeskClient;
    try {
      admission = await admitCall(store, this.#call, this.#request, clock.now());
      this.#record.noteResource(resourceOf(admission, this.#request, keys));
      client = connections.clientFor(admission.target);
      signal.throwIfAborted();
    } catch (error) {
      throw await this.#fail(keys, this.#failureOf(error));
    }
    if (admission.operation.mutation) await this.#recordIntent(keys, admission);

    let result: unknown;
    try {
      result = await this.#callZendesk(keys, admission, client);
    } catch (error) {
      return this.#answerFailure(await this.#keysAgain(keys), admission, this.#failureOf(error));
    }
    return this.#answerResult(await this.#keysAgain(keys), admission, result);
  }

  /** What took long may have outlived the keys: they are asked for again, and were the KMS silent, used as long as they live. */
  async #keysAgain(keys: TenantKeys): Promise<TenantKeys> {
    try {
      return await this.#deps.keyring.keysOf(keys.tenantId);
    } catch {
      return keys;
    }
  }

  async #recordIntent(keys: TenantKeys, admission: Admission): Promise<void> {
    const { caller } = this.#call;
    const { integrationId, operation } = this.#request;
    const { recipient, target } = admission;
    try {
      await this.#record.open(keys, async (tx) => {
        await assertStillEntitled(tx, caller, recipient, this.#deps.clock.now());
        // The credential is read after this, as it is then.
        await assertMayStillChange(tx, this.#asker(admission), {
          ...{ integrationId, operation, target, credentialVersion: null },
        });
      });
    } catch (error) {
      if (!isSealdeskError(error)) throw error;
      const told = isSealdeskError(error, 'AUDIT_UNAVAILABLE')
        ? error
        : await this.#fail(keys, this.#failureOf(error));
      throw told.with({ mutation: 'NOT_SENT' });
    }
  }

  /** That the answer may leave: a read also needs its operation to be permitted still. */
  async #assertMayLeave(tx: Tx, admission: Admission): Promise<void> {
    const { caller } = this.#call;
    const { operation, recipient } = admission;
    const { integrationId } = this.#request;
    if (this.#gate !== null) {
      const { tenantId } = caller;
      const stream = { tenantId, integrationId, lineageId: recipient.lineageId };
      await noteShown(tx, stream, this.#gate.restriction, this.#gate.shown);
    }
    await assertStillEntitled(tx, caller, recipient, this.#deps.clock.now());
    if (operation.mutation) return;
    await assertStillPermitted(tx, this.#asker(admission), { integrationId, operations: [operation.name] });
  }

  #asker({ restriction }: Admission): Asker {
    return { caller: this.#call.caller, restriction };
  }

  async #callZendesk(keys: TenantKeys, admission: Admission, client: ZendeskClient): Promise<unknown> {
    const { caller, signal } = this.#call;
    const { operation, prepared, isPermitted, restriction, guard } = admission;
    const { integrationId, idempotencyKey } = this.#request;
    const { intentId, eventId } = this.#record;
    this.#gate = restriction === null ? null : new ScopeGate(restriction);
    const { result, resource } = await prepared.run(client, {
      gate: this.#gate,
      guard,
      usage: createUsageMeter(),
      caller: caller.id,
      isPermitted,
      // Without a key of the caller's the intent serves, so that an unclear creation can be sent again.
      idempotencyKey: keys.idempotencyKey(
        idempotencyKey === null
          ? [integrationId, intentId ?? eventId]
          : [integrationId, caller.id, idempotencyKey],
      ),
      // A change under way is not broken off when the caller goes away: its outcome would be lost.
      signal: operation.mutation ? undefined : signal,
      deadline: this.#deps.clock.now() + OPERATION_DEADLINE_MS,
    });
    // What was created has its id only now; a search keeps the name of its query.
    if (operation.mutation) this.#record.noteResource(resource);
    return result;
  }

  async #answerResult(keys: TenantKeys, admission: Admission, result: unknown): Promise<ProxyAnswer> {
    let sealed: SealedEnvelope;
    try {
      sealed = await this.#seal(keys, admission, 'proxy.result', result);
    } catch (error) {
      throw await this.#fail(keys, this.#failureOf(error, 'APPLIED'));
    }
    try {
      const ending = { outcome: 'SUCCEEDED', ...envelopesOf(admission, sealed) } as const;
      await this.#record.close(keys, ending, (tx) => this.#assertMayLeave(tx, admission));
    } catch (error) {
      if (isSealdeskError(error, 'AUDIT_UNAVAILABLE')) throw this.#unrecorded(error, 'APPLIED');
      // Taken back meanwhile: what was sealed does not leave.
      throw await this.#fail(keys, this.#failureOf(error, 'APPLIED'));
    }
    return { envelope: sealed.envelope, auditEventId: this.#record.eventId, failure: null };
  }

  async #answerFailure(keys: TenantKeys, admission: Admission, failure: SealdeskError): Promise<ProxyAnswer> {
    const sealed = await this.#sealFailure(keys, admission, failure);
    if (sealed === null) throw await this.#fail(keys, failure);
    try {
      await this.#fail(keys, failure, envelopesOf(admission, sealed), (tx) =>
        this.#assertMayLeave(tx, admission),
      );
    } catch (error) {
      // Taken back meanwhile: the failure is told in the clear, without Zendesk's words.
      throw isSealdeskError(error, 'AUDIT_UNAVAILABLE') ? error : await this.#fail(keys, failure);
    }
    return { envelope: sealed.envelope, auditEventId: this.#record.eventId, failure };
  }

  /** Zendesk's answer in full for a caller who takes it sealed; `null` where it goes in the clear, without. */
  async #sealFailure(
    keys: TenantKeys,
    admission: Admission,
    failure: SealdeskError,
  ): Promise<SealedEnvelope | null> {
    const upstream = upstreamOf(failure);
    if (!this.#call.acceptsSealedErrors || upstream === null) return null;
    const { code, message, details } = withMendLink(failure, this.#deps.publicUrl);
    const { status, body, truncated } = upstream;
    try {
      return await this.#seal(keys, admission, 'proxy.error', {
        code,
        message,
        details,
        upstream: { status, body, truncated },
      });
    } catch (error) {
      logUnforeseen(this.#deps.log, this.#call, error);
      return null;
    }
  }

  async #seal(
    keys: TenantKeys,
    admission: Admission,
    purpose: 'proxy.result' | 'proxy.error',
    value: unknown,
  ): Promise<SealedEnvelope> {
    const plaintext = encodeUtf8(JSON.stringify(value));
    assertResultSize(admission.operation, plaintext.length);
    return sealAnswer(this.#deps.keyring.suite, keys, this.#call, {
      purpose,
      recipient: admission.recipient,
      auditEventId: this.#record.eventId,
      integrationId: this.#request.integrationId,
      operation: admission.operation.name,
      plaintext,
      now: this.#deps.clock.now(),
    });
  }

  /** Records the failure and returns it; rejects where it cannot be recorded. */
  async #fail(
    keys: TenantKeys,
    failure: SealdeskError,
    envelopes: Pick<NewAuditEvent, 'envelopes'> = {},
    condition?: Condition,
  ): Promise<SealdeskError> {
    const { mutation = null, upstreamStatus } = failure.details;
    const ending = {
      outcome: outcomeOf(failure, mutation),
      denialReason: failure.code,
      upstreamStatus,
      ...envelopes,
    };
    try {
      await this.#record.close(keys, ending, condition);
    } catch (error) {
      throw isSealdeskError(error, 'AUDIT_UNAVAILABLE') ? this.#unrecorded(error, mutation) : error;
    }
    return failure;
  }

  /**
   * What was thrown, as the caller gets it: with the event, the intent, and what became of a change,
   * which is `otherwise` where the failure itself does not tell.
   */
  #failureOf(thrown: unknown, otherwise: MutationOutcome = 'UNKNOWN'): SealdeskError {
    const failure = isSealdeskError(thrown) ? thrown : this.#unforeseen(thrown);
    const { eventId, intentId } = this.#record;
    const change = intentId === null ? {} : { intentId, mutation: failure.details.mutation ?? otherwise };
    return failure.with({ auditEventId: eventId, ...change });
  }

  #unforeseen(thrown: unknown): SealdeskError {
    const { signal } = this.#call;
    if (signal.aborted && this.#record.intentId === null) {
      return new SealdeskError('UPSTREAM_UNAVAILABLE', 'The caller went away before Zendesk answered.', {
        cause: thrown,
      });
    }
    return unforeseen(this.#deps.log, this.#call, thrown);
  }

  /** AUDIT_UNAVAILABLE, with the intent of a change, which is in the log, and what became of it. */
  #unrecorded(error: unknown, mutation: MutationOutcome | null): unknown {
    const { intentId } = this.#record;
    if (!isSealdeskError(error) || intentId === null) return error;
    return error.with({ intentId, mutation: mutation ?? 'UNKNOWN' });
  }
}

function envelopesOf(admission: Admission, sealed: SealedEnvelope): Pick<NewAuditEvent, 'envelopes'> {
  return { envelopes: [{ keyId: admission.recipient.keyId, sha256: sealed.transcriptSha256 }] };
}

/** What the event names: an object's id, or, for a search, the query as an HMAC. */
function resourceOf({ prepared }: Admission, { operation, payload }: ProxyRequest, keys: TenantKeys): string {
  if (operation !== 'search') return prepared.resource;
  const query =
    typeof payload === 'object' && payload !== null && 'query' in payload ? String(payload.query) : '';
  return `query:${keys.indexHmac('zendesk-query', query)}`;
}
