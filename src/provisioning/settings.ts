/** What an integration allows its plans. */
import type { Tx } from '../store/index.ts';

export const DEFAULT_MAX_CHANGES = 50;
/** People whom one plan may change at most. */
export const MOST_CHANGES = 1_000;
export const MAX_BREAK_GLASS = 100;

export interface ProvisioningSettings {
  /** Zendesk's ids, ascending. */
  readonly breakGlassUserIds: readonly number[];
  /** People whom a plan may change where it does not say how many. */
  readonly maxChanges: number;
}

/** The defaults where nobody has set any. */
export async function readProvisioningSettings(
  tx: Tx,
  tenantId: string,
  integrationId: string,
): Promise<ProvisioningSettings> {
  const row = await tx
    .selectFrom('provisioning_settings')
    .select(['break_glass_user_ids', 'max_changes'])
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .executeTakeFirst();
  if (row === undefined) return { breakGlassUserIds: [], maxChanges: DEFAULT_MAX_CHANGES };
  return { breakGlassUserIds: row.break_glass_user_ids.map(Number), maxChanges: row.max_changes };
}

/**
 * Whom any integration of the tenant names for emergencies that connects the same Zendesk account: Zendesk's ids.
 * Where one integration protects them no other may lock them out.
 */
export async function readBreakGlassIds(
  tx: Tx,
  { tenantId, subdomain }: { readonly tenantId: string; readonly subdomain: string },
): Promise<ReadonlySet<number>> {
  const rows = await tx
    .selectFrom('provisioning_settings')
    .innerJoin('integrations', 'integrations.id', 'provisioning_settings.integration_id')
    .select('provisioning_settings.break_glass_user_ids')
    .where('provisioning_settings.tenant_id', '=', tenantId)
    .where('integrations.tenant_id', '=', tenantId)
    .where('integrations.subdomain', '=', subdomain)
    .execute();
  return new Set(rows.flatMap((row) => row.break_glass_user_ids.map(Number)));
}

/** Sets what is given, and leaves the rest. The integration must be there. */
export async function saveProvisioningSettings(
  tx: Tx,
  {
    tenantId,
    integrationId,
    now,
    ...settings
  }: Partial<ProvisioningSettings> & {
    readonly tenantId: string;
    readonly integrationId: string;
    readonly now: Date;
  },
): Promise<ProvisioningSettings> {
  const present = await readProvisioningSettings(tx, tenantId, integrationId);
  const ids = settings.breakGlassUserIds ?? present.breakGlassUserIds;
  const breakGlassUserIds = [...new Set(ids)].toSorted((a, b) => a - b);
  const maxChanges = settings.maxChanges ?? present.maxChanges;
  const columns = {
    break_glass_user_ids: breakGlassUserIds.map(String),
    max_changes: maxChanges,
    updated_at: now,
  };
  await tx
    .insertInto('provisioning_settings')
    .values({ tenant_id: tenantId, integration_id: integrationId, ...columns })
    .onConflict((conflict) => conflict.column('integration_id').doUpdateSet(columns))
    .execute();
  return { breakGlassUserIds, maxChanges };
}
