/** Reading plans: how one stands, whom it touches, and those of an integration. For ADMIN. */
import { z } from 'zod';
import { isId } from '../../base/index.ts';
import {
  countItems,
  findPlan,
  listItems,
  listPlans as listPlanRows,
  listSteps,
  type StoredItem,
  type StoredStep,
} from '../../provisioning/index.ts';
import type { AuthenticatedCall, Call } from '../../proxy/index.ts';
import type { PlanState, Tx } from '../../store/index.ts';
import { notFound } from '../audited.ts';
import { idField, parseInput } from '../input.ts';
import { type Connection, numberKey, type PageInput, parsePage, toConnection } from '../page.ts';
import { readOwn } from '../read.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { assertUnrestricted, PLANNERS } from './plan-rights.ts';
import { openItem } from './plan-text.ts';
import { type PlanItemView, type PlanView, toItemView, toPlanView } from './plan-view.ts';

const STATES = [
  'READY',
  'APPLYING',
  'INTERRUPTED',
  'APPLIED',
  'PARTLY_APPLIED',
  'CANCELLED',
] as const satisfies readonly PlanState[];

const ListInput = z.object({ integrationId: idField('integration'), state: z.enum(STATES).nullish() });

const MAX_POSITION = 999_999_999;

/** How many of a plan's people are where. */
export type PlanCounts = Awaited<ReturnType<typeof countItems>>;

export function getProvisioningPlan(deps: ServiceDeps, call: Call, id: string): Promise<PlanView> {
  return readPlans(deps, call, async (tx, tenantId) => {
    const key = { tenantId, planId: id };
    const plan = isId('plan', id) ? await findPlan(tx, key, deps.clock.now()) : null;
    if (plan === null) throw notFound('plan');
    return toPlanView(plan);
  });
}

/** Newest first where asked for by `last`, oldest first by `first`. */
export function listProvisioningPlans(
  deps: ServiceDeps,
  call: Call,
  { integrationId: of, state: wanted, ...slice }: PageInput & Readonly<Record<string, unknown>>,
): Promise<Connection<PlanView>> {
  return readPlans(deps, call, async (tx, tenantId) => {
    const { integrationId, state = null } = parseInput(ListInput, { integrationId: of, state: wanted });
    const page = parsePage(slice);
    const { after, before, backwards, limit } = page;
    const asked = { integrationId, state, after, before, backwards, limit, now: deps.clock.now() };
    return toConnection(await listPlanRows(tx, tenantId, asked), page, ({ id }) => id, toPlanView);
  });
}

export function countPlanItems(deps: ServiceDeps, call: Call, planId: string): Promise<PlanCounts> {
  return readPlans(deps, call, (tx, tenantId) => countItems(tx, { tenantId, planId }));
}

/** In the order of the input. */
export async function listPlanItems(
  deps: ServiceDeps,
  call: Call,
  planId: string,
  slice: PageInput,
): Promise<Connection<PlanItemView>> {
  const page = parsePage(slice);
  const after = numberKey(page, 'after', MAX_POSITION);
  const before = numberKey(page, 'before', MAX_POSITION);
  const read = await readPlans(deps, call, async (tx, tenantId) => {
    const key = { tenantId, planId };
    const items = await listItems(tx, key, {
      ...{ after, before, backwards: page.backwards, limit: page.limit },
    });
    const positions = items.map(({ position }) => position);
    return { tenantId, items, steps: await listSteps(tx, key, positions) };
  });
  const keys = await deps.keyring.keysOf(read.tenantId, { signal: call.signal });
  const stepsOf = (item: StoredItem): readonly StoredStep[] =>
    read.steps.filter(({ position }) => position === item.position);
  return toConnection(
    read.items,
    page,
    ({ position }) => String(position),
    (item) => toItemView(item, openItem(keys, planId, item), stepsOf(item)),
  );
}

function readPlans<T>(
  deps: ServiceDeps,
  call: Call,
  work: (tx: Tx, tenantId: string) => Promise<T>,
): Promise<T> {
  return readOwn(deps, call, PLANNERS, async (tx, tenantId, reading: AuthenticatedCall) => {
    await assertUnrestricted(tx, reading, deps.clock.now());
    return work(tx, tenantId);
  });
}
