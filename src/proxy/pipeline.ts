/**
 * The crypto proxy core, one pipeline for every way in: authorise → policy → validate → intent (of
 * changes) → Zendesk → seal → outcome → answer.
 *
 * The tenant's signing key is unsealed and, for a change, the audit log written before anything is
 * sent, so that a change is not made which could neither be answered nor recorded. What fails after
 * a change was sent says what became of it and names the intent. Nothing leaves before its outcome
 * is in the log.
 */
import { type AuditOutcome, appendAuditEvents, type NewAuditEvent } from '../audit/index.ts';
import {
  type Clock,
  createId,
  isId,
  isSealdeskError,
  type Log,
  type MutationOutcome,
  SealdeskError,
} from '../base/index.ts';
import type { HybridCryptoEnvelope, SealedEnvelope } from '../envelope/index.ts';
import type { Store } from '../store/index.ts';
import type { Keyring, TenantKeys } from '../vault/index.ts';
import { createUsageMeter, upstreamOf } from '../zendesk/index.ts';
import { type Admission, admitCall, type ProxyRequest } from './admission.ts';
import type { AuthenticatedCall } from './call.ts';
import { describeCall } from './call-event.ts';
import { isOperationName } from './catalogue/catalogue.ts';
import type { ZendeskConnections } from './connections.ts';
import { isDenial } from './denial.ts';
import { sealAnswer } from './seal-answer.ts';

export interface ProxyDeps {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly connections: ZendeskConnections;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ProxyAnswer {
  readonly envelope: HybridCryptoEnvelope;
  readonly auditEventId: string;
  /** The failure that the envelope tells in full, `null` for a result. */
  readonly failure: SealdeskError | null;
}

/**
 * Runs one operation for a caller. Rejects with the failures of the admission, of Zendesk (unless the
 * caller accepts them sealed), KMS_UNAVAILABLE and AUDIT_UNAVAILABLE; each names its audit event.
 */
export async function runProxied(
  deps: ProxyDeps,
  call: AuthenticatedCall,
  request: ProxyRequest,
): Promise<ProxyAnswer> {
  return new ProxiedCall(deps, call, request).run();
}

/** How a call ended, as its event tells it. */
type Ending = Pick<NewAuditEvent, 'denialReason' | 'upstreamStatus' | 'envelopes'> & {
  readonly outcome: AuditOutcome;
};

class ProxiedCall {
  readonly #deps: ProxyDeps;
  readonly #call: AuthenticatedCall;
  readonly #request: ProxyRequest;
  readonly #startedAt: number;
  /** The event that answers name: the outcome of a change, the one event of anything else. */
  readonly #eventId: string;
  #intentId: string | null = null;
  #resource: string | null = null;

  constructor(deps: ProxyDeps, call: AuthenticatedCall, request: ProxyRequest) {
    this.#deps = deps;
    this.#call = call;
    this.#request = request;
    this.#startedAt = deps.clock.now();
    this.#eventId = createId('auditEvent', this.#startedAt);
  }

  async run(): Promise<ProxyAnswer> {
    const { store, keyring, clock } = this.#deps;
    const { signal, caller } = this.#call;
    const keys = await keyring.keysOf(caller.tenantId, { signal });
    let admission: Admission;
    try {
      admission = await admitCall(store, this.#call, this.#request, clock.now());
    } catch (error) {
      throw await this.#recordFailure(keys, error);
    }
    this.#resource = resourceOf(admission, this.#request, keys);
    if (admission.operation.mutation) await this.#recordIntent(keys);

    let result: unknown;
    try {
      result = await this.#callZendesk(admission, keys);
    } catch (error) {
      return this.#answerFailure(keys, admission, error);
    }
    return this.#answerResult(keys, admission, result);
  }

  async #callZendesk(admission: Admission, keys: TenantKeys): Promise<unknown> {
    const { caller, signal } = this.#call;
    const { integrationId, idempotencyKey } = this.#request;
    const usage = createUsageMeter();
    const done = await admission.prepared.run(this.#deps.connections.clientFor(admission.target), {
      usage,
      isPermitted: admission.isPermitted,
      // Without a key of the caller's the intent serves, so that an unclear creation can be sent again.
      idempotencyKey: keys.idempotencyKey(
        idempotencyKey === null
          ? [integrationId, this.#intentId ?? this.#eventId]
          : [integrationId, caller.apiKeyId, idempotencyKey],
      ),
      // A change under way is not broken off when the caller goes away: its outcome would be lost.
      signal: admission.operation.mutation ? undefined : signal,
    });
    this.#resource = this.#resource?.startsWith('query:') === true ? this.#resource : done.resource;
    return done.result;
  }

  async #answerResult(keys: TenantKeys, admission: Admission, result: unknown): Promise<ProxyAnswer> {
    let sealed: SealedEnvelope;
    try {
      sealed = await this.#seal(keys, admission, 'proxy.result', result);
    } catch (error) {
      throw await this.#recordFailure(keys, error, 'APPLIED');
    }
    try {
      await this.#record(keys, { outcome: 'SUCCEEDED', ...this.#envelopesOf(admission, sealed) });
    } catch (error) {
      throw this.#intentId === null ? error : this.#withOutcome(error, 'APPLIED');
    }
    return { envelope: sealed.envelope, auditEventId: this.#eventId, failure: null };
  }

