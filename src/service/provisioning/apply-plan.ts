/**
 * Applying a plan, and giving one up. Zendesk is held once more against what the plan found; where anything moved
 * nothing is applied. What is begun goes on by itself, in this process or another: applying it again only looks, or
 * takes up what was interrupted.
 */
import { z } from 'zod';
import { isId, SealdeskError } from '../../base/index.ts';
import {
  endPlan,
  findPlan,
  holdPlan,
  leaveItems,
  listItems,
  movedSince,
  type Plan,
  type PlanItem,
  type PlanKey,
  planWish,
  readBreakGlassIds,
  STEP_OPERATIONS,
  startPlan,
  wantStop,
} from '../../provisioning/index.ts';
import {
  type AuthenticatedCall,
  type Call,
  createPeopleSource,
  type OperationName,
} from '../../proxy/index.ts';
import { type AuditedStep, audited, notFound } from '../audited.ts';
import { parseInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { fingerprintOf } from './make-plan.ts';
import { MAX_ROWS } from './plan-inputs.ts';
import { type AdmittedPlan, admitPlan, assertUnrestricted, PLANNERS } from './plan-rights.ts';
import { openItem } from './plan-text.ts';
import { type PlanView, toPlanView } from './plan-view.ts';
import { readReality } from './read-reality.ts';

/** Whoever changes one person waits for the end, so long at most. */
const PATIENCE_MS = 20_000;
/** For all that is read of Zendesk again. */
const READ_MS = 60_000;
const MAX_TOLD = 20;

const PlanInput = z.strictObject({ id: z.string().max(64) });

/**
 * For ADMIN. Rejects with NOT_FOUND, PLAN_STALE (`fields` names what moved), CONFLICT where there is nothing to apply
 * or the plan was cancelled, as the policy does, and with the failures of Zendesk.
 */
export async function applyPlan(deps: ServiceDeps, call: Call, input: unknown): Promise<PlanView> {
  const act = { action: 'plan.apply', roles: PLANNERS, ...resourceHint(input) };
  const { key, plan } = await audited(deps, call, act, async (step, caller) => {
    const { key: wanted, plan: found } = await readWanted(deps, step, caller, input);
    switch (found.state) {
      case 'READY':
      case 'INTERRUPTED':
        return { key: wanted, plan: await start(deps, step, caller, found) };
      case 'APPLYING':
      case 'APPLIED':
      case 'PARTLY_APPLIED':
        await step.commit(
          async () => undefined,
          () => detailsOf(found),
        );
        return { key: wanted, plan: found };
      case 'CANCELLED':
        throw new SealdeskError('CONFLICT', 'The plan was cancelled. Make another.');
      default:
        return found.state satisfies never;
    }
  });
  if (plan.state !== 'APPLYING') return toPlanView(plan);
  const run = deps.planRuns.run({ ...key, items: plan.items });
  if (plan.items === 1) await atMost(deps, run, call.signal);
  const present = await deps.store.withTenant(key.tenantId, (tx) => findPlan(tx, key, deps.clock.now()));
  return toPlanView(present ?? plan);
}

/** Gives a plan up; one that is applied stops after the step under way, and what was done stays. For ADMIN. */
export async function cancelPlan(deps: ServiceDeps, call: Call, input: unknown): Promise<PlanView> {
  const act = { action: 'plan.cancel', roles: PLANNERS, ...resourceHint(input) };
  const { key, plan } = await audited(deps, call, act, async (step, caller) => {
    const { key: wanted } = await readWanted(deps, step, caller, input);
    const cancelled = await step.commit(
      async (tx) => {
        const now = deps.clock.now();
        const held = await holdPlan(tx, wanted, now);
        if (held === null) throw notFound('plan');
        switch (held.state) {
          case 'READY':
          case 'INTERRUPTED': {
            await leaveItems(tx, wanted);
            const expiresAt = new Date(now + deps.planRuns.times.life);
            const end = { state: 'CANCELLED', failure: null, now: new Date(now), expiresAt } as const;
            return (await endPlan(tx, { ...wanted, ...end })) ?? held;
          }
          case 'APPLYING':
            await wantStop(tx, wanted);
            return { ...held, stopWanted: true };
          case 'APPLIED':
          case 'PARTLY_APPLIED':
          case 'CANCELLED':
            throw new SealdeskError('CONFLICT', 'The plan is over; what it did stays.');
          default:
            return held.state satisfies never;
        }
      },
      (ended) => detailsOf(ended),
    );
    return { key: wanted, plan: cancelled };
  });
  // Where its process died, somebody has to end it.
  if (plan.state === 'APPLYING') void deps.planRuns.run({ ...key, items: plan.items });
  return toPlanView(plan);
}

async function readWanted(
  deps: ServiceDeps,
  { tenantId }: AuditedStep,
  call: AuthenticatedCall,
  input: unknown,
): Promise<{ readonly key: PlanKey; readonly plan: Plan }> {
  const { id } = parseInput(PlanInput, input);
  const key = { tenantId, planId: id };
  const plan = await deps.store.withTenant(tenantId, async (tx) => {
    await assertUnrestricted(tx, call, deps.clock.now());
    return isId('plan', id) ? findPlan(tx, key, deps.clock.now()) : null;
  });
  if (plan === null) throw notFound('plan');
  return { key, plan };
}

/** The plan as it is after the start, whoever of those that came at the same time has started it. */
async function start(
  deps: ServiceDeps,
  step: AuditedStep,
  call: AuthenticatedCall,
  plan: Plan,
): Promise<Plan> {
  const { clock, keyring, planRuns } = deps;
  const key = { tenantId: plan.tenantId, planId: plan.id };
  if (plan.changes === 0) {
    throw new SealdeskError('CONFLICT', 'The plan changes nobody, so there is nothing to apply.');
  }
  const keys = await keyring.keysOf(plan.tenantId, { signal: call.signal });
  const stored = await deps.store.withTenant(plan.tenantId, (tx) =>
    listItems(tx, key, { after: null, limit: MAX_ROWS }),
  );
  const items = stored.map((one) => openItem(keys, plan.id, one));
  if (fingerprintOf(keys, items) !== plan.fingerprint) {
    throw new SealdeskError('INTERNAL', 'The plan in the database was altered. Make another.');
  }
  const operations = operationsOf(items);
  const admitted = await deps.store.withTenant(plan.tenantId, (tx) =>
    admitPlan(tx, call, plan.integrationId, operations, clock.now()),
  );
  // Of what was interrupted each person is looked at when its turn comes.
  if (plan.state === 'READY') await assertNothingMoved(deps, call, admitted, items);
  return step.commit(
    async (tx) => {
      const now = clock.now();
      await admitPlan(tx, call, plan.integrationId, operations, now);
      const held = await holdPlan(tx, key, now);
      if (held === null) throw notFound('plan');
      const started = await startPlan(tx, {
        ...key,
        appliedBy: call.caller.id,
        applyEventId: step.eventId,
        now: new Date(now),
        expiresAt: new Date(now + planRuns.times.life),
      });
      return started ?? held;
    },
    (started) => detailsOf(started),
  );
}

async function assertNothingMoved(
  { connections, clock, store }: ServiceDeps,
  call: AuthenticatedCall,
  { integration, target }: AdmittedPlan,
  items: readonly PlanItem[],
): Promise<void> {
  const { tenantId, id } = call.caller;
  const breakGlassIds = await store.withTenant(tenantId, (tx) => readBreakGlassIds(tx, integration));
  const source = createPeopleSource({
    client: connections.clientFor(target),
    caller: id,
    signal: call.signal,
    deadline: clock.now() + READ_MS,
  });
  // Whom the plan does not touch may be as they like.
  const touched = [...items.entries()].filter(([, item]) => item.steps.length > 0);
  const wishes = touched.map(([, { wish }]) => wish);
  const realities = await readReality(source, wishes, breakGlassIds);
  const fields = touched.flatMap(([position, item], index) => {
    const reality = realities[index];
    if (reality === undefined) throw new Error('A wish was not held against Zendesk');
    return movedSince(item, planWish(item.wish, reality)).map((name) => ({
      path: `items.${position}.${name}`,
      message: 'is not what the plan found',
    }));
  });
  if (fields.length === 0) return;
  throw new SealdeskError(
    'PLAN_STALE',
    'Zendesk is not as the plan found it; `fields` names what moved. Nothing was applied. Make the plan anew.',
    { fields: fields.slice(0, MAX_TOLD), mutation: 'NOT_SENT' },
  );
}

function operationsOf(items: readonly PlanItem[]): readonly OperationName[] {
  return [...new Set(items.flatMap(({ steps }) => steps.map(({ kind }) => STEP_OPERATIONS[kind])))];
}

function detailsOf({ id, integrationId }: Plan) {
  return { resource: id, integrationId };
}

function resourceHint(input: unknown): { readonly resource?: string } {
  const id = PlanInput.safeParse(input).data?.id;
  return isId('plan', id) ? { resource: id } : {};
}

async function atMost({ clock }: ServiceDeps, run: Promise<void>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const patience = clock.wait(PATIENCE_MS, AbortSignal.any([signal, over.signal])).catch(() => undefined);
  await Promise.race([run, patience]);
  over.abort();
}
