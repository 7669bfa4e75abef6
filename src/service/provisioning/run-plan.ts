/**
 * Applies a plan as far as it goes: one person after the other, one step after the other, each written down before
 * and after. Nobody but the holder of the claim does, and who loses it stops. Between the calls to Zendesk and the
 * writes no transaction is open.
 */
import type { NewAuditEvent } from '../../audit/index.ts';
import { createId, type ErrorCode, isSealdeskError } from '../../base/index.ts';
import {
  claimPlan,
  countItems,
  endPlan,
  findPlan,
  leaveItems,
  listItems,
  listSteps,
  movedSince,
  type Plan,
  type PlanItem,
  type PlanKey,
  planWish,
  readBreakGlassIds,
  releasePlan,
  type StoredItem,
} from '../../provisioning/index.ts';
import { createPeopleSource, findIntegration, type PeopleSource, runForPlan } from '../../proxy/index.ts';
import type { PlanState } from '../../store/index.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { targetOf } from './plan-rights.ts';
import { openItem } from './plan-text.ts';
import type { PlanTimes } from './plan-times.ts';
import { readReality } from './read-reality.ts';
import { PlanInterrupted, runStep } from './run-step.ts';
import { codeOf, judgeStepFailure } from './step-failure.ts';
import { PlanLost, PlanStopped, StepRecord } from './step-record.ts';

export type PlanRunsDeps = Pick<ServiceDeps, 'store' | 'keyring' | 'connections' | 'clock' | 'log'>;

export interface PlanRunOptions {
  /** A random name of the run. */
  readonly holder: string;
  readonly signal: AbortSignal;
  readonly times: PlanTimes;
}

/** Nothing happens where another process applies the plan, or nobody is to. Rejects where the database does not answer. */
export async function runPlan(deps: PlanRunsDeps, key: PlanKey, options: PlanRunOptions): Promise<void> {
  const { store, clock } = deps;
  const { holder, times } = options;
  const plan = await store.withTenant(key.tenantId, async (tx) => {
    const hold = await claimPlan(tx, { ...key, holder, lifetimeMs: times.lease });
    return hold === 'LOST' ? null : findPlan(tx, key, clock.now());
  });
  if (plan !== null) await new PlanRun(deps, plan, options).run();
}

class PlanRun {
  readonly #deps: PlanRunsDeps;
  readonly #plan: Plan;
  readonly #options: PlanRunOptions;

  constructor(deps: PlanRunsDeps, plan: Plan, options: PlanRunOptions) {
    this.#deps = deps;
    this.#plan = plan;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { log } = this.#deps;
    try {
      await this.#walk();
    } catch (error) {
      if (error instanceof PlanLost) return;
      if (error instanceof PlanStopped) {
        await this.#end('CANCELLED');
        return;
      }
      if (this.#options.signal.aborted) {
        await this.#release();
        return;
      }
      if (!(error instanceof PlanInterrupted)) {
        // The claim ends by itself, and whoever has the next one goes on.
        if (isSealdeskError(error, 'AUDIT_UNAVAILABLE')) throw error;
        log.error('A provisioning plan failed inside the gateway', {
          tenantId: this.#plan.tenantId,
          error: error instanceof Error ? error : undefined,
        });
      }
      await this.#end('INTERRUPTED', error instanceof PlanInterrupted ? error.code : codeOf(error));
    }
  }

  get #key(): PlanKey {
    return { tenantId: this.#plan.tenantId, planId: this.#plan.id };
  }