  async #answerFailure(keys: TenantKeys, admission: Admission, error: unknown): Promise<ProxyAnswer> {
    const upstream = upstreamOf(error);
    if (!this.#call.acceptsSealedErrors || upstream === null || !isSealdeskError(error)) {
      throw await this.#recordFailure(keys, error);
    }
    const { code, message, details } = error;
    const sealed = await this.#seal(keys, admission, 'proxy.error', {
      code,
      message,
      details,
      upstream: { status: upstream.status, body: upstream.body, truncated: upstream.truncated },
    });
    const failure = await this.#recordFailure(keys, error, 'UNKNOWN', this.#envelopesOf(admission, sealed));
    if (!isSealdeskError(failure)) throw failure;
    return { envelope: sealed.envelope, auditEventId: this.#eventId, failure };
  }

  #seal(
    keys: TenantKeys,
    admission: Admission,
    purpose: 'proxy.result' | 'proxy.error',
    value: unknown,
  ): Promise<SealedEnvelope> {
    return sealAnswer(this.#deps.keyring.suite, keys, this.#call, {
      purpose,
      recipient: admission.recipient,
      auditEventId: this.#eventId,
      integrationId: this.#request.integrationId,
      operation: admission.operation.name,
      value,
      now: this.#deps.clock.now(),
    });
  }

  #envelopesOf(admission: Admission, sealed: SealedEnvelope): Pick<NewAuditEvent, 'envelopes'> {
    return { envelopes: [{ keyId: admission.recipient.keyId, sha256: sealed.transcriptSha256 }] };
  }

  /** Writes the intent of a change. If that fails, nothing has been sent. */
  async #recordIntent(keys: TenantKeys): Promise<void> {
    const intentId = createId('auditEvent', this.#deps.clock.now());
    await this.#append(keys, { ...this.#members(intentId), phase: 'INTENT' });
    this.#intentId = intentId;
  }

  /**
   * Records the failure and returns it with what the caller needs: the event, the intent, and what
   * became of a change, which is `otherwise` where the failure itself does not tell.
   */
  async #recordFailure(
    keys: TenantKeys,
    thrown: unknown,
    otherwise: MutationOutcome = 'UNKNOWN',
    envelopes: Pick<NewAuditEvent, 'envelopes'> = {},
  ): Promise<unknown> {
    const error = this.#call.signal.aborted && !isSealdeskError(thrown) ? goneAway(thrown) : thrown;
    const failure = isSealdeskError(error) ? error : null;
    const mutation = this.#intentId === null ? null : (failure?.details.mutation ?? otherwise);
    await this.#record(keys, {
      outcome: outcomeOf(error, mutation),
      denialReason: failure?.code ?? 'INTERNAL',
      ...(failure?.details.upstreamStatus === undefined
        ? {}
        : { upstreamStatus: failure.details.upstreamStatus }),
      ...envelopes,
    });
    return mutation === null
      ? (failure?.with({ auditEventId: this.#eventId }) ?? error)
      : this.#withOutcome(error, mutation);
  }

  #withOutcome(error: unknown, mutation: MutationOutcome): unknown {
    const details = {
      mutation,
      auditEventId: this.#eventId,
      ...(this.#intentId === null ? {} : { intentId: this.#intentId }),
    };
    if (isSealdeskError(error)) return error.with(details);
    return new SealdeskError(
      'INTERNAL',
      'The gateway failed after the change was sent. See operationStatus(intentId).',
      {
        ...details,
        cause: error,
      },
    );
  }

  async #record(keys: TenantKeys, ending: Ending): Promise<void> {
    const members = { ...this.#members(this.#eventId), ...ending };
    const intentId = this.#intentId;
    await this.#append(
      keys,
      intentId === null ? { ...members, phase: 'SINGLE' } : { ...members, phase: 'OUTCOME', intentId },
    );
  }

  #members(id: string) {
    const { clock } = this.#deps;
    const { integrationId, operation } = this.#request;
    return {
      ...describeCall(this.#call),
      id,
      action: 'zendesk.call',
      occurredAt: new Date(clock.now()).toISOString(),
      durationMs: Math.max(0, clock.now() - this.#startedAt),
      ...(isId('integration', integrationId) ? { integrationId } : {}),
      // An operation that does not exist is text of the caller's choosing.
      ...(isOperationName(operation) ? { operation } : {}),
      ...(this.#resource === null ? {} : { resource: this.#resource }),
    };
  }

  async #append(keys: TenantKeys, event: NewAuditEvent): Promise<void> {
    const { tenantId } = keys;
    const headKey = keys.auditHeadKey();
    await this.#deps.store.withTenant(tenantId, (tx) =>
      appendAuditEvents(tx, { tenantId, headKey, events: [event] }),
    );
  }
}

function goneAway(cause: unknown): SealdeskError {
  return new SealdeskError('UPSTREAM_UNAVAILABLE', 'The caller went away before Zendesk answered.', {
    cause,
  });
}

/** What the event names: an object's id, or, for a search, the query as an HMAC. */
function resourceOf({ prepared }: Admission, { operation, payload }: ProxyRequest, keys: TenantKeys): string {
  if (operation !== 'search') return prepared.resource;
  const query =
    typeof payload === 'object' && payload !== null && 'query' in payload ? String(payload.query) : '';
  return `query:${keys.indexHmac('zendesk-query', query)}`;
}

function outcomeOf(error: unknown, mutation: MutationOutcome | null): AuditOutcome {
  switch (mutation) {
    case 'APPLIED':
      return 'APPLIED';
    case 'UNKNOWN':
      return 'UNKNOWN';
    case 'NOT_SENT':
      return 'FAILED';
    case null:
      return isDenial(error) ? 'DENIED' : 'FAILED';
    default:
      return mutation satisfies never;
  }
}
