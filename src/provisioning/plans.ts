/**
 * Plans in the database.
 *
 * - READY: made and shown; touches nothing. Left by applying it, by cancelling it, or by its time.
 * - APPLYING: some process has its lease and goes through its people one after the other. Where that process dies
 *   the lease ends, and whoever claims it next goes on with the step that was not ended.
 * - INTERRUPTED: something keeps it from going on (`failure`); applied again it goes on.
 * - APPLIED: every person whom it would change is changed. PARTLY_APPLIED: some could not be, and each says why.
 * - CANCELLED: given up, perhaps in the midst; what was done stays.
 *
 * Of what is over and of what was never applied nothing is left once it has expired. Leases go by the database's clock.
 */
import { type Selectable, sql } from 'kysely';
import type { PlanState, ProvisioningPlansTable, Tx } from '../store/index.ts';
import type { WarningCode } from './plan-item.ts';

export const PLAN_KINDS = [
  'PROVISION_USER',
  'PROVISION_MANY',
  'CHANGE_USER_ROLE',
  'ASSIGN_GROUPS',
  'SUSPEND_USER',
  'UNSUSPEND_USER',
  'DEPROVISION_USER',
] as const;
export type PlanKind = (typeof PLAN_KINDS)[number];

export interface Plan {
  readonly id: string;
  readonly tenantId: string;
  readonly integrationId: string;
  readonly kind: PlanKind;
  readonly state: PlanState;
  /** A keyed hash of what it found and touches. */
  readonly fingerprint: string;
  /** People whom it would change. */
  readonly changes: number;
  /** All its people, also those whom it would not change. */
  readonly items: number;
  readonly warnings: readonly WarningCode[];
  /** Agents and admins of the account when it was made, `null` where Zendesk did not tell. */
  readonly staff: number | null;
  /** The API key that made it, and the one that applied it. */
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly appliedBy: string | null;
  /** The audit event of that. */
  readonly applyEventId: string | null;
  readonly appliedAt: Date | null;
  readonly finishedAt: Date | null;
  /** An error code. */
  readonly failure: string | null;
  readonly stopWanted: boolean;
}

export type NewPlan = Pick<
  Plan,
  | 'id'
  | 'tenantId'
  | 'integrationId'
  | 'kind'
  | 'fingerprint'
  | 'changes'
  | 'items'
  | 'warnings'
  | 'staff'
  | 'createdBy'
  | 'createdAt'
  | 'expiresAt'
>;

/** A plan and the tenant it belongs to. */
export interface PlanKey {
  readonly tenantId: string;
  readonly planId: string;
}

