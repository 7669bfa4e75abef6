/**
 * Making a plan: what is wished is held against Zendesk as it is at present, and what would change is written down,
 * sealed. Nothing is changed in Zendesk.
 */
import { createId, SealdeskError } from '../../base/index.ts';
import {
  type Account,
  countPlans,
  encodeFacts,
  insertItems,
  insertPlan,
  MOST_CHANGES,
  type PlanItem,
  planWish,
  readBreakGlassIds,
  readProvisioningSettings,
  type WarningCode,
} from '../../provisioning/index.ts';
import { type AuthenticatedCall, type Call, createPeopleSource } from '../../proxy/index.ts';
import type { PlanItemState } from '../../store/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import { audited } from '../audited.ts';
import { idField, invalidInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';
import * as inputs from './plan-inputs.ts';
import { admitPlan, PLANNERS } from './plan-rights.ts';
import { sealItem } from './plan-text.ts';
import { type PlanView, toPlanView } from './plan-view.ts';
import { readReality } from './read-reality.ts';

/** Plans of a tenant that are kept at the same time, and people of all of them. */
const MAX_PLANS = 200;
const MAX_ITEMS = 20_000;
/** For all that is read of Zendesk for one plan. */
const READ_MS = 60_000;
const FINGERPRINT = 'provisioning-facts';

/** Gives one person access: somebody new, or somebody who is there. For ADMIN, as all that follow. */
export const provisionUser = planner(inputs.parseProvisionUser);
export const provisionMany = planner(inputs.parseProvisionMany);
export const changeUserRole = planner(inputs.parseChangeUserRole);
export const assignGroups = planner(inputs.parseAssignGroups);
export const suspendUser = planner((input) => inputs.parseSuspension('SUSPEND', input));
export const unsuspendUser = planner((input) => inputs.parseSuspension('UNSUSPEND', input));
export const deprovisionUser = planner(inputs.parseDeprovisionUser);

function planner(parse: (input: unknown) => inputs.PlanRequest) {
  return (deps: ServiceDeps, call: Call, input: unknown): Promise<PlanView> =>
    makePlan(deps, call, input, parse);
}

/**
 * Rejects with VALIDATION_FAILED (also where more people would change than may), NOT_FOUND, OPERATION_NOT_ALLOWED,
 * CONFLICT where the integration is off or too many plans are kept, and with the failures of Zendesk.
 */
async function makePlan(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
  parse: (input: unknown) => inputs.PlanRequest,
): Promise<PlanView> {
  const act = { action: 'plan.create', roles: PLANNERS, ...integrationHint(input) };
  return audited(deps, call, act, async (step, caller) => {
    const { tenantId } = step;
    const request = parse(input);
    // A GraphQL document may hold many plans: each counts, as if it had come by itself.
    if (call.parentEventId !== null) deps.limiter.take(caller.caller);
    const { maxChanges, items, account } = await look(deps, caller, request);
    const changes = items.filter(({ steps }) => steps.length > 0).length;
    assertFew(changes, request.maxChanges ?? maxChanges);
    const keys = await deps.keyring.keysOf(tenantId, { signal: call.signal });
    const now = deps.clock.now();
    const id = createId('plan', now);
    const sealed = items.map((item, position) => sealItem(keys, id, position, item));
    const plan = await step.commit(
      async (tx) => {
        await admitPlan(tx, caller, request.integrationId, request.operations, now);
        assertRoom(await countPlans(tx, tenantId, now), items.length);
        const made = await insertPlan(tx, {
          ...{ id, tenantId, integrationId: request.integrationId, kind: request.kind, changes },
          staff: account?.staff ?? null,
          fingerprint: fingerprintOf(keys, items),
          items: items.length,
          warnings: warningsOf(account),
          createdBy: caller.caller.id,
          createdAt: new Date(now),
          expiresAt: new Date(now + deps.planRuns.times.life),
        });
        await insertItems(
          tx,
          { tenantId, planId: id },
          items.map((item, position) => ({
            position,
            state: stateOf(item),
            zendeskId: item.person?.id ?? null,
            sealed: sealed[position] ?? new Uint8Array(0),
            steps: item.steps.length,
          })),
        );
        return made;
      },
      () => ({ resource: id, integrationId: request.integrationId }),
    );
    return toPlanView(plan);
  });
}

interface Looked {
  readonly maxChanges: number;
  readonly items: readonly PlanItem[];
  readonly account: Account | null;
}

async function look(
  deps: ServiceDeps,
  call: AuthenticatedCall,
  { integrationId, operations, wishes }: inputs.PlanRequest,
): Promise<Looked> {
  const { store, connections, clock } = deps;
  const { tenantId, id } = call.caller;
  const { admitted, settings, breakGlassIds } = await store.withTenant(tenantId, async (tx) => {
    const found = await admitPlan(tx, call, integrationId, operations, clock.now());
    assertRoom(await countPlans(tx, tenantId, clock.now()), wishes.length);
    return {
      admitted: found,
      settings: await readProvisioningSettings(tx, tenantId, integrationId),
      breakGlassIds: await readBreakGlassIds(tx, found.integration),
    };
  });
  const source = createPeopleSource({
    client: connections.clientFor(admitted.target),
    caller: id,
    signal: call.signal,
    deadline: clock.now() + READ_MS,
  });
  const realities = await readReality(source, wishes, breakGlassIds);
  const items = wishes.flatMap((wish, index) => {
    const reality = realities[index];
    return reality === undefined ? [] : planWish(wish, reality);
  });
  return { maxChanges: settings.maxChanges, items, account: realities[0]?.account ?? null };
}

/** A keyed hash of all that the plan touches, the same as long as that is the same. */
export function fingerprintOf(keys: TenantKeys, items: readonly Pick<PlanItem, 'facts'>[]): string {
  return keys.indexHmac(FINGERPRINT, encodeFacts(items.map(({ facts }) => facts)));
}

/** Of guard rails that cannot stand, since Zendesk does not tell around whom. */
function warningsOf(account: Account | null): readonly WarningCode[] {
  return [
    ...(account?.ownerId === null ? (['OWNER_UNKNOWN'] as const) : []),
    ...(account?.connectedId === null ? (['CONNECTED_UNKNOWN'] as const) : []),
  ];
}

function stateOf({ steps, blocked }: PlanItem): PlanItemState {
  if (blocked !== null) return 'BLOCKED';
  return steps.length === 0 ? 'UNCHANGED' : 'PENDING';
}

function assertFew(changes: number, most: number): void {
  if (changes <= most) return;
  throw invalidInput([
    {
      path: 'maxChanges',
      message: `The plan would change ${changes} people, and at most ${most} may be changed at once. Say maxChanges, up to ${MOST_CHANGES}, to change more`,
    },
  ]);
}

function assertRoom(kept: { readonly plans: number; readonly items: number }, items: number): void {
  if (kept.plans < MAX_PLANS && kept.items + items <= MAX_ITEMS) return;
  throw new SealdeskError(
    'CONFLICT',
    `At most ${MAX_PLANS} plans with ${MAX_ITEMS} people in all are kept. Wait until older ones expire.`,
  );
}

function integrationHint(input: unknown): { readonly integrationId?: string } {
  const id =
    typeof input === 'object' && input !== null && 'integrationId' in input ? input.integrationId : null;
  const read = idField('integration').safeParse(id);
  return read.success ? { integrationId: read.data } : {};
}
