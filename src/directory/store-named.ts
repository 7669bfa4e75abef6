/** Taking pages of groups, organizations and custom roles into the directory, and of who is in which group. */
import { sql } from 'kysely';
import { encodeBase64 } from '../base/index.ts';
import type { Tx } from '../store/index.ts';
import { digestOf, placeOf } from './directory-keys.ts';
import type { Membership } from './memberships.ts';
import type { NamedTable } from './named-entries.ts';
import type { ReadNamed } from './read-records.ts';
import { encodeRows, type RowValue } from './rows.ts';
import type { StorePage } from './store-users.ts';

interface KnownEntry {
  readonly zendesk_id: number;
  readonly digest: Uint8Array | null;
  readonly sealed_version: number;
  readonly deleted_at: Date | null;
}

/** Stores the entries of a page; those that did not change are noted as seen. */
export async function storeNamedEntries(
  tx: Tx,
  table: NamedTable,
  page: Omit<StorePage, 'isFull'>,
  entries: readonly ReadNamed[],
): Promise<void> {
  const { keys, key, runId, now } = page;
  const byId = new Map(entries.map((entry) => [entry.zendeskId, entry]));
  const ids = [...byId.keys()];
  const { rows: known } = await sql<KnownEntry>`
    SELECT zendesk_id, digest, sealed_version, deleted_at FROM ${sql.table(table)}
    WHERE tenant_id = ${key.tenantId} AND integration_id = ${key.integrationId}
      AND zendesk_id = ANY(${ids}::bigint[])`.execute(tx);
  const before = new Map(known.map((row) => [row.zendesk_id, row]));
  const rows: Record<string, RowValue>[] = [];
  const unchanged: number[] = [];
  for (const [id, { texts }] of byId) {
    const stored = before.get(id);
    const version = (stored?.sealed_version ?? 0) + 1;
    const place = placeOf(table, key, id, version);
    const digest = digestOf(keys, place, JSON.stringify(texts));
    const isSame = stored?.digest != null && Buffer.compare(stored.digest, digest) === 0;
    if (isSame && stored.deleted_at === null) unchanged.push(id);
    else {
      const sealed = encodeBase64(keys.sealText(place, JSON.stringify(texts)));
      rows.push({ zendesk_id: id, sealed, sealed_version: version, digest: encodeBase64(digest) });
    }
  }
  if (rows.length > 0) {
    await sql`
      INSERT INTO ${sql.table(table)} (integration_id, tenant_id, zendesk_id, sealed, sealed_version, digest,
        seen_run, changed_at)
      SELECT ${key.integrationId}, ${key.tenantId}, r.zendesk_id, decode(r.sealed, 'base64'), r.sealed_version,
        decode(r.digest, 'base64'), ${runId}, ${now}::timestamptz
      FROM jsonb_to_recordset(${encodeRows(rows)}::jsonb)
        AS r(zendesk_id bigint, sealed text, sealed_version integer, digest text)
      ON CONFLICT (integration_id, zendesk_id) DO UPDATE SET sealed = excluded.sealed,
        sealed_version = excluded.sealed_version, digest = excluded.digest, seen_run = excluded.seen_run,
        changed_at = excluded.changed_at, deleted_at = NULL`.execute(tx);
  }
  if (unchanged.length > 0) {
    await sql`
      UPDATE ${sql.table(table)} SET seen_run = ${runId}
      WHERE tenant_id = ${key.tenantId} AND integration_id = ${key.integrationId}
        AND zendesk_id = ANY(${unchanged}::bigint[])`.execute(tx);
  }
}

/** Removes from the answers what the run has not seen: Zendesk shows it no more. */
export async function removeUnseenEntries(
  tx: Tx,
  table: NamedTable,
  { key, runId, now }: Pick<StorePage, 'key' | 'runId' | 'now'>,
): Promise<void> {
  await sql`
    UPDATE ${sql.table(table)} SET deleted_at = ${now}, changed_at = ${now}
    WHERE tenant_id = ${key.tenantId} AND integration_id = ${key.integrationId}
      AND deleted_at IS NULL AND seen_run <> ${runId}`.execute(tx);
}

/** Stores the memberships of a page, without those of users that were erased. */
export async function storeMemberships(
  tx: Tx,
  { key, runId }: Pick<StorePage, 'key' | 'runId'>,
  memberships: readonly Membership[],
): Promise<void> {
  const byId = new Map(memberships.map((one) => [one.zendeskId, one]));
  const rows = [...byId.values()].map(({ zendeskId, userId, groupId, isDefault }) => ({
    ...{ zendesk_id: zendeskId, user_id: userId, group_id: groupId, is_default: isDefault },
  }));
  await sql`
    INSERT INTO directory_memberships (integration_id, tenant_id, zendesk_id, user_id, group_id, is_default, seen_run)
    SELECT ${key.integrationId}, ${key.tenantId}, r.zendesk_id, r.user_id, r.group_id, r.is_default, ${runId}
    FROM jsonb_to_recordset(${encodeRows(rows)}::jsonb)
      AS r(zendesk_id bigint, user_id bigint, group_id bigint, is_default boolean)
    WHERE NOT EXISTS (SELECT 1 FROM directory_users u WHERE u.integration_id = ${key.integrationId}
      AND u.zendesk_id = r.user_id AND u.erased_at IS NOT NULL)
    ON CONFLICT (integration_id, zendesk_id) DO UPDATE SET user_id = excluded.user_id,
      group_id = excluded.group_id, is_default = excluded.is_default, seen_run = excluded.seen_run`.execute(
    tx,
  );
}

/** Removes the memberships that the run has not seen. */
export async function removeUnseenMemberships(
  tx: Tx,
  { key, runId }: Pick<StorePage, 'key' | 'runId'>,
): Promise<void> {
  await tx
    .deleteFrom('directory_memberships')
    .where('tenant_id', '=', key.tenantId)
    .where('integration_id', '=', key.integrationId)
    .where('seen_run', '<>', runId)
    .execute();
}