  async #walk(): Promise<void> {
    const states = ['PENDING', 'RUNNING'] as const;
    for (;;) {
      this.#options.signal.throwIfAborted();
      await this.#keep();
      const [next] = await this.#deps.store.withTenant(this.#plan.tenantId, (tx) =>
        listItems(tx, this.#key, { after: null, limit: 1, states }),
      );
      if (next === undefined) return this.#finish();
      await this.#runItem(next);
    }
  }

  async #runItem(stored: StoredItem): Promise<void> {
    const { store, keyring, clock, log } = this.#deps;
    const { tenantId, id: planId, integrationId, appliedBy } = this.#plan;
    const { signal, times, holder } = this.#options;
    const item = openItem(await keyring.keysOf(tenantId), planId, stored);
    const { integration, breakGlassIds, steps } = await store.withTenant(tenantId, async (tx) => {
      const found = await findIntegration(tx, tenantId, integrationId);
      return {
        integration: found,
        breakGlassIds: found === null ? new Set<number>() : await readBreakGlassIds(tx, found),
        steps: await listSteps(tx, this.#key, [stored.position]),
      };
    });
    if (integration === null) throw new PlanInterrupted('NOT_FOUND', null);
    const target = this.#orInterrupt(() => targetOf(integration));
    const caller = appliedBy ?? 'plan';
    const client = this.#deps.connections.clientFor(target);
    const source = createPeopleSource({ client, caller, signal });
    const record = new StepRecord(this.#deps, { plan: this.#plan, target, holder });
    if (stored.state === 'PENDING' && (await this.#hasMoved(item, source, breakGlassIds))) {
      return record.endItem(stored.position, 'STALE', 'PLAN_STALE');
    }
    const isTakenUp = stored.state === 'RUNNING';
    // Of who was there already the sealed text tells; a row in the clear could have been altered.
    let userId = item.person?.id ?? stored.zendeskId;
    for (const [index, step] of item.steps.entries()) {
      const one = steps[index];
      if (one === undefined) throw new Error('A plan lacks a step of one of its people');
      if (one.state === 'DONE' || one.state === 'ALREADY') continue;
      signal.throwIfAborted();
      const result = await runStep(
        {
          ...{ record, source, clock, log, signal, pauseMs: times.pause },
          run: runForPlan({ client, caller, clock }),
          keep: () => this.#keep(),
        },
        { step, stored: one, userId, isTakenUp },
      );
      if (result.kind === 'FAILED') return record.endItem(stored.position, 'FAILED', result.failure);
      userId = result.userId;
    }
    await record.endItem(stored.position, 'DONE');
  }

  /**
   * Whether the person, or a guard rail around them, is not what the plan found. Of somebody new only Zendesk itself
   * knows for certain, which refuses an address that is taken.
   */
  async #hasMoved(
    item: PlanItem,
    source: PeopleSource,
    breakGlassIds: ReadonlySet<number>,
  ): Promise<boolean> {
    if (item.person === null) return false;
    try {
      const [reality] = await readReality(source, [item.wish], breakGlassIds);
      return reality === undefined || movedSince(item, planWish(item.wish, reality)).length > 0;
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (judgeStepFailure(error) === 'UNKNOWN') throw error;
      throw new PlanInterrupted(codeOf(error), error);
    }
  }

  async #finish(): Promise<void> {
    const counts = await this.#deps.store.withTenant(this.#plan.tenantId, (tx) => countItems(tx, this.#key));
    const short = (counts.FAILED ?? 0) + (counts.STALE ?? 0);
    await this.#end(short > 0 ? 'PARTLY_APPLIED' : 'APPLIED');
  }

  /** Ends or interrupts the plan, and tells so in the log. */
  async #end(
    state: Exclude<PlanState, 'READY' | 'APPLYING'>,
    failure: ErrorCode | null = null,
  ): Promise<void> {
    const { store, keyring, clock } = this.#deps;
    const { tenantId } = this.#plan;
    const headKey = (await keyring.keysOf(tenantId)).auditHeadKey();
    try {
      await store.withTenant(tenantId, async (tx) => {
        const { holder, times } = this.#options;
        if ((await claimPlan(tx, { ...this.#key, holder, lifetimeMs: times.lease })) === 'LOST') return;
        if (state === 'CANCELLED') await leaveItems(tx, this.#key);
        const now = clock.now();
        const expiresAt = new Date(now + times.life);
        await endPlan(tx, { ...this.#key, state, failure, now: new Date(now), expiresAt });
        await appendEvents(tx, tenantId, headKey, [this.#event(state, failure, now)]);
      });
    } finally {
      headKey.fill(0);
    }
  }

  #event(state: PlanState, failure: ErrorCode | null, now: number): NewAuditEvent {
    const { id, integrationId, appliedBy, applyEventId } = this.#plan;
    const reason = failure ?? (state === 'APPLIED' ? null : state);
    return {
      id: createId('auditEvent', now),
      occurredAt: new Date(now).toISOString(),
      actor: { type: 'API_KEY', id: appliedBy ?? '' },
      phase: 'SINGLE',
      action: state === 'INTERRUPTED' ? 'plan.interrupt' : 'plan.finish',
      outcome: reason === null ? 'SUCCEEDED' : 'FAILED',
      ...{ resource: id, integrationId },
      ...(reason === null ? {} : { denialReason: reason }),
      ...(applyEventId === null ? {} : { parentId: applyEventId }),
    };
  }

  /** Throws PlanLost and PlanStopped. */
  async #keep(): Promise<void> {
    const { holder, times } = this.#options;
    const claim = { ...this.#key, holder, lifetimeMs: times.lease };
    const hold = await this.#deps.store.withTenant(this.#plan.tenantId, (tx) => claimPlan(tx, claim));
    switch (hold) {
      case 'HELD':
        return;
      case 'STOPPING':
        throw new PlanStopped();
      case 'LOST':
        throw new PlanLost('The plan is another process’s');
      default:
        hold satisfies never;
    }
  }

  async #release(): Promise<void> {
    const { holder } = this.#options;
    await this.#deps.store
      .withTenant(this.#plan.tenantId, (tx) => releasePlan(tx, { ...this.#key, holder }))
      .catch(() => undefined);
  }

  #orInterrupt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new PlanInterrupted(codeOf(error), error);
    }
  }
}
