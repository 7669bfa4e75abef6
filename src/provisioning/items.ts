/**
 * The people of a plan and the steps of each, as they lie in the database. Who it is and what is to become of them is
 * one sealed text a row; the room above seals and opens it.
 */
import type { Selectable } from 'kysely';
import type {
  PlanItemState,
  PlanStepState,
  ProvisioningItemsTable,
  ProvisioningStepsTable,
  Tx,
} from '../store/index.ts';
import type { PlanKey } from './plans.ts';

/** Rows written by one statement. */
const BATCH = 200;

export interface StoredItem {
  readonly position: number;
  readonly state: PlanItemState;
  /** Zendesk's id of somebody who is there, or was made. */
  readonly zendeskId: number | null;
  /** An error code. */
  readonly failure: string | null;
  readonly sealed: Uint8Array;
}

export interface StoredStep {
  readonly position: number;
  readonly step: number;
  readonly state: PlanStepState;
  /** The INTENT event of the last try. */
  readonly intentId: string | null;
  readonly failure: string | null;
  readonly upstreamStatus: number | null;
  /** Tickets that were handed over. */
  readonly count: number;
}

/** Where the sealed text of an item lies; nothing but its state changes after it was written. */
export function itemLocation(planId: string, position: number) {
  return { table: 'provisioning_items', rowId: `${planId}:${position}`, column: 'sealed', version: 1 };
}

export async function insertItems(
  tx: Tx,
  { tenantId, planId }: PlanKey,
  items: readonly (Omit<StoredItem, 'failure'> & { readonly steps: number })[],
): Promise<void> {
  for (let from = 0; from < items.length; from += BATCH) {
    const batch = items.slice(from, from + BATCH);
    await tx
      .insertInto('provisioning_items')
      .values(
        batch.map(({ position, state, zendeskId, sealed }) => ({
          tenant_id: tenantId,
          plan_id: planId,
          position,
          state,
          zendesk_id: zendeskId === null ? null : String(zendeskId),
          sealed,
        })),
      )
      .execute();
  }
  const steps = items.flatMap(({ position, steps: count }) =>
    Array.from({ length: count }, (_, step) => ({
      tenant_id: tenantId,
      plan_id: planId,
      position,
      step,
      state: 'PENDING' as const,
    })),
  );
  for (let from = 0; from < steps.length; from += BATCH) {
    await tx
      .insertInto('provisioning_steps')
      .values(steps.slice(from, from + BATCH))
      .execute();
  }
}

/** Items of a plan from `after` (exclusive) on, in order. */
export async function listItems(
  tx: Tx,
  { tenantId, planId }: PlanKey,
  page: {
    /** Exclusive, as `before` is. */
    readonly after?: number | null;
    readonly before?: number | null;
    readonly backwards?: boolean;
    readonly limit: number;
    readonly states?: readonly PlanItemState[];
  },
): Promise<readonly StoredItem[]> {
  const { after = null, before = null, backwards = false } = page;
  let query = tx
    .selectFrom('provisioning_items')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('plan_id', '=', planId);
  if (after !== null) query = query.where('position', '>', after);
  if (before !== null) query = query.where('position', '<', before);
  if (page.states !== undefined) query = query.where('state', 'in', [...page.states]);
  const rows = await query
    .orderBy('position', backwards ? 'desc' : 'asc')
    .limit(page.limit)
    .execute();
  return rows.map(itemOf);
}

/** The steps of these items, in order. */
export async function listSteps(
  tx: Tx,
  { tenantId, planId }: PlanKey,
  positions: readonly number[],
): Promise<readonly StoredStep[]> {
  if (positions.length === 0) return [];
  const rows = await tx
    .selectFrom('provisioning_steps')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('plan_id', '=', planId)
    .where('position', 'in', [...positions])
    .orderBy('position')
    .orderBy('step')
    .execute();
  return rows.map(stepOf);
}

