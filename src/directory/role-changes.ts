/** The changes of role that syncs saw: kept as long as the user is. */
import type { Tx } from '../store/index.ts';
import type { DirectoryKey } from './directory-keys.ts';
import { MAX_DIRECTORY_PAGE } from './find-users.ts';

export interface RoleChange {
  readonly zendeskId: number;
  readonly seenAt: Date;
  readonly runId: string;
  readonly fromRole: string;
  readonly fromCustomRoleId: number | null;
  readonly toRole: string;
  readonly toCustomRoleId: number | null;
}

/** The most changes of one reading, newest first. */
export const MAX_ROLE_CHANGES = 1_000;

/** The changes of the roles of these users, newest first; the newest {@link MAX_ROLE_CHANGES} of all. */
export async function listRoleChanges(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
  zendeskIds: readonly number[],
): Promise<readonly RoleChange[]> {
  if (zendeskIds.length > MAX_DIRECTORY_PAGE) throw new RangeError('"zendeskIds" must be a page at most');
  if (zendeskIds.length === 0) return [];
  const rows = await tx
    .selectFrom('directory_role_changes')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('zendesk_id', 'in', [...zendeskIds])
    .orderBy('seen_at', 'desc')
    .orderBy('zendesk_id')
    .limit(MAX_ROLE_CHANGES)
    .execute();
  return rows.map((row) => ({
    zendeskId: row.zendesk_id,
    seenAt: row.seen_at,
    runId: row.run_id,
    fromRole: row.from_role,
    fromCustomRoleId: row.from_custom_role_id,
    toRole: row.to_role,
    toCustomRoleId: row.to_custom_role_id,
  }));
}
