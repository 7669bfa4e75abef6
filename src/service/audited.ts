/**
 * How a use case leaves its entry in the audit log. What changes the database changes it in the same
 * transaction as the entry; what fails or is denied leaves an entry of its own. If the entry cannot
 * be written, the caller gets AUDIT_UNAVAILABLE and nothing else.
 */
import type { Role } from '../access/index.ts';
import { assertRole, assertStillValid } from '../access/index.ts';
import type { AuditOutcome, NewAuditEvent } from '../audit/index.ts';
import { createId, isSealdeskError, SealdeskError } from '../base/index.ts';
import {
  type AuthenticatedCall,
  assertAuthenticated,
  type Call,
  describeCall,
  isDenial,
} from '../proxy/index.ts';
import type { Tx } from '../store/index.ts';
import { appendEvents, recordEvent } from './record-event.ts';
import type { ServiceDeps } from './service-deps.ts';

export interface Act {
  /** What is done, as `{noun}.{verb}`. */
  readonly action: string;
  /** The roles of which the caller needs one. */
  readonly roles: readonly Role[];
  /** Whose log; the caller's own tenant where left out. */
  readonly tenantId?: string;
  /** An id of ours, or a bare type. */
  readonly resource?: string;
  readonly integrationId?: string;
}

/** What a step may add to the entry when it knows more. */
export interface ActDetails
  extends Partial<Pick<NewAuditEvent, 'resource' | 'integrationId' | 'scope' | 'clientKey' | 'envelopes'>> {
  /** Where the act was recorded as done though what it looked for was not there. */
  readonly outcome?: AuditOutcome;
  /** Other actions that were part of the act; each has an entry of its own beside it. */
  readonly alongside?: readonly (Pick<NewAuditEvent, 'action' | 'clientKey' | 'operation'> & {
    readonly resource: string;
  })[];
}

/** How an act ended, as its entry tells it. */
type Ending = Omit<ActDetails, 'alongside'> &
  Pick<NewAuditEvent, 'denialReason' | 'upstreamStatus'> & { readonly outcome: AuditOutcome };

export interface AuditedStep {
  /** The id of the entry, to be named in envelopes and answers. */
  readonly eventId: string;
  /** Whose log the entry goes to. */
  readonly tenantId: string;
  /**
   * Runs `work` in the tenant's transaction and appends the entry in it: both happen or neither.
   * To be called once, as the last act. That the caller's API key is still good is asked first in the
   * same transaction; in one of its own where the key belongs to another tenant. `ends` is the API key
   * that `work` revokes. Rejects with UNAUTHENTICATED.
   */
  commit<T>(
    work: (tx: Tx) => Promise<T>,
    details?: (result: T) => ActDetails,
    options?: { readonly ends?: string },
  ): Promise<T>;
  /** Rejects with UNAUTHENTICATED where the caller's API key has ended; before what cannot be taken back by `commit`. */
  assertCallerValid(): Promise<void>;
}

/** Runs `work` for a caller with one of the act's roles, and records how it ended. */
export async function audited<T>(
  deps: ServiceDeps,
  call: Call,
  act: Act,
  work: (step: AuditedStep, call: AuthenticatedCall) => Promise<T>,
): Promise<T> {
  assertAuthenticated(call);
  return auditedAs(deps, call, { ...act, tenantId: act.tenantId ?? call.caller.tenantId }, async (step) => {
    assertRole(call.caller, ...act.roles);
    return work(step, call);
  });
}

/** {@link audited} for the few acts that need no caller: the actor is then the gateway itself. */
export async function auditedAs<T>(
  deps: ServiceDeps,
  call: Call,
  act: Omit<Act, 'roles'> & { readonly tenantId: string },
  work: (step: AuditedStep) => Promise<T>,
): Promise<T> {
  const { store, keyring, clock } = deps;
  const startedAt = clock.now();
  const eventId = createId('auditEvent', startedAt);
  const { tenantId } = act;
  const eventOf = (ending: Ending): NewAuditEvent => ({
    ...describeCall(call),
    id: eventId,
    occurredAt: new Date(clock.now()).toISOString(),
    durationMs: Math.max(0, clock.now() - startedAt),
    phase: 'SINGLE',
    action: act.action,
    ...(act.resource === undefined ? {} : { resource: act.resource }),
    ...(act.integrationId === undefined ? {} : { integrationId: act.integrationId }),
    ...ending,
  });

  const { caller } = call;
  const assertCallerValid = async (): Promise<void> => {
    if (caller === null) return;
    await store.withTenant(caller.tenantId, (tx) => assertStillValid(tx, caller, clock.now()));
  };

  try {
    return await work({
      assertCallerValid,
      eventId,
      tenantId,
      async commit(change, details, options) {
        const keys = await keyring.keysOf(tenantId, { signal: call.signal });
        const isForeign = caller !== null && caller.tenantId !== tenantId;
        if (isForeign) await assertCallerValid();
        return store.withTenant(tenantId, async (tx) => {
          if (caller !== null && !isForeign) await assertStillValid(tx, caller, clock.now(), options);
          const result = await change(tx);
          const { alongside = [], ...told } = details?.(result) ?? {};
          const event = eventOf({ outcome: 'SUCCEEDED', ...told });
          const { envelopes: _sealed, clientKey: _ofAct, scope: _ofKey, ...shared } = event;
          const also = alongside.map((other) => ({
            ...shared,
            ...other,
            id: createId('auditEvent', clock.now()),
          }));
          await appendEvents(tx, tenantId, keys.auditHeadKey(), [event, ...also]);
          return result;
        });
      },
    });
  } catch (error) {
    const failure = isSealdeskError(error) ? error : null;
    const code = failure?.code ?? 'INTERNAL';
    // Where the log is what failed, there is nothing to write with.
    if (code === 'AUDIT_UNAVAILABLE') throw error;
    // Not bound to the call's signal: a caller that went away does not keep its failure out of the log.
    const upstreamStatus = failure?.details.upstreamStatus;
    const event = eventOf({
      outcome: isDenial(error) ? 'DENIED' : 'FAILED',
      denialReason: code,
      ...(upstreamStatus === undefined ? {} : { upstreamStatus }),
    });
    await recordEvent(deps, tenantId, event);
    if (failure === null) throw error;
    throw failure.with({ auditEventId: eventId });
  }
}

/** NOT_FOUND with one text for what is missing and what belongs to another tenant. */
export function notFound(what: string): SealdeskError {
  return new SealdeskError('NOT_FOUND', `There is no such ${what}, or this key may not see it.`);
}