export async function insertPlan(tx: Tx, plan: NewPlan): Promise<Plan> {
  const row = await tx
    .insertInto('provisioning_plans')
    .values({
      id: plan.id,
      tenant_id: plan.tenantId,
      integration_id: plan.integrationId,
      kind: plan.kind,
      state: 'READY',
      fingerprint: plan.fingerprint,
      changes: plan.changes,
      items: plan.items,
      warnings: [...plan.warnings],
      staff: plan.staff,
      created_by: plan.createdBy,
      created_at: plan.createdAt,
      expires_at: plan.expiresAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return planOf(row);
}

/** The plan, or `null` where there is none or it has expired; `now` in milliseconds since 1970. */
export async function findPlan(tx: Tx, { tenantId, planId }: PlanKey, now: number): Promise<Plan | null> {
  const row = await tx
    .selectFrom('provisioning_plans')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', planId)
    .where((where) =>
      where.or([where('state', 'in', ['APPLYING', 'INTERRUPTED']), where('expires_at', '>', new Date(now))]),
    )
    .executeTakeFirst();
  return row === undefined ? null : planOf(row);
}

/** The same, locked until the transaction ends. */
export async function holdPlan(tx: Tx, key: PlanKey, now: number): Promise<Plan | null> {
  await tx
    .selectFrom('provisioning_plans')
    .select('id')
    .where('tenant_id', '=', key.tenantId)
    .where('id', '=', key.planId)
    .forUpdate()
    .execute();
  return findPlan(tx, key, now);
}

/** Plans of an integration, in the order of their ids, or backwards. */
export async function listPlans(
  tx: Tx,
  tenantId: string,
  page: {
    readonly integrationId: string;
    readonly state: PlanState | null;
    readonly after: string | null;
    readonly before: string | null;
    readonly backwards: boolean;
    readonly limit: number;
    readonly now: number;
  },
): Promise<readonly Plan[]> {
  let query = tx
    .selectFrom('provisioning_plans')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', page.integrationId)
    .where((where) =>
      where.or([
        where('state', 'in', ['APPLYING', 'INTERRUPTED']),
        where('expires_at', '>', new Date(page.now)),
      ]),
    );
  if (page.state !== null) query = query.where('state', '=', page.state);
  if (page.after !== null) query = query.where('id', '>', page.after);
  if (page.before !== null) query = query.where('id', '<', page.before);
  const rows = await query
    .orderBy('id', page.backwards ? 'desc' : 'asc')
    .limit(page.limit)
    .execute();
  return rows.map(planOf);
}

/** How many plans of the tenant are kept, whatever became of them, and how many people they hold. */
export async function countPlans(
  tx: Tx,
  tenantId: string,
  now: number,
): Promise<{ readonly plans: number; readonly items: number }> {
  const row = await tx
    .selectFrom('provisioning_plans')
    .select(({ fn }) => [
      fn.countAll<number>().as('plans'),
      fn.coalesce(fn.sum<number>('items'), sql<number>`0`).as('items'),
    ])
    .where('tenant_id', '=', tenantId)
    .where('expires_at', '>', new Date(now))
    .executeTakeFirstOrThrow();
  return { plans: Number(row.plans), items: Number(row.items) };
}

export interface PlanStart extends PlanKey {
  readonly appliedBy: string;
  readonly applyEventId: string;
  readonly now: Date;
  /** Until when what becomes of it can be read at least. */
  readonly expiresAt: Date;
}

/** READY or INTERRUPTED becomes APPLYING; `null` where it is neither. */
export async function startPlan(tx: Tx, start: PlanStart): Promise<Plan | null> {
  const row = await tx
    .updateTable('provisioning_plans')
    .set({
      state: 'APPLYING',
      applied_by: start.appliedBy,
      apply_event_id: start.applyEventId,
      applied_at: start.now,
      expires_at: start.expiresAt,
      failure: null,
      lease_holder: null,
      lease_until: null,
    })
    .where('tenant_id', '=', start.tenantId)
    .where('id', '=', start.planId)
    .where('state', 'in', ['READY', 'INTERRUPTED'])
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : planOf(row);
}

export interface PlanEnd extends PlanKey {
  readonly state: Exclude<PlanState, 'READY' | 'APPLYING'>;
  readonly failure: string | null;
  readonly now: Date;
  readonly expiresAt: Date;
}

/** Ends the plan, or interrupts it. */
export async function endPlan(tx: Tx, end: PlanEnd): Promise<Plan | null> {
  const row = await tx
    .updateTable('provisioning_plans')
    .set({
      state: end.state,
      failure: end.failure,
      expires_at: end.expiresAt,
      finished_at: end.state === 'INTERRUPTED' ? null : end.now,
      stop_wanted: false,
      lease_holder: null,
      lease_until: null,
    })
    .where('tenant_id', '=', end.tenantId)
    .where('id', '=', end.planId)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : planOf(row);
}

/** Asks whoever applies the plan to stop after the step under way. */
export async function wantStop(tx: Tx, { tenantId, planId }: PlanKey): Promise<void> {
  await tx
    .updateTable('provisioning_plans')
    .set({ stop_wanted: true })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', planId)
    .where('state', '=', 'APPLYING')
    .execute();
}

function planOf(row: Selectable<ProvisioningPlansTable>): Plan {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    integrationId: row.integration_id,
    kind: row.kind as PlanKind,
    state: row.state,
    fingerprint: row.fingerprint,
    changes: row.changes,
    items: row.items,
    warnings: row.warnings as WarningCode[],
    staff: row.staff,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    appliedBy: row.applied_by,
    applyEventId: row.apply_event_id,
    appliedAt: row.applied_at,
    finishedAt: row.finished_at,
    failure: row.failure,
    stopWanted: row.stop_wanted,
  };
}
