/**
 * How far a step came, in the database and in the audit log at once: an INTENT before anything is sent, and the
 * OUTCOME when it is known. The actor is the API key that applied the plan, and the parent the event of that, which
 * names the plan. What a restart finds as SENT has an intent without a known outcome.
 */
import { type AuditOutcome, listOpenIntents, type NewAuditEvent } from '../../audit/index.ts';
import { createId, type ErrorCode } from '../../base/index.ts';
import {
  nameItem,
  type Plan,
  type PlanHold,
  readBreakGlassIds,
  readHold,
  type StoredStep,
  setItem,
  setStep,
  skipSteps,
} from '../../provisioning/index.ts';
import type { ConnectionTarget, OperationName } from '../../proxy/index.ts';
import type { PlanStepState, Tx } from '../../store/index.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { assertMayStillApply } from './plan-rights.ts';

/** The claim was lost: another process goes on with the plan. */
export class PlanLost extends Error {
  override readonly name = 'PlanLost';
}

/** Somebody wants the plan to stop: no further step is begun. */
export class PlanStopped extends Error {
  override readonly name = 'PlanStopped';

  constructor() {
    super('The plan is to stop');
  }
}

export interface StepPlace {
  readonly position: number;
  readonly step: number;
}

export interface StepEnding {
  readonly state: PlanStepState;
  readonly outcome: AuditOutcome;
  readonly failure?: ErrorCode | null;
  readonly upstreamStatus?: number | null;
  /** Tickets that were handed over in all. */
  readonly count?: number;
  /** Of somebody who was made. */
  readonly zendeskId?: number;
}

export type StepRecordDeps = Pick<ServiceDeps, 'store' | 'keyring' | 'clock'>;

export interface StepRecordOptions {
  readonly plan: Plan;
  readonly target: ConnectionTarget;
  readonly holder: string;
}

/** An intent that was written, to be closed. */
export interface OpenStep {
  readonly place: StepPlace;
  readonly intentId: string;
  readonly operation: OperationName;
  readonly resource: string;
  readonly startedAt: number;
  readonly count?: number;
}

export interface BegunStep extends OpenStep {
  /** Whom no step may lock out, as of the writing of the intent. */
  readonly breakGlassIds: ReadonlySet<number>;
}

export class StepRecord {
  readonly #deps: StepRecordDeps;
  readonly #options: StepRecordOptions;

