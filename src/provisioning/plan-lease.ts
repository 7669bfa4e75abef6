/** Who applies a plan: one process at a time, by a lease in the plan's row that goes by the database's clock. */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import type { PlanKey } from './plans.ts';

export interface PlanClaim extends PlanKey {
  /** A random name of the process. */
  readonly holder: string;
  readonly lifetimeMs: number;
}

/** HELD: the plan is the holder's. STOPPING: it is, and somebody wants it to stop. LOST: it is over, or another's. */
export type PlanHold = 'HELD' | 'STOPPING' | 'LOST';

/** Claims the plan, or moves the end of the own claim on. */
export async function claimPlan(
  tx: Tx,
  { tenantId, planId, holder, lifetimeMs }: PlanClaim,
): Promise<PlanHold> {
  const { rows } = await sql<{ stop_wanted: boolean }>`
    UPDATE provisioning_plans SET lease_holder = ${holder},
      lease_until = clock_timestamp() + ${lifetimeMs} * interval '1 millisecond'
    WHERE tenant_id = ${tenantId} AND id = ${planId} AND state = 'APPLYING'
      AND (lease_holder IS NULL OR lease_holder = ${holder} OR lease_until <= clock_timestamp())
    RETURNING stop_wanted`.execute(tx);
  const [row] = rows;
  if (row === undefined) return 'LOST';
  return row.stop_wanted ? 'STOPPING' : 'HELD';
}

/** Whether the plan is still the holder's, locked until the transaction ends: what another goes on with is not touched. */
export async function readHold(
  tx: Tx,
  { tenantId, planId, holder }: Omit<PlanClaim, 'lifetimeMs'>,
): Promise<PlanHold> {
  const row = await tx
    .selectFrom('provisioning_plans')
    .select(['lease_holder', 'stop_wanted'])
    .where('tenant_id', '=', tenantId)
    .where('id', '=', planId)
    .where('state', '=', 'APPLYING')
    .forUpdate()
    .executeTakeFirst();
  if (row?.lease_holder !== holder) return 'LOST';
  return row.stop_wanted ? 'STOPPING' : 'HELD';
}

/** Gives the claim back, so that another process has it at once. */
export async function releasePlan(
  tx: Tx,
  { tenantId, planId, holder }: Omit<PlanClaim, 'lifetimeMs'>,
): Promise<void> {
  await tx
    .updateTable('provisioning_plans')
    .set({ lease_holder: null, lease_until: null })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', planId)
    .where('lease_holder', '=', holder)
    .execute();
}

/** A plan to go on with. */
export interface PlanToRun extends PlanKey {
  /** How many people it is of. */
  readonly items: number;
}

/**
 * At most `limit` plans of any tenant that are to be applied and that nobody attends to: of each tenant the oldest of
 * one person and the oldest of many, then the second of each. For `withSystem`.
 */
export async function findUnattendedPlans(tx: Tx, limit: number): Promise<readonly PlanToRun[]> {
  const { rows } = await sql<{ id: string; tenant_id: string; items: number }>`
    SELECT id, tenant_id, items FROM provisioning_plans
    WHERE state = 'APPLYING' AND (lease_holder IS NULL OR lease_until <= clock_timestamp())
    ORDER BY row_number() OVER (PARTITION BY tenant_id, items = 1 ORDER BY created_at), created_at
    LIMIT ${limit}`.execute(tx);
  return rows.map(({ id, tenant_id: tenantId, items }) => ({ tenantId, planId: id, items }));
}

/** Clears away what has expired, and what was interrupted for so long that nobody will go on. For `withSystem`. */
export async function deleteExpiredPlans(tx: Tx, now: number): Promise<void> {
  await tx
    .deleteFrom('provisioning_plans')
    .where('expires_at', '<=', new Date(now))
    .where('state', '<>', 'APPLYING')
    .execute();
}
