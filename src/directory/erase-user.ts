/**
 * Erasing: at once for one user, at the retention time for those that were deleted. Of an erased user the id is
 * kept, so that no sync brings the user back. What a database has of earlier versions of a row goes with its own
 * clearing away (VACUUM) and with its backups.
 */
import { sql } from 'kysely';
import type { Tx } from '../store/index.ts';
import type { DirectoryKey } from './directory-keys.ts';

/** Of one sweep. */
const SWEPT_AT_ONCE = 1_000;

export interface EraseUser {
  readonly key: DirectoryKey;
  readonly zendeskId: number;
  /** Whether the id is kept, so that no sync brings the user back. */
  readonly isKeptAway: boolean;
  readonly now: Date;
}

/** Erases all that is known of the user. `false` where there is neither user nor tombstone. */
export async function eraseUser(tx: Tx, { key, zendeskId, isKeptAway, now }: EraseUser): Promise<boolean> {
  const { tenantId, integrationId } = key;
  const { rows } = await sql`
    UPDATE directory_users SET role = '', role_type = NULL, custom_role_id = NULL, role_since = ${now},
      is_role_since_exact = false, status = 'DELETED', organization_id = NULL, default_group_id = NULL,
      has_two_factor = NULL, last_seen_at = NULL, created_at = NULL, updated_at = NULL, first_seen_run = '',
      sealed = NULL, sealed_version = sealed_version + 1, digest = NULL, seen_run = '', changed_at = ${now},
      deleted_at = ${now}, email_index = NULL, external_id_index = NULL, erased_at = ${now}
    WHERE tenant_id = ${tenantId} AND integration_id = ${integrationId} AND zendesk_id = ${zendeskId}
    RETURNING zendesk_id`.execute(tx);
  if (rows.length === 0) return false;
  await tx
    .deleteFrom('directory_role_changes')
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('zendesk_id', '=', zendeskId)
    .execute();
  await tx
    .deleteFrom('directory_memberships')
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('user_id', '=', zendeskId)
    .execute();
  if (isKeptAway) return true;
  await tx
    .deleteFrom('directory_users')
    .where('tenant_id', '=', tenantId)
    .where('integration_id', '=', integrationId)
    .where('zendesk_id', '=', zendeskId)
    .execute();
  return true;
}

/** Removes for good, of every tenant, a portion of what was deleted before `until`. Whether there may be more. */
export async function sweepDeleted(tx: Tx, until: Date): Promise<boolean> {
  const { rows: users } = await sql<{ integration_id: string; zendesk_id: number }>`
    DELETE FROM directory_users WHERE ctid IN (
      SELECT ctid FROM directory_users WHERE deleted_at < ${until} AND erased_at IS NULL LIMIT ${SWEPT_AT_ONCE})
    RETURNING integration_id, zendesk_id`.execute(tx);
  for (const [integrationId, gone] of Map.groupBy(users, (row) => row.integration_id)) {
    await tx
      .deleteFrom('directory_role_changes')
      .where('integration_id', '=', integrationId)
      .where(
        'zendesk_id',
        'in',
        gone.map((row) => row.zendesk_id),
      )
      .execute();
  }
  let isMore = users.length === SWEPT_AT_ONCE;
  for (const table of ['directory_groups', 'directory_organizations', 'directory_custom_roles'] as const) {
    const { rows } = await sql`
      DELETE FROM ${sql.table(table)} WHERE ctid IN (
        SELECT ctid FROM ${sql.table(table)} WHERE deleted_at < ${until} LIMIT ${SWEPT_AT_ONCE})
      RETURNING zendesk_id`.execute(tx);
    isMore ||= rows.length === SWEPT_AT_ONCE;
  }
  return isMore;
}