/** How many items of a plan are in each state. */
export async function countItems(
  tx: Tx,
  { tenantId, planId }: PlanKey,
): Promise<Readonly<Partial<Record<PlanItemState, number>>>> {
  const rows = await tx
    .selectFrom('provisioning_items')
    .select(['state', (row) => row.fn.countAll<number>().as('count')])
    .where('tenant_id', '=', tenantId)
    .where('plan_id', '=', planId)
    .groupBy('state')
    .execute();
  return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
}

export async function setItem(
  tx: Tx,
  { tenantId, planId }: PlanKey,
  position: number,
  to: { readonly state: PlanItemState; readonly failure?: string | null },
): Promise<void> {
  await tx
    .updateTable('provisioning_items')
    .set({ state: to.state, ...(to.failure === undefined ? {} : { failure: to.failure }) })
    .where('tenant_id', '=', tenantId)
    .where('plan_id', '=', planId)
    .where('position', '=', position)
    .execute();
}

/** Notes Zendesk's id of somebody who was made. */
export async function nameItem(
  tx: Tx,
  { tenantId, planId }: PlanKey,
  position: number,
  zendeskId: number,
): Promise<void> {
  await tx
    .updateTable('provisioning_items')
    .set({ zendesk_id: String(zendeskId) })
    .where('tenant_id', '=', tenantId)
    .where('plan_id', '=', planId)
    .where('position', '=', position)
    .execute();
}

/** Of what a cancelled plan did not come to. */
export async function leaveItems(tx: Tx, { tenantId, planId }: PlanKey): Promise<void> {
  await tx
    .updateTable('provisioning_items')
    .set({ state: 'LEFT' })
    .where('tenant_id', '=', tenantId)
    .where('plan_id', '=', planId)
    .where('state', 'in', ['PENDING', 'RUNNING'])
    .execute();
  await tx
    .updateTable('provisioning_steps')
    .set({ state: 'SKIPPED' })
    .where('tenant_id', '=', tenantId)
    .where('plan_id', '=', planId)
    .where('state', '=', 'PENDING')
    .execute();
}

/** With `onlyIntent` only where that is still the step's last try. */
export async function setStep(
  tx: Tx,
  { tenantId, planId }: PlanKey,
  { position, step, ...to }: Pick<StoredStep, 'position' | 'step' | 'state'> & Partial<StoredStep>,
  onlyIntent: string | null = null,
): Promise<void> {
  const update = tx
    .updateTable('provisioning_steps')
    .set({
      state: to.state,
      ...(to.intentId === undefined ? {} : { intent_id: to.intentId }),
      ...(to.failure === undefined ? {} : { failure: to.failure }),
      ...(to.upstreamStatus === undefined ? {} : { upstream_status: to.upstreamStatus }),
      ...(to.count === undefined ? {} : { count: to.count }),
    })
    .where('tenant_id', '=', tenantId)
    .where('plan_id', '=', planId)
    .where('position', '=', position)
    .where('step', '=', step);
  await (onlyIntent === null ? update : update.where('intent_id', '=', onlyIntent)).execute();
}

/** The steps of an item that stand behind one that failed. */
export async function skipSteps(tx: Tx, { tenantId, planId }: PlanKey, position: number): Promise<void> {
  await tx
    .updateTable('provisioning_steps')
    .set({ state: 'SKIPPED' })
    .where('tenant_id', '=', tenantId)
    .where('plan_id', '=', planId)
    .where('position', '=', position)
    .where('state', '=', 'PENDING')
    .execute();
}

function itemOf(row: Selectable<ProvisioningItemsTable>): StoredItem {
  return {
    position: row.position,
    state: row.state,
    zendeskId: row.zendesk_id === null ? null : Number(row.zendesk_id),
    failure: row.failure,
    sealed: new Uint8Array(row.sealed),
  };
}

function stepOf(row: Selectable<ProvisioningStepsTable>): StoredStep {
  return {
    position: row.position,
    step: row.step,
    state: row.state,
    intentId: row.intent_id,
    failure: row.failure,
    upstreamStatus: row.upstream_status,
    count: row.count,
  };
}
