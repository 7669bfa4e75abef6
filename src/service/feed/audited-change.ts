/**
 * A change by an admin that goes to Zendesk as well as to our own tables. Its INTENT is in the log before
 * anything is sent, its OUTCOME together with what it changed here, in one transaction. A process that dies in
 * between leaves an intent for the sweeper to close as UNKNOWN, and the change is done again by repeating it.
 */
import { assertRole, assertStillValid, type Role } from '../../access/index.ts';
import type { NewAuditEvent } from '../../audit/index.ts';
import { createId, isSealdeskError, SealdeskError } from '../../base/index.ts';
import {
  type AuthenticatedCall,
  assertAuthenticated,
  type Call,
  describeCall,
  isDenial,
} from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';

export interface ChangeSteps<Admitted, Sent, Result> {
  /** What is done, as `{noun}.{verb}`. */
  readonly action: string;
  readonly roles: readonly Role[];
  readonly integrationId: string;
  /** Whether it may be done, in the transaction of the intent; throws a coded failure where not. */
  readonly admit: (tx: Tx, tenantId: string) => Promise<Admitted>;
  /** The part of it at Zendesk. */
  readonly send: (admitted: Admitted, call: AuthenticatedCall) => Promise<Sent>;
  /** The part of it here, in the transaction of the outcome. */
  readonly commit: (tx: Tx, keys: TenantKeys, admitted: Admitted, sent: Sent) => Promise<Result>;
}

export interface AuditedChange<Result> {
  readonly result: Result;
  /** The event that ends it. */
  readonly auditEventId: string;
}

/** Makes the change. Its failures name their event, and, once something may have been sent, the intent. */
export async function auditedChange<Admitted, Sent, Result>(
  deps: ServiceDeps,
  call: Call,
  steps: ChangeSteps<Admitted, Sent, Result>,
): Promise<AuditedChange<Result>> {
  assertAuthenticated(call);
  const record = new ChangeRecord(deps, call, steps);
  const { store, keyring, clock } = deps;
  const { tenantId } = call.caller;
  try {
    assertRole(call.caller, ...steps.roles);
    const keys = await keyring.keysOf(tenantId);
    const admitted = await store.withTenant(tenantId, async (tx) => {
      await assertStillValid(tx, call.caller, clock.now());
      const may = await steps.admit(tx, tenantId);
      await record.append(tx, keys, record.intent());
      return may;
    });
    record.opened = true;
    const sent = await steps.send(admitted, call);
    // What took long may have outlived the keys.
    const keysThen = await keyring.keysOf(tenantId);
    const result = await store.withTenant(tenantId, async (tx) => {
      const done = await steps.commit(tx, keysThen, admitted, sent);
      await record.append(tx, keysThen, record.ending({ outcome: 'SUCCEEDED' }));
      return done;
    });
    return { result, auditEventId: record.eventId };
  } catch (error) {
    throw await record.fail(error);
  }
}

type Ending = Pick<
  Extract<NewAuditEvent, { phase: 'SINGLE' }>,
  'outcome' | 'denialReason' | 'upstreamStatus'
>;

class ChangeRecord {
  readonly eventId: string;
  /** Whether the intent is in the log. */
  opened = false;
  readonly #deps: ServiceDeps;
  readonly #call: AuthenticatedCall;
  readonly #about: Pick<ChangeSteps<never, never, never>, 'action' | 'integrationId'>;
  readonly #startedAt: number;
  readonly #intentId: string;

  constructor(
    deps: ServiceDeps,
    call: AuthenticatedCall,
    { action, integrationId }: Pick<ChangeSteps<never, never, never>, 'action' | 'integrationId'>,
  ) {
    this.#deps = deps;
    this.#call = call;
    this.#about = { action, integrationId };
    this.#startedAt = deps.clock.now();
    this.#intentId = createId('auditEvent', this.#startedAt);
    this.eventId = createId('auditEvent', this.#startedAt);
  }

  intent(): NewAuditEvent {
    return { ...this.#members(this.#intentId), phase: 'INTENT' };
  }

  /** With `isSwept` it stands beside the outcome that the sweeper gave the intent. */
  ending(ending: Ending, isSwept = false): NewAuditEvent {
    const members = { ...this.#members(this.eventId), ...ending };
    if (!this.opened) return { ...members, phase: 'SINGLE' };
    if (isSwept) return { ...members, phase: 'SINGLE', parentId: this.#intentId };
    return { ...members, phase: 'OUTCOME', intentId: this.#intentId };
  }

  async append(tx: Tx, keys: TenantKeys, event: NewAuditEvent): Promise<void> {
    const headKey = keys.auditHeadKey();
    try {
      await appendEvents(tx, keys.tenantId, headKey, [event]);
    } finally {
      headKey.fill(0);
    }
  }

  /** Records the failure; the error that the caller gets. */
  async fail(thrown: unknown): Promise<unknown> {
    const failure = isSealdeskError(thrown) ? thrown : null;
    const code = failure?.code ?? 'INTERNAL';
    // Where the log is what failed, there is nothing to write with.
    if (code === 'AUDIT_UNAVAILABLE') return this.#told(failure ?? thrown);
    const upstreamStatus = failure?.details.upstreamStatus;
    const ending: Ending = {
      outcome: this.#outcomeOf(thrown),
      denialReason: code,
      ...(upstreamStatus === undefined ? {} : { upstreamStatus }),
    };
    const { keyring, store } = this.#deps;
    const { tenantId } = this.#call.caller;
    const keys = await keyring.keysOf(tenantId);
    try {
      await store.withTenant(tenantId, (tx) => this.append(tx, keys, this.ending(ending)));
    } catch (error) {
      if (!this.opened || !isSealdeskError(error, 'CONFLICT')) throw error;
      await store.withTenant(tenantId, (tx) => this.append(tx, keys, this.ending(ending, true)));
    }
    return failure === null ? thrown : this.#told(failure.with({ auditEventId: this.eventId }));
  }

  #outcomeOf(thrown: unknown): Ending['outcome'] {
    if (!this.opened) return isDenial(thrown) ? 'DENIED' : 'FAILED';
    // Several calls may have been made: only a failure that tells that nothing was done is believed.
    const mutation = isSealdeskError(thrown) ? thrown.details.mutation : undefined;
    return mutation === 'NOT_SENT' ? 'FAILED' : 'UNKNOWN';
  }

  #told(failure: unknown): unknown {
    if (!this.opened || !(failure instanceof SealdeskError)) return failure;
    const { mutation = 'UNKNOWN' } = failure.details;
    return failure.with({ intentId: this.#intentId, mutation });
  }

  #members(id: string) {
    const { clock } = this.#deps;
    return {
      ...describeCall(this.#call),
      id,
      occurredAt: new Date(clock.now()).toISOString(),
      durationMs: Math.max(0, clock.now() - this.#startedAt),
      action: this.#about.action,
      integrationId: this.#about.integrationId,
      resource: this.#about.integrationId,
    };
  }
}
