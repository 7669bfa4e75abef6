/** Who is in which group. */
import type { Tx } from '../store/index.ts';
import type { DirectoryKey } from './directory-keys.ts';
import { MAX_DIRECTORY_PAGE } from './find-users.ts';

export interface Membership {
  readonly zendeskId: number;
  readonly userId: number;
  readonly groupId: number;
  readonly isDefault: boolean;
}

/** Of all users of a page together: an agent is in a few groups, and in some hundred at most. */
const MAX_MEMBERSHIPS = 100_000;

/** The memberships of these users, by user and group. */
export async function listMemberships(
  tx: Tx,
  { tenantId, integrationId }: DirectoryKey,
  userIds: readonly number[],
): Promise<readonly Membership[]> {
  if (userIds.length > MAX_DIRECTORY_PAGE) throw new RangeError('"userIds" must be a page at most');
  if (userIds.length === 0) return [];
  const rows = await tx
    .selectFrom('directory_memberships')
    .select(['zendesk_id', 'user_id', 'group_id', 'is_default'])
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('user_id', 'in', [...userIds])
    .orderBy('user_id')
    .orderBy('group_id')
    .limit(MAX_MEMBERSHIPS)
    .execute();
  return rows.map((row) => ({
    zendeskId: row.zendesk_id,
    userId: row.user_id,
    groupId: row.group_id,
    isDefault: row.is_default,
  }));
}