  constructor(deps: StepRecordDeps, options: StepRecordOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /**
   * Writes the intent, where the plan is still the holder's and whoever applied it may still do this. Rejects with
   * PlanLost, PlanStopped, as the rights do, and with AUDIT_UNAVAILABLE or KMS_UNAVAILABLE; nothing is written then.
   */
  async open(
    place: StepPlace,
    { operation, resource, count }: Pick<OpenStep, 'operation' | 'resource' | 'count'>,
  ): Promise<BegunStep> {
    const { plan, target } = this.#options;
    const { clock } = this.#deps;
    const startedAt = clock.now();
    const intentId = createId('auditEvent', startedAt);
    const open = {
      place,
      intentId,
      operation,
      resource,
      startedAt,
      ...(count === undefined ? {} : { count }),
    };
    let breakGlassIds: ReadonlySet<number> = new Set();
    await this.#write(async (tx) => {
      if ((await this.#assertHeld(tx)) === 'STOPPING') throw new PlanStopped();
      await assertMayStillApply(tx, plan, { operation, target }, startedAt);
      breakGlassIds = await readBreakGlassIds(tx, target);
      await setItem(tx, this.#key, place.position, { state: 'RUNNING' });
      await setStep(tx, this.#key, {
        ...place,
        state: 'SENT',
        intentId,
        failure: null,
        upstreamStatus: null,
      });
      return [{ ...this.#event(open, intentId), phase: 'INTENT' }];
    });
    return { ...open, breakGlassIds };
  }

  /** Writes what became of it, whoever holds the plan by now: it is true all the same. */
  async close(open: OpenStep, ending: StepEnding): Promise<void> {
    const { place, intentId } = open;
    const { outcome, failure = null, upstreamStatus = null } = ending;
    await this.#write(async (tx) => {
      const count = ending.count === undefined ? {} : { count: ending.count };
      const told = { ...place, state: ending.state, failure, upstreamStatus, ...count };
      await setStep(tx, this.#key, told, intentId);
      if (ending.zendeskId !== undefined) await nameItem(tx, this.#key, place.position, ending.zendeskId);
      const resource = ending.zendeskId === undefined ? open.resource : `user:${ending.zendeskId}`;
      return [await this.#outcome(tx, { ...open, resource }, { outcome, failure, upstreamStatus })];
    });
  }

  /** Closes the intent of a try that nobody could tell the outcome of at the time, where it is still open. */
  async settle(
    stored: StoredStep,
    what: Pick<OpenStep, 'operation' | 'resource'>,
    ending: StepEnding,
  ): Promise<void> {
    const { position, step, intentId } = stored;
    if (intentId === null) return;
    const startedAt = this.#deps.clock.now();
    await this.close({ place: { position, step }, intentId, startedAt, ...what }, ending);
  }

  /** Ends a step that needs nothing to be sent. */
  async note(
    place: StepPlace,
    state: PlanStepState,
    zendeskId: number | null = null,
    failure: ErrorCode | null = null,
  ): Promise<void> {
    await this.#deps.store.withTenant(this.#options.plan.tenantId, async (tx) => {
      await this.#assertHeld(tx);
      await setStep(tx, this.#key, { ...place, state, failure });
      if (zendeskId !== null) await nameItem(tx, this.#key, place.position, zendeskId);
    });
  }

  /** Ends a person: done, failed, or moved before its turn. What is left of the steps is not done. */
  async endItem(
    position: number,
    state: 'DONE' | 'FAILED' | 'STALE',
    failure: ErrorCode | null = null,
  ): Promise<void> {
    await this.#deps.store.withTenant(this.#options.plan.tenantId, async (tx) => {
      await this.#assertHeld(tx);
      await skipSteps(tx, this.#key, position);
      await setItem(tx, this.#key, position, { state, failure });
    });
  }

  get #key() {
    const { tenantId, id: planId } = this.#options.plan;
    return { tenantId, planId };
  }

  /** Throws PlanLost. */
  async #assertHeld(tx: Tx): Promise<Exclude<PlanHold, 'LOST'>> {
    const { holder } = this.#options;
    const hold = await readHold(tx, { ...this.#key, holder });
    if (hold === 'LOST') throw new PlanLost('The plan is another process’s');
    return hold;
  }

  /** The change of the rows and the events of the log, both or neither. */
  async #write(work: (tx: Tx) => Promise<readonly NewAuditEvent[]>): Promise<void> {
    const { store, keyring } = this.#deps;
    const { tenantId } = this.#options.plan;
    const keys = await keyring.keysOf(tenantId);
    const headKey = keys.auditHeadKey();
    try {
      await store.withTenant(tenantId, async (tx) => {
        await appendEvents(tx, tenantId, headKey, await work(tx));
      });
    } finally {
      headKey.fill(0);
    }
  }

  /** An outcome, or where the sweeper has closed the intent meanwhile, an event beside that. */
  async #outcome(
    tx: Tx,
    open: OpenStep,
    ending: {
      readonly outcome: AuditOutcome;
      readonly failure: ErrorCode | null;
      readonly upstreamStatus: number | null;
    },
  ): Promise<NewAuditEvent> {
    const { intentId, startedAt } = open;
    const { outcome, failure, upstreamStatus } = ending;
    const now = this.#deps.clock.now();
    const members = {
      ...this.#event(open, createId('auditEvent', now)),
      durationMs: Math.max(0, Math.round(now - startedAt)),
      outcome,
      ...(failure === null ? {} : { denialReason: failure }),
      ...(upstreamStatus === null ? {} : { upstreamStatus }),
    };
    const isOpen = (await listOpenIntents(tx, this.#options.plan.tenantId, [intentId])).has(intentId);
    return isOpen
      ? { ...members, phase: 'OUTCOME', intentId }
      : { ...members, phase: 'SINGLE', parentId: intentId };
  }

  #event({ operation, resource, count }: Pick<OpenStep, 'operation' | 'resource' | 'count'>, id: string) {
    const { integrationId, appliedBy, applyEventId } = this.#options.plan;
    return {
      id,
      occurredAt: new Date(this.#deps.clock.now()).toISOString(),
      actor: { type: 'API_KEY' as const, id: appliedBy ?? '' },
      action: 'zendesk.call',
      ...{ integrationId, operation, resource },
      ...(applyEventId === null ? {} : { parentId: applyEventId }),
      ...(count === undefined ? {} : { count }),
    };
  }
}
